//! Whose a ticket is to be, as JSON.
use crate::ids::{AgentId, TeamId};
use serde::Deserialize;
use validator::Validate;

/// Who is to be responsible.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssigneeIn {
    /// An active agent, or null for nobody.
    #[serde(deserialize_with = "required")]
    #[schema(required = true)]
    pub agent_id: Option<AgentId>,
}

/// Which team is to be responsible.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverIn {
    /// A team, or null for none.
    #[serde(deserialize_with = "required")]
    #[schema(required = true)]
    pub team_id: Option<TeamId>,
}

/// For fields that may be null but must be there.
fn required<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

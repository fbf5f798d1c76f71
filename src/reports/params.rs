//! Query parameters that reports share: a period in a time zone, and whose tickets.
use super::asked::Period;
use crate::calendar::wire::zone;
use crate::error::{Error, FieldError, Result};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// Defines query parameters that begin with a period: a struct of them, and `period`.
macro_rules! period_params {
    ($(#[$meta:meta])* $name:ident { $($(#[$own:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Deserialize, validator::Validate, utoipa::IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub struct $name {
            /// Start of the period: an RFC 3339 instant (a `+` in it is written `%2B`) or a local date, whose first instant in
            /// `tz` is meant, of the years 1970 to 9999. 90 days before its end where it is left out.
            #[validate(length(max = 64))]
            #[param(
                max_length = 64,
                pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
                example = "2026-03-01"
            )]
            from: Option<String>,
            /// End of the period, exclusive, written like `from`; now where it is left out. At most ten years after `from`.
            #[validate(length(max = 64))]
            #[param(
                max_length = 64,
                pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
                example = "2026-04-01"
            )]
            to: Option<String>,
            /// IANA time zone in which dates, hours, days, weeks and months are read; UTC where it is left out.
            #[validate(length(max = 64))]
            #[param(max_length = 64, example = "America/Toronto")]
            tz: Option<String>,
            $($(#[$own])* $field: $kind,)*
        }

        impl $name {
            fn period(&self, now: chrono::DateTime<chrono::Utc>) -> $crate::error::Result<$crate::reports::asked::Period> {
                $crate::reports::params::period(self.from.as_deref(), self.to.as_deref(), self.tz.as_deref(), now)
            }
        }
    };
}
pub(super) use period_params;

/// Defines the parameters of one report: what all have, and its own.
macro_rules! report_params {
    ($(#[$meta:meta])* $name:ident { $($(#[$own:meta])* $field:ident: $kind:ty,)* }) => {
        $crate::reports::params::period_params! {
            $(#[$meta])*
            $name {
                /// Only this channel.
                channel: Option<$crate::tickets::model::Channel>,
                /// Only this priority.
                priority: Option<$crate::tickets::model::Priority>,
                /// Only this team's.
                team_id: Option<$crate::ids::TeamId>,
                /// Only this agent's.
                agent_id: Option<$crate::ids::AgentId>,
                /// Only this organization's.
                organization_id: Option<$crate::ids::OrganizationId>,
                $($(#[$own])* $field: $kind,)*
            }
        }

        impl $name {
            fn filter(&self) -> $crate::reports::asked::Filter {
                $crate::reports::asked::Filter {
                    channel: self.channel,
                    priority: self.priority,
                    team_id: self.team_id,
                    agent_id: self.agent_id,
                    organization_id: self.organization_id,
                    kind: $crate::surveys::model::SurveyKind::default(),
                }
            }
        }
    };
}
pub(super) use report_params;

/// A refusal of one parameter.
pub(super) fn refused(error: FieldError) -> Error {
    Error::Invalid(vec![error])
}

/// The period that is meant.
pub(super) fn period(from: Option<&str>, to: Option<&str>, tz: Option<&str>, now: DateTime<Utc>) -> Result<Period> {
    let zone = tz.map_or(Ok(Tz::UTC), |name| zone("tz", name)).map_err(refused)?;
    Period::read(from, to, zone, now).map_err(refused)
}

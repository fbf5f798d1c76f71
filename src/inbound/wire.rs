//! What other slices show of mail that came in.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The letter of a reply came back.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BounceOut {
    /// The address that it did not reach.
    pub address: String,
    /// Whether it never will, as opposed to: not yet.
    pub is_permanent: bool,
    /// The status of RFC 3463, such as `5.1.1`.
    #[schema(examples("5.1.1"))]
    pub status: String,
    /// What the mail server said.
    pub detail: String,
    /// When the report came.
    pub reported_at: DateTime<Utc>,
}

//! The promises of a ticket as JSON: each by itself, and all together.
use crate::ids::{ClockId, PolicyId};
use crate::instant;
use crate::sla::ClockRow;
use crate::sla::clock::{Metric, Verdict};
use crate::sla::model::{NEVER, PromiseState, Summary};
use crate::sla::wire::ModeName;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A promise and how it stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClockOut {
    id: ClockId,
    metric: Metric,
    /// 1 for the first; reopening starts another cycle of resolution.
    cycle: i32,
    /// How it stands now.
    verdict: Verdict,
    /// Why it is not promised or not measured.
    reason: Option<String>,
    policy_id: PolicyId,
    policy_version: i32,
    mode: ModeName,
    /// Seconds allowed.
    target_seconds: i64,
    #[serde(serialize_with = "instant::serialize")]
    started_at: DateTime<Utc>,
    /// Null while it stands still, or where nothing is promised.
    #[serde(serialize_with = "instant::option::serialize")]
    due_at: Option<DateTime<Utc>>,
    /// When the warning is due.
    #[serde(serialize_with = "instant::option::serialize")]
    warn_at: Option<DateTime<Utc>>,
    /// When it was broken: exactly the due instant.
    #[serde(serialize_with = "instant::option::serialize")]
    breached_at: Option<DateTime<Utc>>,
    /// When it was reached.
    #[serde(serialize_with = "instant::option::serialize")]
    reached_at: Option<DateTime<Utc>>,
    /// Seconds used when it was reached.
    used_seconds: Option<i64>,
}

impl ClockOut {
    /// The clock as it stands at `now`.
    pub fn at(row: &ClockRow, now: DateTime<Utc>) -> Self {
        let clock = row.clock();
        Self {
            id: row.id,
            metric: row.metric.0,
            cycle: row.cycle,
            verdict: clock.verdict(now),
            reason: clock.reason,
            policy_id: row.policy_id,
            policy_version: row.policy_version,
            mode: row.mode.0,
            target_seconds: clock.promise.target_seconds,
            started_at: clock.started_at,
            due_at: clock.due_at,
            warn_at: clock.warn_at,
            breached_at: clock.breached_at,
            reached_at: clock.reached_at,
            used_seconds: clock.used_seconds,
        }
    }
}

/// How the promises of a ticket stand together.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PromiseOut {
    /// Null where nothing was promised, or all stands still.
    state: Option<PromiseState>,
    /// When the next one that can still be kept is due.
    #[serde(serialize_with = "instant::option::serialize")]
    due_at: Option<DateTime<Utc>>,
    /// When the next warning is due.
    #[serde(serialize_with = "instant::option::serialize")]
    warn_at: Option<DateTime<Utc>>,
    /// How many are broken.
    breached: i32,
    /// How many were kept.
    met: i32,
}

impl PromiseOut {
    /// How they stand at `now`.
    pub fn at(summary: &Summary, now: DateTime<Utc>) -> Self {
        let Summary { due_at, warn_at, breached, met } = *summary;
        let coming = |at: DateTime<Utc>| (at < NEVER).then_some(at);
        Self { state: summary.state(now), due_at: coming(due_at), warn_at: coming(warn_at), breached, met }
    }
}

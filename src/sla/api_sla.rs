//! `GET /tickets/{id}/sla`: every promise of a ticket, explained to the second.
use super::clock::{Metric, Standing, Verdict};
use super::explain::{self, Part, Why};
use super::history;
use super::wire::ModeName;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::extract::{Id, Now};
use crate::ids::{CalendarId, ClockId, PolicyId, TicketId};
use crate::tickets::queries;
use actix_web::{HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Segments of one clock in an answer at the most; a longer list is cut and says so.
const SEGMENTS_MAX: usize = 1_000;

/// A stretch of time in the life of a promise.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SlaSegmentOut {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// Whole seconds.
    seconds: i64,
    /// Whether the clock ran.
    counted: bool,
    /// Why it counts, or not.
    reason: Why,
    calendar_id: CalendarId,
    /// The version of the calendar that it was counted by.
    calendar_version: i32,
    /// How far local time was ahead of UTC, in seconds.
    #[schema(examples(-14400))]
    utc_offset_seconds: i32,
}

impl From<Part> for SlaSegmentOut {
    fn from(part: Part) -> Self {
        let Part { from, to, counted, why, version, offset_seconds } = part;
        let (calendar_id, calendar_version) = version;
        let seconds = (to - from).num_seconds();
        Self { from, to, seconds, counted, reason: why, calendar_id, calendar_version, utc_offset_seconds: offset_seconds }
    }
}

/// A promise, explained.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SlaClockOut {
    clock_id: ClockId,
    metric: Metric,
    /// 1 for the first.
    cycle: i32,
    verdict: Verdict,
    /// Why nothing is promised or measured.
    reason: Option<String>,
    policy_id: PolicyId,
    policy_version: i32,
    mode: ModeName,
    target_seconds: i64,
    started_at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    warned_at: Option<DateTime<Utc>>,
    breached_at: Option<DateTime<Utc>>,
    reached_at: Option<DateTime<Utc>>,
    /// Seconds used so far, or when it was reached; a second that was begun by then is used. null where nothing is counted.
    used_seconds: Option<i64>,
    /// Seconds left; negative once it is broken. null where nothing is counted.
    remaining_seconds: Option<i64>,
    /// From the start on, without gaps; the counted ones add up to `used_seconds`.
    #[schema(max_items = 1000)]
    segments: Vec<SlaSegmentOut>,
    /// True where there are more segments than are listed.
    segments_cut: bool,
}

/// The promises of a ticket.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SlaOut {
    ticket_id: TicketId,
    /// The instant at which it stands so.
    at: DateTime<Utc>,
    clocks: Vec<SlaClockOut>,
}

/// Explain the promises of a ticket: every second counted or not, by which hours, and why.
#[utoipa::path(get, path = "/api/v1/tickets/{id}/sla", tag = "promises", params(("id" = TicketId, Path)),
    responses((status = 200, description = "Each promise, to the second", body = SlaOut)))]
pub async fn explain(app: Data<App>, Now(now): Now, id: Id<TicketId>) -> Result<HttpResponse> {
    let (lives, hours) = app
        .db
        .read(move |conn| {
            queries::must_exist(conn, id.0)?;
            history::lives(conn, id.0)
        })
        .await?;
    let mut clocks = Vec::with_capacity(lives.len());
    for (row, life) in lives {
        let clock = row.clock();
        let is_counted = !matches!(clock.standing, Standing::NotPromised | Standing::NotMeasured);
        let unknown = || Error::internal(format!("the hours of clock {} are not there", row.id));
        let parts = if is_counted { explain::explain(&life, &hours, now).ok_or_else(unknown)? } else { Vec::new() };
        let in_force = hours.get(&(row.calendar_id, row.calendar_version)).ok_or_else(unknown)?;
        let used_seconds = is_counted.then(|| clock.used_by(now, in_force));
        let mut segments: Vec<SlaSegmentOut> = parts.into_iter().map(SlaSegmentOut::from).collect();
        let segments_cut = segments.len() > SEGMENTS_MAX;
        segments.truncate(SEGMENTS_MAX);
        clocks.push(SlaClockOut {
            clock_id: row.id,
            metric: row.metric.0,
            cycle: row.cycle,
            verdict: clock.verdict(now),
            policy_id: row.policy_id,
            policy_version: row.policy_version,
            mode: row.mode.0,
            target_seconds: row.target_seconds,
            started_at: clock.started_at,
            due_at: clock.due_at,
            warned_at: clock.warned_at,
            breached_at: clock.breached_at,
            reached_at: clock.reached_at,
            used_seconds,
            remaining_seconds: used_seconds.map(|used| row.target_seconds - used),
            segments,
            segments_cut,
            reason: clock.reason,
        });
    }
    Ok(HttpResponse::Ok().json(SlaOut { ticket_id: id.0, at: now, clocks }))
}

//! The close of a merged ticket is not asked about.
use super::model::Outcome;
use super::store;
use crate::Result;
use crate::db::Conn;
use crate::ids::TicketId;
use crate::jobs::queue;
use crate::mail::outbox;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// The ticket was merged into another: an invitation that still waits is not sent.
pub fn skip(conn: &mut Conn, ticket: TicketId, close_number: i32, now: DateTime<Utc>) -> Result<()> {
    let Some((id, Outcome::Waiting)) = store::find_of_close(conn, ticket, close_number)? else { return Ok(()) };
    // Where another node is sending it at this moment, its job must end it.
    if store::set_outcome(conn, id, Outcome::Waiting, Outcome::SkippedMerged, now)? {
        let data = json!({ "close_number": close_number, "outcome": Outcome::SkippedMerged });
        timeline::record(conn, ticket, Kind::SurveyOutcome, Actor::Desk, now, data)?;
        queue::cancel(conn, id.0)?;
        outbox::survey_cancelled(conn, id.0)?;
    }
    Ok(())
}

//! `/wallboard`.
use super::asked::{Period, midnight};
use super::calls_asked::CallsAsked;
use super::figures::Names;
use super::params::refused;
use super::wire_calls::{CallFigures, CallsReport};
use super::{queries_calls, queries_wallboard as waiting};
use crate::app::App;
use crate::calendar;
use crate::db::Conn;
use crate::error::Result;
use crate::http::extract::Now;
use crate::presence;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

/// An answer is in time within so many seconds: what is promised.
const WITHIN_SECONDS: i64 = 20;

/// Who waits in one channel.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WaitingOut {
    /// How many.
    waiting: usize,
    /// Since when the one who waits longest does; a client counts by itself.
    longest_since: Option<DateTime<Utc>>,
    /// How long that is now.
    longest_wait_seconds: Option<i64>,
}

impl WaitingOut {
    /// Of those who wait, the longest first.
    fn of(since: &[DateTime<Utc>], now: DateTime<Utc>) -> Self {
        let first = since.first().copied();
        Self { waiting: since.len(), longest_since: first, longest_wait_seconds: first.map(|at| (now - at).num_seconds().max(0)) }
    }
}

/// How many agents are there.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AgentsOut {
    /// Available; null where presence was never used.
    available: Option<i64>,
    /// At work, but away.
    away: Option<i64>,
    /// Available, and not on a call.
    free: Option<usize>,
}

/// The desk at this moment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WallboardOut {
    /// This moment.
    as_of: DateTime<Utc>,
    /// Whether the desk is open.
    is_open: bool,
    calls: WaitingOut,
    chats: WaitingOut,
    agents: AgentsOut,
    /// Since when the desk is open and nobody is available.
    nobody_since: Option<DateTime<Utc>>,
    /// Calls since the desk's midnight, with the service level.
    today: CallFigures,
}

fn look(conn: &mut Conn, now: DateTime<Utc>) -> Result<WallboardOut> {
    let hours = calendar::in_force(conn, None)?.map(|calendar| calendar.hours);
    let zone = hours.as_ref().map_or(Tz::UTC, |hours| hours.zone());
    let period = Period { from: midnight(zone, now.with_timezone(&zone).date_naive()), to: now, zone };
    let asked = CallsAsked::new(period, (None, None), None, WITHIN_SECONDS).map_err(refused)?;
    let mut groups = queries_calls::calls(conn, &asked)?;
    queries_calls::available(conn, &asked, now, &mut groups)?;
    let today = CallsReport::of(&asked, now, groups, &Names::default()).total;
    let counts = presence::queries::counts(conn)?;
    let free = presence::queries::free_for_a_call(conn, now)?;
    Ok(WallboardOut {
        as_of: now,
        is_open: hours.is_some_and(|hours| hours.is_open(now)),
        calls: WaitingOut::of(&waiting::calls_waiting(conn, now)?, now),
        chats: WaitingOut::of(&waiting::chats_waiting(conn, now)?, now),
        agents: AgentsOut {
            available: counts.map(|counts| counts.0),
            away: counts.map(|counts| counts.1),
            free: free.map(|free| free.len()),
        },
        nobody_since: presence::queries_alarms::of_desk(conn)?.map(|row| row.raised_at.0),
        today,
    })
}

/// The desk at this moment: who waits, who is there, and the service level today. Eight short queries on one snapshot.
#[utoipa::path(get, path = "/api/v1/wallboard", tag = "live",
    responses((status = 200, description = "The desk now", body = WallboardOut)))]
pub async fn wallboard(app: Data<App>, Now(now): Now) -> Result<Json<WallboardOut>> {
    Ok(Json(app.db.snapshot(move |conn| look(conn, now)).await?))
}

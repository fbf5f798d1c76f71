//! Who waits at this moment: two short ranges by time.
use crate::Result;
use crate::chat::model::ChatState;
use crate::db::schema::{calls, chats, clocks};
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::sla::clock::{Metric, Standing};
use crate::tickets::model::{Channel, Direction};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

/// Who waits longer than that is not on the line any more: nobody reported the end.
pub const WAITING_MAX: TimeDelta = TimeDelta::hours(4);

/// Since when callers wait whom nobody has answered, the longest first. One query.
pub fn calls_waiting(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>> {
    let rows: Vec<Option<Time>> = calls::table
        .filter(calls::ended_at.is_null().and(calls::at.gt(Time(now - WAITING_MAX))))
        .filter(calls::direction.eq(Named(Direction::Inbound)).and(calls::rang_at.is_not_null()))
        .filter(calls::answered_at.is_null().and(calls::voicemail_at.is_null()))
        .order(calls::rang_at)
        .select(calls::rang_at)
        .load(conn)?;
    Ok(rows.into_iter().flatten().map(|at| at.0).collect())
}

/// Since when visitors wait whom nobody has picked up, the longest first; who went away, or left a message, does not wait. One query.
pub fn chats_waiting(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>> {
    let rows: Vec<Time> = clocks::table
        .filter(clocks::started_at.gt(Time(now - WAITING_MAX)))
        .filter(clocks::metric.eq(Named(Metric::Pickup)).and(clocks::channel.eq(Named(Channel::Chat))))
        .filter(clocks::standing.eq(Named(Standing::Running)))
        .filter(not(exists(
            chats::table.filter(chats::ticket_id.eq(clocks::ticket_id).and(chats::state.ne(Named(ChatState::Waiting)))),
        )))
        .order(clocks::started_at)
        .select(clocks::started_at)
        .load(conn)?;
    Ok(rows.into_iter().map(|at| at.0).collect())
}

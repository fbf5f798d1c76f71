//! The verbs of the alarm that nobody is there: rung and ended by the loop, acknowledged by a person.
use super::model::Turn;
use super::store_alarms::{self as store, StaffingRow};
use crate::accounts::caller::Agent;
use crate::config::Config;
use crate::db::Conn;
use crate::db::types::Time;
use crate::error::{Error, Result};
use crate::ids::{AlertId, TeamId};
use crate::mail::one_line;
use crate::sla::alerts;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

fn data(row: &StaffingRow) -> Value {
    json!({ "alert_id": row.id, "team_id": row.team_id, "raised_at": row.raised_at.0, "times": row.times })
}

/// Lets alarms have their turns; says how many had one that no other node took first. One letter a manager about all that begin.
pub(super) fn ring(conn: &mut Conn, config: &Config, turns: &[(Option<TeamId>, Turn)], now: DateTime<Utc>) -> Result<usize> {
    if turns.is_empty() {
        return Ok(0);
    }
    let open = store::open(conn)?;
    let (mut done, mut raised) = (0, Vec::new());
    for (team, turn) in turns {
        let rings = open.iter().find(|row| row.team_id == *team);
        let news = match (turn, rings) {
            (Turn::Raise, None) => begin(conn, *team, now)?.map(|row| {
                raised.push(row.team_id);
                (Kind::StaffingAlarm, row)
            }),
            (Turn::Repeat, Some(row)) if store::tell_again(conn, row, now)? => {
                Some((Kind::StaffingAlarm, StaffingRow { times: row.times + 1, ..row.clone() }))
            }
            (Turn::End, Some(row)) if store::end(conn, row.id, now)? => Some((Kind::StaffingRestored, row.clone())),
            _ => None,
        };
        if let Some((kind, row)) = news {
            timeline::tell(conn, kind, Actor::Desk, now, data(&row))?;
            done += 1;
        }
    }
    if config.presence.alarm_mail && !raised.is_empty() {
        write(conn, &raised, now)?;
    }
    Ok(done)
}

fn begin(conn: &mut Conn, team_id: Option<TeamId>, now: DateTime<Utc>) -> Result<Option<StaffingRow>> {
    let row = StaffingRow {
        id: AlertId::new(),
        team_id,
        raised_at: Time(now),
        told_at: Time(now),
        times: 1,
        acknowledged_at: None,
        acknowledged_by: None,
        ended_at: None,
    };
    Ok(store::raise(conn, &row)?.then_some(row))
}

/// One letter about the desk and teams where nobody is.
fn write(conn: &mut Conn, places: &[Option<TeamId>], now: DateTime<Utc>) -> Result<()> {
    let teams: Vec<TeamId> = places.iter().flatten().copied().collect();
    let names = if teams.is_empty() { Default::default() } else { store::names(conn, &teams)? };
    let since = now.format("%-d %B %Y, %H:%M:%S UTC");
    let name = |team: &TeamId| names.get(team).map_or_else(|| "A team".to_owned(), |name| one_line(name));
    let line = |place: &Option<TeamId>| match place {
        None => format!("The desk is open, and since {since} no agent is available."),
        Some(team) => format!("{} is open, and since {since} none of its agents is available.", name(team)),
    };
    let subject = match places {
        [Some(team)] => format!("Nobody of {} is available", name(team)),
        _ => "Nobody is available".to_owned(),
    };
    alerts::commands::tell_managers(conn, &subject, &places.iter().map(line).collect::<Vec<_>>(), now)
}

/// Somebody sees to an alarm, or to the desk's: it is not told again. Three statements.
pub fn acknowledge(conn: &mut Conn, agent: &Agent, id: Option<AlertId>, now: DateTime<Utc>) -> Result<StaffingRow> {
    let id = match id {
        Some(id) => id,
        None => {
            let of_desk = store::open(conn)?.into_iter().find(|row| row.team_id.is_none());
            of_desk.ok_or_else(|| Error::conflict("no_alarm", "there is no alarm to see to"))?.id
        }
    };
    let mut row = store::lock(conn, id)?.ok_or(Error::NotFound("alert"))?;
    if row.ended_at.is_some() {
        return Err(Error::conflict("alert_ended", "the alert is over: there is nothing left to see to"));
    }
    if row.acknowledged_at.is_some() {
        return Err(Error::conflict("already_acknowledged", "somebody sees to it already"));
    }
    store::acknowledge(conn, id, agent.id(), now)?;
    (row.acknowledged_at, row.acknowledged_by) = (Some(Time(now)), Some(agent.id()));
    timeline::tell(conn, Kind::StaffingAcknowledged, Actor::Agent(agent.id()), now, data(&row))?;
    Ok(row)
}

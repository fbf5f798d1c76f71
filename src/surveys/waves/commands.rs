//! The verbs of waves: plan, start, freeze, send a day, stop. Each is one transaction.
use super::model::{self, Drawn, Terms, WaveState};
use super::queries::{self, Since};
use super::store::{self, WaveRow};
use super::wire::WaveOut;
use crate::accounts::caller::Agent;
use crate::audit;
use crate::config::Config;
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, InvitationId, WaveId};
use crate::jobs::{JobKind, queue};
use crate::reports::asked::local_instant;
use crate::seen::Seen;
use crate::surveys::commands::{desk_zone, window};
use crate::surveys::model::{Outcome, SurveyKind, send_at};
use crate::surveys::queries::InvitationRow;
use crate::tickets::model::{Channel, Priority};
use crate::timeline::Actor;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

/// Invitations of one transaction.
const BATCH: i64 = 200;

/// What the audit calls a wave.
const OBJECT: &str = "survey_wave";

fn record(conn: &mut Conn, agent: &Agent, (before, after): (&WaveRow, &WaveRow), now: DateTime<Utc>) -> Result<()> {
    let shown = (&WaveOut::at(before.clone(), now), &WaveOut::at(after.clone(), now));
    audit::changed(conn, Actor::Agent(agent.id()), (OBJECT, after.id.0), shown, now)
}

/// A manager plans a wave.
pub fn plan(conn: &mut Conn, agent: &Agent, row: WaveRow, now: DateTime<Utc>) -> Result<WaveRow> {
    store::insert(conn, &row)?;
    audit::created(conn, Actor::Agent(agent.id()), (OBJECT, row.id.0), &WaveOut::at(row.clone(), now), now)?;
    Ok(row)
}

fn count(number: Option<i32>) -> Option<usize> {
    number.and_then(|number| usize::try_from(number).ok())
}

/// Its terms, with the days that are left of its window at `now`.
fn terms(conn: &mut Conn, wave: &WaveRow, now: DateTime<Utc>) -> Result<Terms> {
    let (from, to) = wave.window()?;
    let today = now.with_timezone(&desk_zone(conn)?).date_naive();
    let days = model::days(from, to, today);
    Ok(Terms { cap_per_organization: count(wave.cap_per_organization), sample_size: count(wave.sample_size), days })
}

/// Whom a wave would ask if it were frozen at `now`, or whom it will ask, where it is being frozen.
pub fn draw(conn: &mut Conn, config: &Config, wave: &WaveRow, now: DateTime<Utc>) -> Result<Vec<Drawn>> {
    let terms = terms(conn, wave, wave.started_at.map_or(now, |at| at.0))?;
    let ago = |days: i64| now - TimeDelta::days(days);
    let since = Since {
        asked: ago(i64::from(config.survey.relationship_throttle_days)),
        active: wave.active_days.map(|days| ago(i64::from(days))),
    };
    let candidates = queries::candidates(conn, &since)?;
    Ok(model::draw(wave.id, &terms, &candidates))
}

/// A manager plans it otherwise, as long as nobody was invited. A sample that was frozen is thrown away: it is started again.
pub fn edit(conn: &mut Conn, agent: &Agent, id: WaveId, seen: Seen, wanted: WaveRow, now: DateTime<Utc>) -> Result<WaveRow> {
    let before = store::lock(conn, id)?;
    seen.check(before.version)?;
    match before.state.0 {
        WaveState::Draft | WaveState::Freezing => {}
        WaveState::Running if !queries::is_anybody_invited(conn, id)? => {}
        WaveState::Running => {
            return Err(Error::conflict("wave_sent", "letters of this wave are on their way: stop it, and plan another one"));
        }
        WaveState::Stopped => return Err(Error::conflict("wave_stopped", "this wave was stopped: plan another one")),
    }
    let WaveRow { name, quarter, from_on, to_on, cap_per_organization, active_days, sample_size, .. } = wanted;
    let terms = WaveRow { name, quarter, from_on, to_on, cap_per_organization, active_days, sample_size, ..before.clone() };
    let is_named = WaveRow { name: before.name.clone(), ..terms.clone() } == before;
    let after =
        if is_named { terms } else { WaveRow { state: Named(WaveState::Draft), started_at: None, frozen_at: None, ..terms } };
    // First the row: whoever freezes it or sends of it at this moment finds another version.
    let after = store::save(conn, after, now)?;
    if !is_named && before.state.0 != WaveState::Draft {
        queue::cancel(conn, id.0)?;
        store::forget_sample(conn, id)?;
    }
    record(conn, agent, (&before, &after), now)?;
    Ok(after)
}

/// Its sample is to be frozen and its letters to go out; where freezing was given up, it is tried again.
pub fn start(conn: &mut Conn, agent: &Agent, id: WaveId, seen: Seen, now: DateTime<Utc>) -> Result<WaveRow> {
    let before = store::find(conn, id)?;
    seen.check(before.version)?;
    match before.state.0 {
        WaveState::Draft => {}
        WaveState::Freezing => {
            queue::release(conn, id.0, now)?;
            return Ok(before);
        }
        WaveState::Running => return Err(Error::conflict("wave_started", "this wave has been started")),
        WaveState::Stopped => return Err(Error::conflict("wave_stopped", "this wave was stopped: plan another one")),
    }
    if terms(conn, &before, now)?.days.is_empty() {
        return Err(Error::conflict("window_over", "no weekday of the window of this wave is left after today"));
    }
    let started = WaveRow { state: Named(WaveState::Freezing), started_at: Some(Time(now)), ..before.clone() };
    let started = store::save(conn, started, now)?;
    queue::enqueue(conn, JobKind::FreezeWave, id.0, now, now)?;
    record(conn, agent, (&before, &started), now)?;
    Ok(started)
}

/// The sample that a wave which is being frozen gets; `None` where there is nothing to freeze.
pub fn to_freeze(conn: &mut Conn, config: &Config, id: WaveId, now: DateTime<Utc>) -> Result<Option<Vec<Drawn>>> {
    let wave = store::find(conn, id)?;
    if wave.state.0 != WaveState::Freezing {
        return Ok(None);
    }
    draw(conn, config, &wave, now).map(Some)
}

/// Keeps the sample, whole or not at all, and plans the first day.
pub fn freeze(conn: &mut Conn, id: WaveId, drawn: &[Drawn], now: DateTime<Utc>) -> Result<()> {
    let wave = store::find(conn, id)?;
    if wave.state.0 != WaveState::Freezing {
        return Ok(());
    }
    // First the row: whoever else freezes or stops it at this moment finds another version.
    store::save(conn, WaveRow { state: Named(WaveState::Running), frozen_at: Some(Time(now)), ..wave }, now)?;
    store::insert_sample(conn, id, drawn)?;
    plan_next(conn, id, now)
}

fn plan_next(conn: &mut Conn, id: WaveId, now: DateTime<Utc>) -> Result<()> {
    match queries::next_day(conn, id)? {
        Some(day) => queue::enqueue(conn, JobKind::SendWave, id.0, model::made_ahead(day).max(now), now),
        None => Ok(()),
    }
}

/// Makes the invitations of the next contacts whose day has come somewhere; says whether there may be more.
pub fn send_next(conn: &mut Conn, config: &Config, id: WaveId, now: DateTime<Utc>) -> Result<bool> {
    let wave = store::lock(conn, id)?;
    if wave.state.0 != WaveState::Running {
        return Ok(false);
    }
    let due = queries::due(conn, id, model::begun(now), BATCH)?;
    if due.is_empty() {
        plan_next(conn, id, now)?;
        return Ok(false);
    }
    let (desk, hours) = (desk_zone(conn)?, window(config)?);
    let mut rows = Vec::with_capacity(due.len());
    for (contact_id, organization_id, send_on, zone) in due {
        let zone = zone.and_then(|zone| zone.parse().ok()).unwrap_or(desk);
        let day = store::date(&send_on.unwrap_or_default())?;
        let second = model::second_of(id, contact_id, (hours.from, hours.to));
        let local = day.and_time(NaiveTime::MIN) + TimeDelta::seconds(i64::from(second));
        let due_at = send_at(local_instant(zone, local), Some(&hours), zone);
        rows.push(InvitationRow {
            id: InvitationId::new(),
            ticket_id: None,
            close_number: 0,
            contact_id,
            closed_at: Time(due_at),
            due_at: Time(due_at),
            outcome: Named(Outcome::Waiting),
            outcome_at: Time(now),
            token_hash: None,
            unsubscribe_hash: None,
            sent_at: None,
            expires_at: None,
            is_answered: false,
            channel: Named(Channel::Email),
            priority: Named(Priority::Normal),
            team_id: None,
            assignee_id: None,
            organization_id,
            agent_ids: Json::of(&Vec::<AgentId>::new())?,
            kind: Named(SurveyKind::Relationship),
            wave_id: Some(id),
        });
    }
    let jobs: Vec<_> = rows.iter().map(|row| (row.id.0, row.due_at.0)).collect();
    crate::surveys::commands::invite_wave(conn, &rows)?;
    queue::enqueue_each(conn, JobKind::SendSurvey, &jobs, now)?;
    Ok(true)
}

/// Nothing more goes out: letters that are on their way find this out before they are sent.
pub fn stop(conn: &mut Conn, agent: &Agent, id: WaveId, seen: Seen, now: DateTime<Utc>) -> Result<WaveRow> {
    let before = store::find(conn, id)?;
    seen.check(before.version)?;
    if before.state.0 == WaveState::Stopped {
        return Ok(before);
    }
    let stopped = WaveRow { state: Named(WaveState::Stopped), stopped_at: Some(Time(now)), ..before.clone() };
    let stopped = store::save(conn, stopped, now)?;
    queue::cancel(conn, id.0)?;
    record(conn, agent, (&before, &stopped), now)?;
    Ok(stopped)
}

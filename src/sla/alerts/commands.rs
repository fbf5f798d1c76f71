//! The verbs of alerts: raised and ended with their clocks, climbing, acknowledged.
use super::letter::{self, Item};
use super::store::{self, About, AlertRow, LetterRow, LetterState};
use crate::accounts::caller::Agent;
use crate::accounts::rights::Role;
use crate::calendar;
use crate::config::Config;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, Result};
use crate::ids::{AgentId, AlertId, AlertLetterId, ClockId, TeamId, TicketId};
use crate::jobs::{JobKind, queue};
use crate::presence::commands_alarms as alarms;
use crate::sla::clock::Metric;
use crate::sla::explain::Version;
use crate::sla::ladder::{Case, EndReason, Level, People, Turn};
use crate::sla::{self, ClockRow};
use crate::tickets::model::Status;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Alerts that climb in one transaction at the most.
const BATCH: i64 = 200;
/// What fell due longer ago is history: an import of old tickets calls nobody.
const STALE: TimeDelta = TimeDelta::days(7);

/// What became of a clock, as alerts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A warning or a breach was written.
    Raised {
        /// Whose.
        ticket: TicketId,
        /// Of which clock.
        clock: ClockId,
        /// What it measures.
        metric: Metric,
        /// Which of the two.
        level: Level,
        /// Its instant.
        at: DateTime<Utc>,
        /// When it was written.
        written_at: DateTime<Utc>,
    },
    /// The clock was reached, or moved away from its end.
    Stopped {
        /// Which clock.
        clock: ClockId,
        /// Why.
        reason: EndReason,
        /// When it was written.
        written_at: DateTime<Utc>,
    },
}

/// Raises and ends alerts. Nothing where there is no news; else up to five statements, however many clocks.
pub fn follow(conn: &mut Conn, news: &[News]) -> Result<()> {
    let (mut stopped, mut broken, mut now) = (BTreeMap::<EndReason, Vec<ClockId>>::new(), HashSet::new(), None);
    for one in news {
        match *one {
            News::Stopped { clock, reason, written_at } => {
                stopped.entry(reason).or_default().push(clock);
                now = now.max(Some(written_at));
            }
            News::Raised { clock, level, written_at, .. } => {
                if level == Level::Breach {
                    broken.insert(clock);
                }
                now = now.max(Some(written_at));
            }
        }
    }
    let Some(now) = now else { return Ok(()) };
    let is_over = |clock: &ClockId| stopped.values().any(|clocks| clocks.contains(clock));
    let rows: Vec<AlertRow> = news
        .iter()
        .filter_map(|one| match *one {
            News::Raised { ticket, clock, metric, level, at, written_at } => {
                let is_told =
                    !is_over(&clock) && (level == Level::Breach || !broken.contains(&clock)) && written_at - at <= STALE;
                is_told.then(|| raised(ticket, clock, metric, level, at, written_at))
            }
            News::Stopped { .. } => None,
        })
        .collect();
    for (reason, clocks) in &stopped {
        store::end(conn, clocks, None, *reason, now)?;
    }
    if !broken.is_empty() {
        let clocks: Vec<ClockId> = broken.into_iter().collect();
        store::end(conn, &clocks, Some(Level::Warning), EndReason::Breached, now)?;
    }
    if rows.is_empty() {
        return Ok(());
    }
    store::insert(conn, &rows)?;
    queue::enqueue(conn, JobKind::ClimbAlerts, Uuid::nil(), now, now)
}

fn raised(
    ticket_id: TicketId,
    clock_id: ClockId,
    metric: Metric,
    level: Level,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> AlertRow {
    AlertRow {
        id: AlertId::new(),
        ticket_id,
        clock_id,
        metric: Named(metric),
        level: Named(level),
        raised_at: Time(at),
        step: 0,
        next_at: Some(Time(now)),
        told_at: None,
        acknowledged_at: None,
        acknowledged_by: None,
        ended_at: None,
        end_reason: None,
    }
}

/// The staff, as far as alerts can reach it.
struct Staff {
    emails: HashMap<AgentId, String>,
    managers: Vec<AgentId>,
    teams: HashMap<TeamId, Vec<AgentId>>,
}

impl Staff {
    /// Everybody whom one of these tickets can reach. Two queries.
    fn of(conn: &mut Conn, tickets: &HashMap<TicketId, About>) -> Result<Self> {
        let teams: BTreeSet<TeamId> = tickets.values().filter_map(|about| about.5).collect();
        let pairs = store::members(conn, &teams.into_iter().collect::<Vec<_>>())?;
        let mut ids: BTreeSet<AgentId> = tickets.values().filter_map(|about| about.6).collect();
        ids.extend(pairs.iter().map(|(_, agent)| *agent));
        let people = store::people(conn, &ids.into_iter().collect::<Vec<_>>())?;
        let with = |role: Role| people.iter().filter(|one| one.1.0 == role).map(|one| one.0).collect::<Vec<_>>();
        let managers = Some(with(Role::Manager)).filter(|list| !list.is_empty()).unwrap_or_else(|| with(Role::Admin));
        let emails: HashMap<AgentId, String> = people.into_iter().map(|(id, _, email)| (id, email)).collect();
        let mut teams: HashMap<TeamId, Vec<AgentId>> = HashMap::new();
        for (team, agent) in pairs.into_iter().filter(|(_, agent)| emails.contains_key(agent)) {
            teams.entry(team).or_default().push(agent);
        }
        Ok(Self { emails, managers, teams })
    }

    /// The managers with their addresses.
    fn to_managers(&self) -> impl Iterator<Item = (AgentId, String)> {
        self.managers.iter().filter_map(|id| Some((*id, self.emails.get(id)?.clone())))
    }

    fn around(&self, team: Option<TeamId>, assignee: Option<AgentId>) -> People {
        People {
            assignee: assignee.filter(|id| self.emails.contains_key(id)),
            team: team.and_then(|id| self.teams.get(&id)).cloned().unwrap_or_default(),
            managers: self.managers.clone(),
        }
    }
}

/// Takes the due steps of at most 200 alerts: one letter a person about all of theirs. False where nothing is due; then the
/// next look is queued.
pub fn climb(conn: &mut Conn, config: &Config, now: DateTime<Utc>) -> Result<bool> {
    let rows = store::due(conn, now, BATCH)?;
    if rows.is_empty() {
        if let Some(at) = store::next_due(conn)? {
            queue::ensure(conn, JobKind::ClimbAlerts, Uuid::nil(), at, now)?;
        }
        return Ok(false);
    }
    let ids: Vec<TicketId> = rows.iter().map(|row| row.ticket_id).collect::<BTreeSet<_>>().into_iter().collect();
    let tickets: HashMap<TicketId, About> = store::about(conn, &ids)?.into_iter().map(|about| (about.0, about)).collect();
    let clocks: HashMap<ClockId, ClockRow> = sla::of_tickets(conn, &ids)?.into_iter().map(|row| (row.id, row)).collect();
    let named = rows.iter().filter_map(|row| clocks.get(&row.clock_id));
    let versions: BTreeSet<Version> = named.map(|row| (row.calendar_id, row.calendar_version)).collect();
    let hours = calendar::find_versions(conn, &versions)?;
    let staff = Staff::of(conn, &tickets)?;
    let ladder = config.alerts.ladder();
    let mut letters: BTreeMap<AgentId, Vec<Item>> = BTreeMap::new();
    for before in &rows {
        let (clock, about) = (clocks.get(&before.clock_id), tickets.get(&before.ticket_id));
        let laid = clock.and_then(|clock| hours.get(&(clock.calendar_id, clock.calendar_version)));
        let (Some(row), Some(about), Some(hours)) = (clock, about, laid) else {
            return Err(Error::internal(format!("alert {} has lost its clock", before.id)));
        };
        let (level, clock) = (before.level.0, row.clock());
        let is_closed = about.3.0 == Status::Closed;
        let case = Case { level, clock: &clock, hours, priority: about.4.0, is_closed };
        let mut after = before.clone();
        let mut told = BTreeSet::new();
        match ladder.turn(&case, now) {
            Turn::End(reason) => {
                (after.ended_at, after.end_reason, after.next_at) = (Some(Time(now)), Some(Named(reason)), None);
            }
            _ if !config.alerts.is_mailed(before.metric.0) => after.next_at = None,
            Turn::Hold(at) => after.next_at = Some(Time(at)),
            Turn::Tell => {
                told = ladder.audience(level, before.step, &staff.around(about.5, about.6));
                after.step += 1;
                after.told_at = Some(Time(now));
                after.next_at = ladder.next_at(level, before.step, now).map(Time);
            }
        }
        if !store::save(conn, before, &after)? || told.is_empty() {
            continue;
        }
        let data =
            json!({ "alert_id": before.id, "metric": before.metric.0, "level": level, "step": after.step, "agent_ids": told });
        timeline::record(conn, before.ticket_id, Kind::AlertTold, Actor::Desk, now, data)?;
        let item = Item {
            ticket_number: about.1,
            ticket_subject: about.2.clone(),
            metric: before.metric.0,
            level,
            due_at: clock.breached_at.or(clock.due_at),
        };
        for agent in told {
            letters.entry(agent).or_default().push(item.clone());
        }
    }
    queue_letters(conn, config, &staff, letters, now)?;
    Ok(true)
}

/// Writes to the managers, or where there is none to the admins, of what is no ticket's. Three statements.
pub fn tell_managers(conn: &mut Conn, subject: &str, lines: &[String], now: DateTime<Utc>) -> Result<()> {
    let html: Vec<String> = lines.iter().map(|line| format!("<p>{}</p>", letter::escaped(line))).collect();
    let rows: Vec<LetterRow> = Staff::of(conn, &HashMap::new())?
        .to_managers()
        .map(|(agent_id, recipient)| LetterRow {
            id: AlertLetterId::new(),
            agent_id,
            recipient,
            subject: subject.to_owned(),
            text_body: format!("{}\n", lines.join("\n")),
            html_body: format!("<!doctype html>{}", html.concat()),
            state: Named(LetterState::Queued),
            attempts: 0,
            last_error: None,
            created_at: Time(now),
            sent_at: None,
        })
        .collect();
    if !rows.is_empty() {
        store::insert_letters(conn, &rows)?;
    }
    rows.iter().try_for_each(|row| queue::enqueue(conn, JobKind::SendAlert, row.id.0, now, now))
}

fn queue_letters(
    conn: &mut Conn,
    config: &Config,
    staff: &Staff,
    letters: BTreeMap<AgentId, Vec<Item>>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut rows = Vec::with_capacity(letters.len());
    for (agent_id, items) in letters {
        let Some(recipient) = staff.emails.get(&agent_id).cloned() else { continue };
        let (subject, text_body, html_body) =
            letter::write(&config.company.name, &items).map_err(|error| Error::internal(format!("template: {error}")))?;
        rows.push(LetterRow {
            id: AlertLetterId::new(),
            agent_id,
            recipient,
            subject,
            text_body,
            html_body,
            state: Named(LetterState::Queued),
            attempts: 0,
            last_error: None,
            created_at: Time(now),
            sent_at: None,
        });
    }
    if rows.is_empty() {
        return Ok(());
    }
    store::insert_letters(conn, &rows)?;
    for row in &rows {
        queue::enqueue(conn, JobKind::SendAlert, row.id.0, now, now)?;
    }
    Ok(())
}

/// Somebody sees to it: it is not told again. Three statements.
pub fn acknowledge(conn: &mut Conn, agent: &Agent, id: AlertId, now: DateTime<Utc>) -> Result<()> {
    let Some(row) = store::find(conn, id)? else {
        // It may be one that nobody is there.
        return alarms::acknowledge(conn, agent, Some(id), now).map(|_| ());
    };
    if row.ended_at.is_some() {
        return Err(Error::conflict("alert_ended", "the alert is over: there is nothing left to see to"));
    }
    if row.acknowledged_at.is_some() {
        return Err(Error::conflict("already_acknowledged", "somebody sees to it already"));
    }
    store::acknowledge(conn, id, agent.id(), now)?;
    let data = json!({ "alert_id": id, "metric": row.metric.0, "level": row.level.0 });
    timeline::record(conn, row.ticket_id, Kind::AlertAcknowledged, Actor::Agent(agent.id()), now, data)
}

/// The letter of a job, where it still waits to be sent.
pub fn letter_to_send(conn: &mut Conn, id: AlertLetterId) -> Result<Option<LetterRow>> {
    Ok(store::letter(conn, id)?.filter(|row| row.state.0 == LetterState::Queued))
}

/// How a try to send a letter ended.
pub fn letter_tried(conn: &mut Conn, id: AlertLetterId, error: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    store::tried(conn, id, error, now)
}

/// A person releases a letter that was given up: it is tried again at once.
pub fn release_letter(conn: &mut Conn, id: AlertLetterId, now: DateTime<Utc>) -> Result<LetterRow> {
    let missing = || Error::NotFound("alert letter");
    if store::letter(conn, id)?.ok_or_else(missing)?.state.0 != LetterState::Parked {
        return Err(Error::conflict("not_parked", "only a parked letter can be released"));
    }
    store::queue_again(conn, id)?;
    queue::release(conn, id.0, now)?;
    store::letter(conn, id)?.ok_or_else(missing)
}

/// A letter was given up.
pub fn letter_parked(conn: &mut Conn, id: Uuid, error: &str) -> Result<()> {
    store::park(conn, AlertLetterId(id), error)
}

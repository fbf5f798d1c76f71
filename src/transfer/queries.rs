//! Lists of imports and of what they refused, and the pages of an export: each a few queries, however many rows.
use super::TransferKind;
use super::lines::{ContactLine, Entry, OrganizationLine, TicketLine, What};
pub use super::store::{ErrorRow, ImportRow, find};
use crate::db::{
    Conn,
    schema::{
        agents, clocks, contact_emails, contact_phones, contacts, events, import_errors, import_keys, imports, messages,
        organizations, teams, ticket_tags, tickets,
    },
    types::{Json, Named, Time},
};
use crate::error::Result;
use crate::ids::{AgentId, ContactId, ImportId, MessageId, OrganizationId, TeamId, TicketId};
use crate::sla::clock::{Metric, Standing};
use crate::tickets::model::{Channel, Direction, Priority};
use crate::timeline::{self, ActorId};
use diesel::prelude::*;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Rows of one page of an export.
const PAGE: i64 = 100;

/// A page, newest first. One query.
pub fn list(conn: &mut Conn, before: Option<ImportId>, limit: i64) -> Result<Vec<ImportRow>> {
    let mut query = imports::table.select(ImportRow::as_select()).order(imports::id.desc()).limit(limit).into_boxed();
    if let Some(before) = before {
        query = query.filter(imports::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// A page of what was refused, by line. One query.
pub fn errors(conn: &mut Conn, id: ImportId, after: Option<(i32, i32)>, limit: i64) -> Result<Vec<ErrorRow>> {
    use import_errors as e;
    let mut query =
        e::table.filter(e::import_id.eq(id)).order((e::line, e::number)).limit(limit).select(ErrorRow::as_select()).into_boxed();
    if let Some((line, number)) = after {
        query = query.filter(e::line.gt(line).or(e::line.eq(line).and(e::number.gt(number))));
    }
    Ok(query.load(conn)?)
}

/// The names under which things came, for a page of an export. One query.
pub fn names(conn: &mut Conn, kind: TransferKind, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let ids: Vec<ActorId> = ids.iter().copied().map(ActorId).collect();
    let rows: Vec<(ActorId, String)> = import_keys::table
        .filter(import_keys::kind.eq(kind.as_str()).and(import_keys::object_id.eq_any(ids)))
        .select((import_keys::object_id, import_keys::external_id))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, name)| (id.0, name)).collect())
}

/// Where the next page of an export starts: behind this id, or this number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct After {
    id: Option<Uuid>,
    number: i64,
}

/// A page of lines, and where the next one starts; none after the last.
pub type Lines = (Vec<Value>, Option<After>);

fn next<T>(rows: &[T], after: impl Fn(&T) -> After) -> Option<After> {
    (rows.len() as i64 == PAGE).then(|| rows.last().map(after)).flatten()
}

fn values(lines: Vec<impl serde::Serialize>) -> Result<Vec<Value>> {
    lines.into_iter().map(|line| Ok(serde_json::to_value(line)?)).collect()
}

/// What things are called elsewhere; their id here where they came from nowhere.
struct Names(HashMap<Uuid, String>);

impl Names {
    fn of(conn: &mut Conn, kind: TransferKind, ids: impl Iterator<Item = Uuid>) -> Result<Self> {
        let ids: Vec<Uuid> = ids.collect();
        Ok(Self(names(conn, kind, &ids)?.into_iter().collect()))
    }

    fn get(&self, id: Uuid) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// The next page of an export.
pub fn page(conn: &mut Conn, kind: TransferKind, after: After) -> Result<Lines> {
    match kind {
        TransferKind::Organizations => organization_lines(conn, after),
        TransferKind::Contacts => contact_lines(conn, after),
        TransferKind::Tickets => ticket_lines(conn, after),
    }
}

fn organization_lines(conn: &mut Conn, after: After) -> Result<Lines> {
    use organizations as o;
    let mut query = o::table.order(o::id).limit(PAGE).select((o::id, o::name, o::account)).into_boxed();
    if let Some(id) = after.id {
        query = query.filter(o::id.gt(OrganizationId(id)));
    }
    let rows: Vec<(OrganizationId, String, Option<String>)> = query.load(conn)?;
    let names = Names::of(conn, TransferKind::Organizations, rows.iter().map(|row| row.0.0))?;
    let next = next(&rows, |row| After { id: Some(row.0.0), number: 0 });
    let line = |(id, name, account): (OrganizationId, _, _)| OrganizationLine { external_id: names.get(id.0), name, account };
    Ok((values(rows.into_iter().map(line).collect())?, next))
}

fn contact_lines(conn: &mut Conn, after: After) -> Result<Lines> {
    use contacts as c;
    type Row = (ContactId, Option<OrganizationId>, String, Option<String>, String, Option<Time>);
    let columns = (c::id, c::organization_id, c::name, c::time_zone, c::language, c::surveys_stopped_at);
    let mut query = c::table.order(c::id).limit(PAGE).select(columns).into_boxed();
    if let Some(id) = after.id {
        query = query.filter(c::id.gt(ContactId(id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let ids: Vec<ContactId> = rows.iter().map(|row| row.0).collect();
    let emails: Vec<(ContactId, String)> = contact_emails::table
        .filter(contact_emails::contact_id.eq_any(&ids))
        .order((contact_emails::contact_id, contact_emails::position))
        .select((contact_emails::contact_id, contact_emails::address))
        .load(conn)?;
    let phones: Vec<(ContactId, String)> = contact_phones::table
        .filter(contact_phones::contact_id.eq_any(&ids))
        .order((contact_phones::contact_id, contact_phones::position))
        .select((contact_phones::contact_id, contact_phones::number))
        .load(conn)?;
    let (mut emails, mut phones) = (grouped(emails), grouped(phones));
    let own = Names::of(conn, TransferKind::Contacts, ids.iter().map(|id| id.0))?;
    let organizations = Names::of(conn, TransferKind::Organizations, rows.iter().filter_map(|row| row.1).map(|id| id.0))?;
    let next = next(&rows, |row| After { id: Some(row.0.0), number: 0 });
    let line = |(id, organization_id, name, time_zone, language, stopped): Row| ContactLine {
        external_id: own.get(id.0),
        organization: organization_id.map(|id| organizations.get(id.0)),
        name,
        emails: emails.remove(&id).unwrap_or_default(),
        phones: phones.remove(&id).unwrap_or_default(),
        time_zone: time_zone.and_then(|zone| zone.parse().ok()),
        language,
        surveys_stopped: stopped.is_some(),
    };
    Ok((values(rows.into_iter().map(line).collect())?, next))
}

fn grouped<K: std::hash::Hash + Eq, V>(pairs: Vec<(K, V)>) -> HashMap<K, Vec<V>> {
    let mut lists: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in pairs {
        lists.entry(key).or_default().push(value);
    }
    lists
}

/// A ticket's own columns.
#[derive(Queryable, Selectable)]
#[diesel(table_name = tickets)]
struct TicketRow {
    number: i64,
    id: TicketId,
    channel: Named<Channel>,
    direction: Named<Direction>,
    subject: String,
    priority: Named<Priority>,
    contact_id: ContactId,
    organization_id: Option<OrganizationId>,
    team_id: Option<TeamId>,
    assignee_id: Option<AgentId>,
    received_at: Time,
}

type EventRow = (TicketId, Named<timeline::Kind>, String, Option<ActorId>, Time, Json);
type MessageRow = (TicketId, MessageId, String, Option<String>, Option<Time>);

/// Kinds of events that are a ticket's history in a file.
const KINDS: [timeline::Kind; 7] = [
    timeline::Kind::ContactWrote,
    timeline::Kind::AgentReplied,
    timeline::Kind::NoteAdded,
    timeline::Kind::PickedUp,
    timeline::Kind::TicketChanged,
    timeline::Kind::TicketClosed,
    timeline::Kind::TicketReopened,
];

/// Tickets with tags, messages, events; then the names of what they mention. Ten queries.
fn ticket_lines(conn: &mut Conn, after: After) -> Result<Lines> {
    let rows: Vec<TicketRow> = tickets::table
        .filter(tickets::number.gt(after.number))
        .order(tickets::number)
        .limit(PAGE)
        .select(TicketRow::as_select())
        .load(conn)?;
    let ids: Vec<TicketId> = rows.iter().map(|row| row.id).collect();
    let tags: Vec<(TicketId, String)> = ticket_tags::table
        .filter(ticket_tags::ticket_id.eq_any(&ids))
        .order((ticket_tags::ticket_id, ticket_tags::tag))
        .select((ticket_tags::ticket_id, ticket_tags::tag))
        .load(conn)?;
    let said: Vec<MessageRow> = messages::table
        .filter(messages::ticket_id.eq_any(&ids))
        .order((messages::ticket_id, messages::at, messages::id))
        .select((messages::ticket_id, messages::id, messages::body, messages::mail_message_id, messages::undone_at))
        .load(conn)?;
    let done: Vec<EventRow> = events::table
        .filter(events::ticket_id.eq_any(&ids).and(events::kind.eq_any(KINDS.map(Named))))
        .order((events::ticket_id, events::id))
        .select((events::ticket_id.assume_not_null(), events::kind, events::actor, events::actor_id, events::at, events::data))
        .load(conn)?;
    let by_hand: Vec<TicketId> = clocks::table
        .filter(clocks::ticket_id.eq_any(&ids).and(clocks::metric.eq(Named(Metric::Pickup))))
        .filter(clocks::standing.eq(Named(Standing::NotMeasured)))
        .select(clocks::ticket_id)
        .load(conn)?;
    let mut agent_ids: Vec<AgentId> = done.iter().filter_map(worker).collect();
    agent_ids.extend(rows.iter().filter_map(|row| row.assignee_id));
    agent_ids.sort_unstable();
    agent_ids.dedup();
    let people: HashMap<AgentId, String> =
        agents::table.filter(agents::id.eq_any(agent_ids)).select((agents::id, agents::email)).load(conn)?.into_iter().collect();
    let team_ids: Vec<TeamId> = rows.iter().filter_map(|row| row.team_id).collect();
    let groups: HashMap<TeamId, String> =
        teams::table.filter(teams::id.eq_any(team_ids)).select((teams::id, teams::name)).load(conn)?.into_iter().collect();
    let own = Names::of(conn, TransferKind::Tickets, ids.iter().map(|id| id.0))?;
    let contacts = Names::of(conn, TransferKind::Contacts, rows.iter().map(|row| row.contact_id.0))?;
    let organizations =
        Names::of(conn, TransferKind::Organizations, rows.iter().filter_map(|row| row.organization_id).map(|id| id.0))?;

    let mut tags = grouped(tags);
    let mut said = grouped(said.into_iter().map(|row| (row.0, row)).collect());
    let mut done = grouped(done.into_iter().map(|row| (row.0, row)).collect());
    let next = next(&rows, |row| After { id: None, number: row.number });
    let lines = rows.into_iter().map(|row| {
        let said = said.remove(&row.id).unwrap_or_default();
        let (opening, history) = history(said, done.remove(&row.id).unwrap_or_default(), &people);
        let (body, mail_message_id) = opening.map_or((None, None), |(body, id)| (Some(body), id));
        TicketLine {
            external_id: own.get(row.id.0),
            contact: Some(contacts.get(row.contact_id.0)),
            email: None,
            phone: None,
            name: None,
            organization: row.organization_id.map(|id| organizations.get(id.0)),
            channel: row.channel.0,
            direction: row.direction.0,
            subject: row.subject,
            priority: row.priority.0,
            team: row.team_id.and_then(|id| groups.get(&id).cloned()),
            assignee: row.assignee_id.and_then(|id| people.get(&id).cloned()),
            tags: tags.remove(&row.id).unwrap_or_default(),
            received_at: row.received_at.0,
            entered_by_hand: by_hand.contains(&row.id),
            body,
            mail_message_id,
            history,
        }
    });
    Ok((values(lines.collect())?, next))
}

/// Whose work an event is: the agent's who acted, or whom it names, as where the visitor of a chat ended it.
fn worker((_, kind, actor, actor_id, _, data): &EventRow) -> Option<AgentId> {
    match (kind.0, actor.as_str()) {
        (_, "agent") => actor_id.map(|id| AgentId(id.0)),
        (timeline::Kind::TicketClosed, _) => data.0.get("agent_id").and_then(Value::as_str).and_then(|id| id.parse().ok()),
        _ => None,
    }
}

type Opening = (String, Option<String>);

/// What the contact wrote first, and what happened then, from messages and events.
fn history(said: Vec<MessageRow>, done: Vec<EventRow>, people: &HashMap<AgentId, String>) -> (Option<Opening>, Vec<Entry>) {
    let mut order: Vec<MessageId> = said.iter().map(|row| row.1).collect();
    let undone: HashSet<MessageId> = said.iter().filter(|row| row.4.is_some()).map(|row| row.1).collect();
    let mut texts: HashMap<MessageId, Opening> =
        said.into_iter().map(|(_, id, body, mail_id, _)| (id, (body, mail_id))).collect();
    let mut history = Vec::new();
    for row in done {
        let agent = worker(&row).and_then(|id| people.get(&id).cloned());
        let (_, kind, _, _, at, data) = row;
        let id: Option<MessageId> = data.0.get("message_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let is_undone = id.is_some_and(|id| undone.contains(&id));
        let text = id.and_then(|id| {
            order.retain(|known| *known != id);
            texts.remove(&id)
        });
        let status = data.0.get("status").and_then(|status| status.get("after")).cloned();
        let status = status.and_then(|status| serde_json::from_value(status).ok());
        let what = match (kind.0, &agent) {
            (timeline::Kind::ContactWrote, _) => What::ContactWrote,
            // One that was taken back reached nobody.
            (timeline::Kind::AgentReplied, Some(_)) if is_undone => What::Noted,
            (timeline::Kind::AgentReplied, Some(_)) => What::Replied,
            (timeline::Kind::NoteAdded, Some(_)) => What::Noted,
            (timeline::Kind::PickedUp, Some(_)) => What::PickedUp,
            (timeline::Kind::TicketChanged, Some(_)) if status.is_some() => What::StatusSet,
            (timeline::Kind::TicketClosed, Some(_)) => What::Closed,
            (timeline::Kind::TicketReopened, Some(_)) => What::Reopened,
            _ => continue,
        };
        let (body, mail_message_id) = text.map_or((None, None), |(body, id)| (Some(body), id));
        history.push(Entry {
            at: at.0,
            what,
            agent: agent.filter(|_| what != What::ContactWrote),
            body,
            status: status.filter(|_| what == What::StatusSet),
            mail_message_id,
        });
    }
    let opening = order.first().and_then(|id| texts.remove(id));
    (opening, history)
}

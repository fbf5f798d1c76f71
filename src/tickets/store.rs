//! Ticket, tag and message rows: load and save one ticket.
use super::model::{Channel, Direction, Priority, Status, Ticket};
use super::tags::TagList;
use crate::db::{
    Conn,
    ext::update,
    schema::{agents, contact_emails, messages, teams, ticket_tags, tickets},
    types::{Json, Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{AgentId, ContactId, MessageId, OrganizationId, TeamId, TicketId};
use crate::sla::model::Summary;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A ticket as stored, without the caches of its promises.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = tickets)]
pub(super) struct TicketRow {
    number: i64,
    id: TicketId,
    subject: String,
    channel: Named<Channel>,
    direction: Named<Direction>,
    status: Named<Status>,
    priority: Named<Priority>,
    contact_id: ContactId,
    organization_id: Option<OrganizationId>,
    team_id: Option<TeamId>,
    assignee_id: Option<AgentId>,
    follows_id: Option<TicketId>,
    received_at: Time,
    created_at: Time,
    updated_at: Time,
    picked_up_at: Option<Time>,
    closed_at: Option<Time>,
    close_count: i32,
    version: i32,
    relations: i32,
    merged_into_id: Option<TicketId>,
    fields: Option<Json>,
    tags: TagList,
}

impl From<TicketRow> for Ticket {
    fn from(row: TicketRow) -> Self {
        let TicketRow {
            number,
            id,
            subject,
            channel,
            direction,
            status,
            priority,
            contact_id,
            organization_id,
            team_id,
            assignee_id,
            follows_id,
            received_at,
            created_at,
            updated_at,
            picked_up_at,
            closed_at,
            close_count,
            version,
            relations,
            merged_into_id,
            fields,
            tags,
        } = row;
        Self {
            id,
            number,
            subject,
            channel: channel.0,
            direction: direction.0,
            status: status.0,
            priority: priority.0,
            contact_id,
            organization_id,
            team_id,
            assignee_id,
            follows_id,
            received_at: received_at.0,
            created_at: created_at.0,
            updated_at: updated_at.0,
            picked_up_at: picked_up_at.map(|at| at.0),
            closed_at: closed_at.map(|at| at.0),
            close_count,
            version,
            relations,
            merged_into_id,
            fields: fields.and_then(|Json(mut values)| values.as_object_mut().map(std::mem::take)).unwrap_or_default(),
            tags: tags.0,
        }
    }
}

names! {
    /// What a message is.
    pub enum MessageKind {
        /// From the contact.
        Inbound = "inbound",
        /// To the contact, by an agent.
        Reply = "reply",
        /// For the staff alone.
        Note = "note",
        /// Written by a machine, on either side.
        Automatic = "automatic",
    }
}

/// A message as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct MessageRow {
    pub id: MessageId,
    pub ticket_id: TicketId,
    pub kind: Named<MessageKind>,
    pub agent_id: Option<AgentId>,
    pub contact_id: Option<ContactId>,
    pub body: String,
    pub mail_message_id: Option<String>,
    pub at: Time,
}

/// Loads a ticket to change it; on PostgreSQL its row is locked until the commit. One query.
pub(super) fn load(conn: &mut Conn, id: TicketId) -> Result<Ticket> {
    let row: Option<TicketRow> = match conn {
        Conn::Pg(conn) => {
            tickets::table.filter(tickets::id.eq(id)).select(TicketRow::as_select()).for_update().first(conn).optional()?
        }
        Conn::Sqlite(conn) => tickets::table.filter(tickets::id.eq(id)).select(TicketRow::as_select()).first(conn).optional()?,
    };
    row.map(Ticket::from).ok_or(Error::NotFound("ticket"))
}

/// Locks many tickets in one order, so that two nodes cannot wait for each other. No-op on SQLite.
pub(super) fn lock(conn: &mut Conn, ids: &[TicketId]) -> Result<()> {
    if let Conn::Pg(conn) = conn {
        tickets::table
            .filter(tickets::id.eq_any(ids))
            .order(tickets::id)
            .select(tickets::number)
            .for_update()
            .load::<i64>(conn)?;
    }
    Ok(())
}

/// Writes a new ticket with its tags and gives it its number.
pub(super) fn insert(conn: &mut Conn, ticket: &mut Ticket, promises: &Summary) -> Result<()> {
    let t = &*ticket;
    ticket.number = each!(conn, conn => diesel::insert_into(tickets::table)
        .values((
            tickets::id.eq(t.id),
            tickets::subject.eq(&t.subject),
            tickets::channel.eq(Named(t.channel)),
            tickets::direction.eq(Named(t.direction)),
            tickets::status.eq(Named(t.status)),
            tickets::priority.eq(Named(t.priority)),
            tickets::contact_id.eq(t.contact_id),
            tickets::organization_id.eq(t.organization_id),
            tickets::team_id.eq(t.team_id),
            tickets::assignee_id.eq(t.assignee_id),
            tickets::follows_id.eq(t.follows_id),
            tickets::received_at.eq(Time(t.received_at)),
            tickets::created_at.eq(Time(t.created_at)),
            tickets::updated_at.eq(Time(t.updated_at)),
            tickets::close_count.eq(t.close_count),
            tickets::version.eq(t.version),
            tickets::promise_due_at.eq(Time(promises.due_at)),
            tickets::promise_warn_at.eq(Time(promises.warn_at)),
            tickets::promises_breached.eq(promises.breached),
            tickets::promises_met.eq(promises.met),
            tickets::tags.eq(serde_json::to_string(&t.tags)?),
        ))
        .returning(tickets::number)
        .get_result(conn))?;
    insert_tags(conn, ticket.id, &ticket.tags)
}

/// Saves a changed ticket as its next version; the one that was loaded must still be there.
pub(super) fn save(conn: &mut Conn, ticket: &mut Ticket, promises: &Summary) -> Result<()> {
    let before = ticket.version;
    ticket.version += 1;
    let t = &*ticket;
    let time = |at: Option<DateTime<Utc>>| at.map(Time);
    let loaded = tickets::id.eq(t.id).and(tickets::version.eq(before));
    let values = (
        tickets::subject.eq(&t.subject),
        tickets::status.eq(Named(t.status)),
        tickets::priority.eq(Named(t.priority)),
        tickets::team_id.eq(t.team_id),
        tickets::assignee_id.eq(t.assignee_id),
        tickets::updated_at.eq(Time(t.updated_at)),
        tickets::picked_up_at.eq(time(t.picked_up_at)),
        tickets::closed_at.eq(time(t.closed_at)),
        tickets::close_count.eq(t.close_count),
        tickets::version.eq(t.version),
        tickets::promise_due_at.eq(Time(promises.due_at)),
        tickets::promise_warn_at.eq(Time(promises.warn_at)),
        tickets::promises_breached.eq(promises.breached),
        tickets::promises_met.eq(promises.met),
    );
    let changed = each!(conn, conn => update(tickets::table, loaded, values).execute(conn))?;
    if changed == 0 { Err(Error::Stale { current: before + 1 }) } else { Ok(()) }
}

/// Repeats the promises on the ticket's row without a new version: the alarm changes nothing that people edit.
pub(super) fn save_promises(conn: &mut Conn, id: TicketId, promises: &Summary) -> Result<()> {
    let values = (
        tickets::promise_due_at.eq(Time(promises.due_at)),
        tickets::promise_warn_at.eq(Time(promises.warn_at)),
        tickets::promises_breached.eq(promises.breached),
        tickets::promises_met.eq(promises.met),
    );
    each!(conn, conn => update(tickets::table, tickets::id.eq(id), values).execute(conn))?;
    Ok(())
}

/// Replaces the tags of a ticket; gives those it had. Three statements.
pub(super) fn set_tags(conn: &mut Conn, ticket: &mut Ticket, tags: Vec<String>) -> Result<Vec<String>> {
    diesel::delete(ticket_tags::table.filter(ticket_tags::ticket_id.eq(ticket.id))).execute(conn)?;
    insert_tags(conn, ticket.id, &tags)?;
    let all = serde_json::to_string(&tags)?;
    diesel::update(tickets::table.filter(tickets::id.eq(ticket.id))).set(tickets::tags.eq(all)).execute(conn)?;
    Ok(std::mem::replace(&mut ticket.tags, tags))
}

fn insert_tags(conn: &mut Conn, id: TicketId, tags: &[String]) -> Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = tags.iter().map(|tag| (ticket_tags::ticket_id.eq(id), ticket_tags::tag.eq(tag))).collect();
    each!(conn, conn => diesel::insert_into(ticket_tags::table).values(&rows).execute(conn))?;
    Ok(())
}

/// Writes a message.
pub(super) fn insert_message(conn: &mut Conn, message: &MessageRow) -> Result<()> {
    each!(conn, conn => diesel::insert_into(messages::table).values(message).execute(conn))?;
    Ok(())
}

/// Says who wrote a message. One update.
pub(super) fn set_writer(conn: &mut Conn, id: MessageId, contact: ContactId) -> Result<()> {
    diesel::update(messages::table.find(id)).set(messages::contact_id.eq(contact)).execute(conn)?;
    Ok(())
}

/// Writes that a message's letter came back; the ticket of the message. An update and a look.
pub(super) fn set_bounce(conn: &mut Conn, id: MessageId, bounce: Json) -> Result<Option<TicketId>> {
    diesel::update(messages::table.find(id)).set(messages::bounce.eq(bounce)).execute(conn)?;
    Ok(messages::table.find(id).select(messages::ticket_id).first(conn).optional()?)
}

/// What is shown beside a message.
pub(super) fn bounce(conn: &mut Conn, id: MessageId) -> Result<Option<Json>> {
    let found: Option<Option<Json>> = messages::table.find(id).select(messages::bounce).first(conn).optional()?;
    Ok(found.flatten())
}

/// Nothing is shown beside a message any more. One update.
pub(super) fn clear_bounce(conn: &mut Conn, id: MessageId) -> Result<()> {
    diesel::update(messages::table.find(id)).set(messages::bounce.eq(None::<Json>)).execute(conn)?;
    Ok(())
}

/// What a reply's letter says besides its text.
pub(super) struct Envelope {
    /// The contact's first address; none where they have none.
    pub(super) recipient: Option<String>,
    /// Who answers.
    pub(super) agent_name: String,
    /// What the ticket's team puts under its letters.
    pub(super) signature: String,
    /// Mail Message-IDs of the ticket's messages, oldest first.
    pub(super) references: Vec<String>,
}

/// For a letter by `agent` to the contact of a ticket. Two queries.
pub(super) fn envelope(conn: &mut Conn, ticket: &Ticket, agent: AgentId) -> Result<Envelope> {
    let address = contact_emails::table
        .filter(contact_emails::contact_id.eq(ticket.contact_id))
        .order(contact_emails::position)
        .select(contact_emails::address)
        .limit(1);
    let found = agents::table.find(agent);
    let signature = teams::table.filter(teams::id.nullable().eq(ticket.team_id)).select(teams::signature).limit(1);
    let row: Option<(String, Option<String>, Option<String>)> =
        each!(conn, conn => found.select((agents::name, address.single_value(), signature.single_value())).first(conn))
            .optional()?;
    let (agent_name, recipient, signature) = row.ok_or(Error::NotFound("agent"))?;
    let ids = messages::table
        .filter(messages::ticket_id.eq(ticket.id).and(messages::mail_message_id.is_not_null()))
        .order((messages::at, messages::id))
        .select(messages::mail_message_id);
    let ids: Vec<Option<String>> = if recipient.is_some() { each!(conn, conn => ids.load(conn))? } else { Vec::new() };
    let signature = signature.unwrap_or_default();
    Ok(Envelope { recipient, agent_name, signature, references: ids.into_iter().flatten().collect() })
}

/// Writes who had a copy of a reply. One update.
pub(super) fn set_cc(conn: &mut Conn, id: MessageId, cc: &[String]) -> Result<()> {
    diesel::update(messages::table.find(id)).set(messages::cc.eq(Json::of(&cc)?)).execute(conn)?;
    Ok(())
}

/// One message by id. One query.
pub(super) fn find_message(conn: &mut Conn, id: MessageId) -> Result<MessageRow> {
    let found = messages::table.find(id).select(MessageRow::as_select()).first(conn).optional()?;
    found.ok_or(Error::NotFound("message"))
}

/// A reply was taken back: it is a note from now on, and no letter's thread names it. One update.
pub(super) fn undo(conn: &mut Conn, id: MessageId, now: DateTime<Utc>) -> Result<()> {
    diesel::update(messages::table.find(id))
        .set((
            messages::kind.eq(Named(MessageKind::Note)),
            messages::mail_message_id.eq(None::<String>),
            messages::undone_at.eq(Time(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Agents who replied in public, each once.
pub(super) fn repliers(conn: &mut Conn, id: TicketId) -> Result<Vec<AgentId>> {
    let ids = messages::table
        .filter(messages::ticket_id.eq(id).and(messages::kind.eq(Named(MessageKind::Reply))))
        .select(messages::agent_id)
        .distinct();
    let ids: Vec<Option<AgentId>> = each!(conn, conn => ids.load(conn))?;
    let mut ids: Vec<AgentId> = ids.into_iter().flatten().collect();
    ids.sort_unstable();
    Ok(ids)
}

//! The verbs of chats that visitors ask for: ask, say, leave a message, go away, end. Each is one transaction.
use super::commands_ends::{arrive, withdraw};
use super::commands_offers as offers;
use super::identity::Identity;
use super::model::{self, ChatSide, ChatState, NAMELESS};
use super::queries;
use super::store::{self, ChatRow, PlaceRow, VisitorRow};
use crate::accounts::caller::{Agent, Caller};
use crate::accounts::contacts::{self, NewContact, Person};
use crate::accounts::teams;
use crate::attachments::commands::{self as attachments, Owner};
use crate::calendar;
use crate::config::Config;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, ChatId, ClientMessageId, LineId, TeamId, TokenId, VisitorId};
use crate::tickets::commands_chats as verbs;
use crate::tickets::commands_intake::{self as intake, NewMessage};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// Somebody who asks for a chat, or leaves a message.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Who.
    pub visitor: VisitorId,
    /// The site that they are on.
    pub origin: String,
    /// The team of that site, by its id or name.
    pub team: Option<String>,
    /// What the site says of them.
    pub identity: Option<Identity>,
    /// What they say they are called.
    pub name: Option<String>,
    /// The address that they say.
    pub email: Option<String>,
    /// What they say at once.
    pub message: Option<(ClientMessageId, String)>,
    /// Their connection.
    pub line: LineId,
}

/// A message that has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its place.
    pub seq: i32,
    /// False where it was there before.
    pub is_new: bool,
}

/// How long a chat may be silent.
pub(super) fn idle(config: &Config) -> TimeDelta {
    TimeDelta::seconds(i64::from(config.chat.idle_seconds))
}

fn say_nothing(body: &str) -> Result<()> {
    if model::is_sayable(body) {
        return Ok(());
    }
    let text = format!("must not be blank, hold U+0000 or be longer than {} characters", model::BODY_MAX);
    Err(Error::field("body", "length", text))
}

fn normal_email(text: &str) -> Result<String> {
    contacts::model::normal_email(text).ok_or_else(|| Error::field("email", "email", "is not a mail address"))
}

/// The team of a site, and whether it is open. Two queries.
pub fn door(conn: &mut Conn, team: Option<&str>, now: DateTime<Utc>) -> Result<(Option<TeamId>, bool)> {
    let team = match team {
        None => None,
        Some(text) => match text.parse::<TeamId>() {
            Ok(id) => teams::calendar_of(conn, id)?.map(|_| id),
            Err(_) => teams::find_by_name(conn, text)?,
        },
    };
    let named = match team {
        Some(team) => teams::calendar_of(conn, team)?.flatten(),
        None => None,
    };
    Ok((team, calendar::in_force(conn, named)?.is_some_and(|calendar| calendar.hours.is_open(now))))
}

/// The visitor, who may not be blocked; locked, so that one asks once at a time.
fn admit(conn: &mut Conn, id: VisitorId, now: DateTime<Utc>) -> Result<VisitorRow> {
    let visitor = store::find_or_make_visitor(conn, id, now)?;
    if visitor.blocked_at.is_some() {
        return Err(Error::forbidden("blocked", "this visitor is not served"));
    }
    Ok(visitor)
}

/// Who asks: whoever the site or they themselves say, who they were before, or somebody new without an address.
fn who(conn: &mut Conn, visitor: &VisitorRow, asking: &Asking, now: DateTime<Utc>) -> Result<Person> {
    let identity = asking.identity.as_ref();
    let name = identity.and_then(|identity| identity.name.as_deref()).or(asking.name.as_deref());
    // What the site says is not the visitor's fault.
    let verified = identity.and_then(|identity| identity.email.as_deref()).and_then(contacts::model::normal_email);
    let said = asking.email.as_deref().map(normal_email).transpose()?;
    if let Some(address) = verified.or(said) {
        let name = name.map(|name| contacts::model::shown_name(Some(name), NAMELESS));
        return contacts::find_or_create_by_email(conn, &address, name.as_deref(), now);
    }
    let known = match visitor.contact_id {
        Some(id) => contacts::find_person(conn, id)?,
        None => None,
    };
    if let Some(person) = known {
        return Ok(person);
    }
    let stranger = NewContact {
        organization_id: None,
        name: contacts::model::shown_name(name, NAMELESS),
        time_zone: None,
        language: contacts::LANGUAGE_DEFAULT.to_owned(),
        emails: Vec::new(),
        phones: Vec::new(),
    };
    let made = contacts::insert(conn, stranger, now)?;
    contacts::find_person(conn, made.row.id)?.ok_or_else(|| Error::internal("a contact that was just made is not there"))
}

/// Opens ticket and chat. The state is what becomes of it at once.
fn open(
    conn: &mut Conn,
    asking: &Asking,
    (visitor, person): (&VisitorRow, &Person),
    (team_id, state): (Option<TeamId>, ChatState),
    now: DateTime<Utc>,
) -> Result<ChatRow> {
    if visitor.contact_id != Some(person.id) {
        store::set_visitor_contact(conn, visitor.id, person.id)?;
    }
    let (ticket_id, pickup_clock_id) = verbs::open_for(conn, (person.id, &person.name), team_id, now)?;
    let row = ChatRow {
        id: ChatId::new(),
        visitor_id: visitor.id,
        origin: asking.origin.clone(),
        is_verified: asking.identity.is_some(),
        state: Named(state),
        team_id,
        contact_id: person.id,
        ticket_id,
        pickup_clock_id,
        agent_id: None,
        last_seq: 0,
        round: 0,
        asked_at: Time(now),
        accepted_at: None,
        ended_at: None,
        ended_by: None,
        line: Some(asking.line),
        gone_at: None,
        active_at: Time(now),
        next_at: None,
    };
    store::insert(conn, &row)?;
    let data = json!({ "chat_id": row.id, "team_id": team_id, "is_verified": row.is_verified });
    timeline::record(conn, ticket_id, Kind::ChatAsked, Actor::Contact(person.id), now, data)?;
    Ok(row)
}

/// A visitor asks for a person: ticket and promise exist from now on, and everybody who is free is rung. Who waits or talks already
/// goes on with that.
pub fn ask(conn: &mut Conn, config: &Config, asking: &Asking, now: DateTime<Utc>) -> Result<ChatRow> {
    if let Some((_, body)) = &asking.message {
        say_nothing(body)?;
    }
    let visitor = admit(conn, asking.visitor, now)?;
    if let Some(row) = queries::newest_of(conn, visitor.id)?.filter(|row| row.state.0.is_open()) {
        return arrive(conn, config, row.id, asking.line);
    }
    let (team, is_open) = door(conn, asking.team.as_deref(), now)?;
    if !is_open {
        return Err(Error::conflict("closed", "the desk is closed now: leave a message"));
    }
    let person = who(conn, &visitor, asking, now)?;
    let mut row = open(conn, asking, (&visitor, &person), (team, ChatState::Waiting), now)?;
    if let Some((client, body)) = &asking.message {
        let said = Said { id: *client, body: body.clone(), files: Vec::new() };
        add(conn, config, &mut row, Speaker::Visitor, said, now)?;
        store::save(conn, &row)?;
    }
    let staff = queries::staff(conn, now)?;
    offers::look_after(conn, config, row.id, &staff, now)?;
    store::lock(conn, row.id)
}

/// Something that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The name that its writer gave it: the same again is the same.
    pub id: ClientMessageId,
    /// Plain text.
    pub body: String,
    /// Files that its writer handed in before.
    pub files: Vec<AttachmentId>,
}

/// Who says something.
#[derive(Debug, Clone, Copy)]
pub enum Speaker {
    /// The visitor.
    Visitor,
    /// An agent.
    Agent(Agent),
}

/// Says something in a chat that is open; a client that says it again, by its own id, hears where it stands. Some ten statements.
pub fn say(conn: &mut Conn, config: &Config, (id, by): (ChatId, Speaker), said: Said, now: DateTime<Utc>) -> Result<Placed> {
    say_nothing(&said.body)?;
    let mut row = store::lock(conn, id)?;
    let side = if matches!(by, Speaker::Visitor) { ChatSide::Visitor } else { ChatSide::Agent };
    if let Some(place) = store::place_of(conn, id, side, said.id)? {
        return Ok(Placed { seq: place.seq, is_new: false });
    }
    match (row.state.0, side) {
        (ChatState::Active, _) | (ChatState::Waiting, ChatSide::Visitor) => {}
        (ChatState::Waiting, ChatSide::Agent) => {
            return Err(Error::conflict("not_accepted", "nobody has accepted this chat yet"));
        }
        (ChatState::Missed | ChatState::Abandoned | ChatState::Left | ChatState::Ended, _) => {
            return Err(Error::conflict("chat_over", "this chat is over"));
        }
    }
    if side == ChatSide::Visitor && store::visitor(conn, row.visitor_id)?.is_some_and(|visitor| visitor.blocked_at.is_some()) {
        return Err(Error::forbidden("blocked", "this visitor is not served"));
    }
    let seq = add(conn, config, &mut row, by, said, now)?;
    store::save(conn, &row)?;
    Ok(Placed { seq, is_new: true })
}

/// Writes a message on the ticket and gives it its place.
fn add(
    conn: &mut Conn,
    config: &Config,
    row: &mut ChatRow,
    by: Speaker,
    Said { id: client_id, body, files }: Said,
    now: DateTime<Utc>,
) -> Result<i32> {
    let (side, owner, (ticket_id, message_id)) = match by {
        Speaker::Visitor => {
            let message = NewMessage { body, mail_message_id: None };
            let whole = intake::receive(conn, config, &Caller::chat_gate(), row.ticket_id, message, Some(now), now)?;
            let message_id = whole.message_id.ok_or_else(|| Error::internal("a message was not written"))?;
            // Who asks has no token: their files are known by their own id.
            let owner = (Owner::Machine(TokenId(row.visitor_id.0)), Actor::Contact(row.contact_id));
            (ChatSide::Visitor, owner, (whole.ticket.id, message_id))
        }
        Speaker::Agent(agent) => {
            let owner = (Owner::Agent(agent.id()), Actor::Agent(agent.id()));
            (ChatSide::Agent, owner, verbs::say(conn, &agent, row.ticket_id, body, now)?)
        }
    };
    if !files.is_empty() {
        attachments::give(conn, &config.attachments, owner, (ticket_id, message_id), &files, now)?;
    }
    row.last_seq += 1;
    row.active_at = Time(now);
    if row.state.0 == ChatState::Active {
        row.next_at = Some(Time(now + idle(config)));
    }
    store::place(conn, &PlaceRow { chat_id: row.id, seq: row.last_seq, side: Named(side), client_id, message_id })?;
    Ok(row.last_seq)
}

/// Nobody is there: the visitor leaves a message and an address, and is owed an answer by mail.
pub fn leave(conn: &mut Conn, config: &Config, asking: &Asking, now: DateTime<Utc>) -> Result<ChatRow> {
    let Some((client, body)) = asking.message.clone() else {
        return Err(Error::field("body", "missing", "is missing"));
    };
    say_nothing(&body)?;
    let visitor = admit(conn, asking.visitor, now)?;
    let newest = queries::newest_of(conn, visitor.id)?;
    if let Some(row) = &newest
        && store::place_of(conn, row.id, ChatSide::Visitor, client)?.is_some()
    {
        return Ok(row.clone());
    }
    let person = who(conn, &visitor, asking, now)?;
    if contacts::primary_email(conn, person.id)?.is_none() {
        return Err(Error::field("email", "missing", "is needed: the answer goes there"));
    }
    let mut row = match newest.filter(|row| row.state.0 == ChatState::Waiting || row.can_be_left(now)) {
        Some(row) => {
            let mut row = store::lock(conn, row.id)?;
            if row.state.0 == ChatState::Waiting {
                withdraw(conn, &row, now, now)?;
            }
            know(conn, &mut row, &person, now)?;
            row
        }
        None => {
            let (team, is_open) = door(conn, asking.team.as_deref(), now)?;
            if is_open {
                return Err(Error::conflict("open", "the desk is open: ask for a chat"));
            }
            open(conn, asking, (&visitor, &person), (team, ChatState::Left), now)?
        }
    };
    (row.state, row.ended_at, row.next_at) = (Named(ChatState::Left), Some(Time(now)), None);
    add(conn, config, &mut row, Speaker::Visitor, Said { id: client, body, files: Vec::new() }, now)?;
    store::save(conn, &row)?;
    verbs::owe_an_answer(conn, row.ticket_id, now)?;
    let data = json!({ "chat_id": row.id });
    timeline::record(conn, row.ticket_id, Kind::ChatMessageLeft, Actor::Contact(person.id), now, data)?;
    Ok(row)
}

/// A visitor tells an address while a chat is open.
pub fn tell_address(conn: &mut Conn, id: ChatId, email: &str, name: Option<&str>, now: DateTime<Utc>) -> Result<ChatRow> {
    let address = normal_email(email)?;
    let mut row = store::lock(conn, id)?;
    if !row.state.0.is_open() {
        return Err(Error::conflict("chat_over", "this chat is over"));
    }
    if contacts::primary_email(conn, row.contact_id)?.is_none() {
        let name = name.map(|name| contacts::model::shown_name(Some(name), NAMELESS));
        let person = contacts::find_or_create_by_email(conn, &address, name.as_deref(), now)?;
        know(conn, &mut row, &person, now)?;
        store::save(conn, &row)?;
    }
    Ok(row)
}

/// The visitor is this person.
fn know(conn: &mut Conn, row: &mut ChatRow, person: &Person, now: DateTime<Utc>) -> Result<()> {
    if row.contact_id == person.id {
        return Ok(());
    }
    verbs::belongs_to(conn, row.ticket_id, person, now)?;
    store::set_visitor_contact(conn, row.visitor_id, person.id)?;
    row.contact_id = person.id;
    Ok(())
}

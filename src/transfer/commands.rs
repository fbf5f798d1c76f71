//! The verb of an import: the next rows of a file, each for itself, in one transaction with how far it came.
use super::lines::{ContactLine, Entry, OrganizationLine, TicketLine, What};
use super::read::{Line, Row};
use super::store::{self, ImportRow, Key, KeyRow};
use super::{ImportState, TransferKind};
use crate::accounts::contacts::model::{normal_email, normal_list, normal_phone};
use crate::accounts::contacts::{self, NewContact};
use crate::accounts::rights::Role;
use crate::accounts::{agents, organizations, teams};
use crate::audit;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, FieldError, Result};
use crate::ids::{AgentId, ContactId, ImportId, OrganizationId, TeamId, TicketId};
use crate::jobs::{JobKind, queue};
use crate::privacy;
use crate::seen::Seen;
use crate::tickets::commands_import::{self, Imported};
use crate::timeline::Actor;
use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Rows of one transaction at the most.
pub const BATCH: usize = 25;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Created,
    Changed,
    Unchanged,
}

/// How a row's savepoint ended.
enum Ended {
    /// Looked at, and taken back: a dry run.
    Tried(Outcome),
    /// It did not work.
    Failed(Error),
}

impl From<diesel::result::Error> for Ended {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Stores a file and queues its work.
pub fn begin(conn: &mut Conn, row: ImportRow, body: &str, now: DateTime<Utc>) -> Result<ImportRow> {
    store::insert(conn, &row, body)?;
    let shown = json!({
        "kind": row.kind.0, "format": row.format.0, "dry_run": row.dry_run, "create_missing": row.create_missing, "total": row.total,
    });
    audit::created(conn, row.by(), ("import", row.id.0), &shown, now)?;
    queue::enqueue(conn, JobKind::RunImport, row.id.0, now, now)?;
    Ok(row)
}

/// How far an import is after some of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There are more.
    More,
    /// Every row was looked at.
    All,
    /// Somebody was erased since the file was read: it is to be read again.
    Stale,
}

/// Works off the next rows behind those that are done, as they were read when there were so many erasures.
pub fn work(conn: &mut Conn, id: ImportId, (rows, erasures): (&[Row], i64), now: DateTime<Utc>) -> Result<Step> {
    let mut import = store::lock(conn, id)?;
    if import.ended_at.is_some() {
        return Ok(Step::All);
    }
    if privacy::commands::erasures(conn)? != erasures {
        return Ok(Step::Stale);
    }
    import.state = Named(ImportState::Running);
    import.started_at = import.started_at.or(Some(Time(now)));
    let from = usize::try_from(import.done).unwrap_or(0);
    for row in rows.iter().skip(from).take(BATCH) {
        match take(conn, &import, row, now)? {
            Ok(Outcome::Created) => import.created += 1,
            Ok(Outcome::Changed) => import.changed += 1,
            Ok(Outcome::Unchanged) => import.unchanged += 1,
            Err(errors) => {
                import.refused += 1;
                let name = row.parsed.as_ref().ok().map(Line::external_id);
                store::refuse(conn, id, row.line, name, errors)?;
            }
        }
        import.done += 1;
    }
    let is_all = usize::try_from(import.done).unwrap_or(0) >= rows.len();
    if is_all {
        (import.state, import.ended_at) = (Named(ImportState::Done), Some(Time(now)));
    }
    store::save(conn, &import)?;
    Ok(if is_all { Step::All } else { Step::More })
}

/// The import is given up; what it took in stays.
pub fn fail(conn: &mut Conn, id: Uuid, error: &str, now: DateTime<Utc>) -> Result<()> {
    let mut import = store::lock(conn, ImportId(id))?;
    if import.ended_at.is_none() {
        (import.state, import.ended_at, import.error) = (Named(ImportState::Failed), Some(Time(now)), Some(error.to_owned()));
        store::save(conn, &import)?;
    }
    Ok(())
}

/// There is more to do than one run of the job may take.
pub fn go_on_later(conn: &mut Conn, id: ImportId, now: DateTime<Utc>) -> Result<()> {
    queue::enqueue(conn, JobKind::RunImport, id.0, now, now)
}

/// One row in a savepoint of its own. What is wrong with it is the inner error; a database that fails is the outer one.
fn take(conn: &mut Conn, import: &ImportRow, row: &Row, now: DateTime<Utc>) -> Result<Result<Outcome, Vec<FieldError>>> {
    let line = match &row.parsed {
        Ok(line) => line,
        Err(errors) => return Ok(Err(errors.clone())),
    };
    let done = conn.savepoint::<_, Ended>(|conn| {
        let outcome = match line {
            Line::Organization(line) => organization(conn, import.by(), line, now),
            Line::Contact(line) => contact(conn, import.by(), line, now),
            Line::Ticket(line) => ticket(conn, import, line, now),
        };
        match outcome {
            Err(error) => Err(Ended::Failed(error)),
            Ok(outcome) if import.dry_run => Err(Ended::Tried(outcome)),
            Ok(outcome) => Ok(outcome),
        }
    });
    let refused = |code: &str, message: String| Ok(Err(vec![FieldError::new("row", code, message)]));
    match done {
        Ok(outcome) | Err(Ended::Tried(outcome)) => Ok(Ok(outcome)),
        Err(Ended::Failed(Error::Invalid(errors))) => Ok(Err(errors)),
        Err(Ended::Failed(Error::Conflict { code, message })) => refused(code, message),
        Err(Ended::Failed(error @ Error::NotFound(_))) => refused("not_found", error.to_string()),
        Err(Ended::Failed(other)) => Err(other),
    }
}

fn print(value: &impl Serialize) -> Result<Vec<u8>> {
    Ok(Sha256::digest(serde_json::to_vec(value)?).to_vec())
}

fn remember(
    conn: &mut Conn,
    kind: TransferKind,
    external_id: &str,
    object_id: Uuid,
    print: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<()> {
    store::remember(conn, Key { kind, external_id, object_id, print, history: (0, Vec::new()), updated_at: now })
}

fn organization(conn: &mut Conn, actor: Actor, line: &OrganizationLine, now: DateTime<Utc>) -> Result<Outcome> {
    let print = print(line)?;
    let known = store::find_key(conn, TransferKind::Organizations, &line.external_id)?;
    let shown = |row: &organizations::OrganizationRow| json!({ "name": row.name, "account": row.account });
    let (id, outcome) = match known {
        Some(known) if known.print == print => return Ok(Outcome::Unchanged),
        Some(known) => {
            let id = OrganizationId(known.object_id.0);
            let mut before = None;
            let row = organizations::update(conn, id, Seen(None), now, |row| {
                before = Some(shown(row));
                (row.name, row.account) = (line.name.clone(), line.account.clone());
            })?;
            audit::changed(conn, actor, ("organization", id.0), (&before, &shown(&row)), now)?;
            (id, Outcome::Changed)
        }
        None => {
            let row = organizations::insert(conn, line.name.clone(), line.account.clone(), now)?;
            audit::created(conn, actor, ("organization", row.id.0), &shown(&row), now)?;
            (row.id, Outcome::Created)
        }
    };
    remember(conn, TransferKind::Organizations, &line.external_id, id.0, print, now)?;
    Ok(outcome)
}

/// What another row calls something: its external id, or else its id here.
fn named(conn: &mut Conn, kind: TransferKind, name: &str) -> Result<Option<Uuid>> {
    let key = store::find_key(conn, kind, name)?;
    Ok(key.map(|key: KeyRow| key.object_id.0).or_else(|| name.parse().ok()))
}

fn named_organization(conn: &mut Conn, name: Option<&str>) -> Result<Option<OrganizationId>> {
    let Some(name) = name else { return Ok(None) };
    let unknown =
        || Error::field("organization", "unknown_organization", "is no organization that was imported, nor the id of one");
    let id = OrganizationId(named(conn, TransferKind::Organizations, name)?.ok_or_else(unknown)?);
    match organizations::find(conn, id) {
        Ok(_) => Ok(Some(id)),
        Err(Error::NotFound(_)) => Err(unknown()),
        Err(other) => Err(other),
    }
}

fn contact(conn: &mut Conn, actor: Actor, line: &ContactLine, now: DateTime<Utc>) -> Result<Outcome> {
    let print = print(line)?;
    let known = store::find_key(conn, TransferKind::Contacts, &line.external_id)?;
    if known.as_ref().is_some_and(|known| known.print == print) {
        return Ok(Outcome::Unchanged);
    }
    let organization_id = named_organization(conn, line.organization.as_deref())?;
    let wrong = |field: &str, index: usize, what: &str| Error::field(&format!("{field}[{index}]"), what, "cannot be read");
    let emails = normal_list(&line.emails, normal_email).map_err(|index| wrong("emails", index, "email"))?;
    let phones = normal_list(&line.phones, normal_phone).map_err(|index| wrong("phones", index, "phone"))?;
    let time_zone = line.time_zone.map(|zone| zone.name().to_owned());
    let shown = |contact: &contacts::Contact| {
        json!({
            "organization_id": contact.row.organization_id, "name": contact.row.name, "emails": contact.emails, "phones": contact.phones,
            "time_zone": contact.row.time_zone, "language": contact.row.language,
            "surveys_stopped": contact.row.surveys_stopped_at.is_some(),
        })
    };
    let (id, outcome) = match known {
        Some(known) => {
            let id = ContactId(known.object_id.0);
            let mut before = None;
            let contact = contacts::update(conn, id, Seen(None), now, |contact| {
                before = Some(shown(contact));
                (contact.emails, contact.phones) = (emails, phones);
                let row = &mut contact.row;
                (row.organization_id, row.time_zone) = (organization_id, time_zone);
                (row.name, row.language) = (line.name.clone(), line.language.clone());
                row.surveys_stopped_at = if line.surveys_stopped { row.surveys_stopped_at.or(Some(Time(now))) } else { None };
            })?;
            audit::changed(conn, actor, ("contact", id.0), (&before, &shown(&contact)), now)?;
            (id, Outcome::Changed)
        }
        None => {
            let (name, language) = (line.name.clone(), line.language.clone());
            let new = NewContact { organization_id, name, time_zone, language, emails, phones };
            let mut contact = contacts::insert(conn, new, now)?;
            if line.surveys_stopped {
                contacts::stop_surveys(conn, contact.row.id, now)?;
                contact.row.surveys_stopped_at = Some(Time(now));
            }
            audit::created(conn, actor, ("contact", contact.row.id.0), &shown(&contact), now)?;
            (contact.row.id, Outcome::Created)
        }
    };
    remember(conn, TransferKind::Contacts, &line.external_id, id.0, print, now)?;
    Ok(outcome)
}

fn person(conn: &mut Conn, line: &TicketLine, now: DateTime<Utc>) -> Result<contacts::Person> {
    let name = line.name.as_deref();
    match (&line.contact, &line.email, &line.phone) {
        (Some(contact), _, _) => {
            let unknown = || Error::field("contact", "unknown_contact", "is no contact that was imported, nor the id of one");
            let id = named(conn, TransferKind::Contacts, contact)?.ok_or_else(unknown)?;
            contacts::find_person(conn, ContactId(id))?.ok_or_else(unknown)
        }
        (None, Some(email), _) => contacts::find_or_create_by_email(conn, email, name, now),
        (None, None, Some(phone)) => contacts::find_or_create_by_phone(conn, phone, name, now),
        (None, None, None) => Err(Error::field("contact", "one_of", "must have exactly one of contact, email and phone")),
    }
}

/// An agent by address. One who left the other desk can be made here, barred, so that the history names who it was.
fn agent(conn: &mut Conn, import: &ImportRow, field: &str, email: &str, now: DateTime<Utc>) -> Result<AgentId> {
    if let Some(agent) = agents::find_by_email(conn, email)? {
        return Ok(agent.id);
    }
    if !import.create_missing {
        return Err(Error::field(
            field,
            "unknown_agent",
            "is the address of no agent; create_missing makes one who cannot log in",
        ));
    }
    let name = email.split('@').next().filter(|name| !name.is_empty()).unwrap_or(email);
    let made = agents::insert(conn, name, email, Role::Agent, now).map_err(|error| {
        if matches!(error, Error::Invalid(_)) { Error::field(field, "email", "is not an e-mail address") } else { error }
    })?;
    agents::set_disabled(conn, made.id, true, now)?;
    let after = json!({ "name": made.name, "email": made.email, "role": Role::Agent, "disabled": true });
    audit::created(conn, import.by(), ("agent", made.id.0), &after, now)?;
    Ok(made.id)
}

fn team(conn: &mut Conn, import: &ImportRow, name: &str, now: DateTime<Utc>) -> Result<TeamId> {
    if let Some(id) = teams::find_by_name(conn, name)? {
        return Ok(id);
    }
    if !import.create_missing {
        return Err(Error::field("team", "unknown_team", "is the name of no team; create_missing makes one"));
    }
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Error::field("team", "length", "length must be between 1 and 200"));
    }
    let made = teams::insert(conn, name, None, &[], now)?;
    audit::created(conn, import.by(), ("team", made.row.id.0), &json!({ "name": made.row.name }), now)?;
    Ok(made.row.id)
}

fn entry(conn: &mut Conn, import: &ImportRow, index: usize, entry: &Entry, now: DateTime<Utc>) -> Result<commands_import::Entry> {
    use commands_import::What as Done;
    let Entry { at, what, agent: by, body, status, mail_message_id } = entry;
    let by = match by {
        Some(email) => Some(agent(conn, import, &format!("history[{index}].agent"), email, now)?),
        None => None,
    };
    let missing = |field: &str| Error::field(&format!("history[{index}].{field}"), "missing", "is needed for this kind of entry");
    let by = || by.ok_or_else(|| missing("agent"));
    let body = || body.clone().ok_or_else(|| missing("body"));
    let mail_message_id = mail_message_id.clone();
    let what = match what {
        What::ContactWrote => Done::ContactWrote { body: body()?, mail_message_id },
        What::Replied => Done::Replied { agent: by()?, body: body()?, mail_message_id },
        What::Noted => Done::Noted { agent: by()?, body: body()? },
        What::PickedUp => Done::PickedUp { agent: by()? },
        What::StatusSet => Done::StatusSet { agent: by()?, status: status.ok_or_else(|| missing("status"))? },
        What::Closed => Done::Closed { agent: by()? },
        What::Reopened => Done::Reopened { agent: by()? },
    };
    Ok((at.trunc_subsecs(6), what))
}

fn ticket(conn: &mut Conn, import: &ImportRow, line: &TicketLine, now: DateTime<Utc>) -> Result<Outcome> {
    let errors = line.errors(now);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let row_print = print(line)?;
    let known = store::find_key(conn, TransferKind::Tickets, &line.external_id)?;
    if known.as_ref().is_some_and(|known| known.print == row_print) {
        return Ok(Outcome::Unchanged);
    }
    let person = person(conn, line, now)?;
    let organization_id = named_organization(conn, line.organization.as_deref())?.or(person.organization_id);
    let team_id = line.team.as_deref().map(|name| team(conn, import, name, now)).transpose()?;
    let assignee_id = line.assignee.as_deref().map(|email| agent(conn, import, "assignee", email, now)).transpose()?;
    let new = Imported {
        channel: line.channel,
        direction: line.direction,
        subject: line.subject.clone(),
        priority: line.priority,
        contact_id: person.id,
        organization_id,
        team_id,
        assignee_id,
        tags: line.tags.clone(),
        received_at: line.received_at.trunc_subsecs(6),
        has_ring: !line.entered_by_hand,
        body: line.body.clone(),
        mail_message_id: line.mail_message_id.clone(),
    };
    let told = known.as_ref().map_or(0, |known| usize::try_from(known.history_count).unwrap_or(0));
    let is_longer = line.history.len() >= told;
    if let Some(known) = &known
        && (!is_longer || print(&line.history.iter().take(told).collect::<Vec<_>>())? != known.history_print)
    {
        return Err(Error::field("history", "rewritten", "what was taken in before cannot be changed, only added to"));
    }
    let mut more = Vec::new();
    for (index, one) in line.history.iter().enumerate().skip(told) {
        more.push(entry(conn, import, index, one, now)?);
    }
    let (whole, outcome) = match &known {
        None => (commands_import::take_in(conn, import.by(), new, more, now)?, Outcome::Created),
        Some(known) => {
            let (id, known_at) = (TicketId(known.object_id.0), known.updated_at.0);
            (commands_import::take_in_again(conn, import.by(), id, new, (known_at, more), now)?, Outcome::Changed)
        }
    };
    let history = (i32::try_from(line.history.len()).unwrap_or(i32::MAX), print(&line.history.iter().collect::<Vec<_>>())?);
    let (object_id, updated_at) = (whole.ticket.id.0, whole.ticket.updated_at);
    store::remember(
        conn,
        Key { kind: TransferKind::Tickets, external_id: &line.external_id, object_id, print: row_print, history, updated_at },
    )?;
    Ok(outcome)
}

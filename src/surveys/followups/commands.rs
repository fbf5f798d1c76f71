//! The verbs of follow-ups. Each is one transaction.
use super::model::{self, Ending, How, Keep, Standing};
use super::store::{self, AttemptRow, FollowupRow};
use crate::accounts::agents;
use crate::accounts::caller::{Agent, Caller};
use crate::config::Config;
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, AttemptId, ResponseId, TicketId};
use crate::seen::Seen;
use crate::surveys::commands_answer;
use crate::surveys::model::DETRACTOR_MAX;
use crate::surveys::queries::{self, InvitationRow, ResponseRow};
use crate::tickets::commands_intake::{self, NewTicket, Sender};
use crate::tickets::model::{Channel, Direction, Priority};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};

/// Attempts of one follow-up at the most.
const ATTEMPTS_MAX: usize = 50;

fn missing() -> Error {
    Error::NotFound("follow-up")
}

fn ended() -> Error {
    Error::conflict("followup_ended", "this follow-up has ended: open it again first")
}

/// The follow-up of an answer and the invitation that it answered.
fn load(conn: &mut Conn, id: ResponseId, seen: Seen) -> Result<(FollowupRow, ResponseRow, InvitationRow)> {
    let row = store::find(conn, id)?.ok_or_else(missing)?;
    seen.check(row.version)?;
    let answer = queries::response(conn, id)?.ok_or_else(missing)?;
    let invitation = queries::invitation(conn, answer.invitation_id)?.ok_or_else(missing)?;
    Ok((row, answer, invitation))
}

fn record(
    conn: &mut Conn,
    invitation: &InvitationRow,
    id: ResponseId,
    actor: Actor,
    more: Value,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut data = json!({ "response_id": id });
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    timeline::record(conn, invitation.ticket_id, Kind::FollowupChanged, actor, now, data)
}

fn due(conn: &mut Conn, config: &Config, invitation: &InvitationRow, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let seconds = config.survey.followup_seconds;
    let due_at = commands_answer::due(conn, invitation.team_id, seconds, now)?;
    // Where the desk never opens, time goes by all the same.
    Ok(due_at.unwrap_or(now + TimeDelta::seconds(i64::from(seconds))))
}

/// An answer is new or has changed: opens, reopens or ends its follow-up. One query where nothing is to be done.
pub fn keep(
    conn: &mut Conn,
    config: &Config,
    invitation: &InvitationRow,
    answer: &ResponseRow,
    now: DateTime<Utc>,
) -> Result<()> {
    let is_owed = answer.is_counted && answer.score <= DETRACTOR_MAX;
    let row = store::find(conn, answer.id)?;
    let standing = match &row {
        Some(row) => Some(Standing {
            is_ended: row.outcome.is_some(),
            is_ended_by_desk: row.outcome.is_some() && row.ended_by.is_none(),
            is_touched: row.owner_id.is_some() || row.ticket_id.is_some() || store::count_attempts(conn, answer.id)? > 0,
        }),
        None => None,
    };
    let what = match (model::keep(is_owed, standing), row) {
        (Keep::Open, _) => {
            let due_at = due(conn, config, invitation, now)?;
            if !store::insert(conn, answer.id, due_at, now)? {
                return Ok(());
            }
            "opened"
        }
        (Keep::Reopen, Some(row)) => {
            let due_at = Time(due(conn, config, invitation, now)?);
            store::save(conn, FollowupRow { outcome: None, ended_at: None, why: String::new(), due_at, ..row }, now)?;
            "reopened"
        }
        (Keep::End, Some(row)) => {
            let outcome = Some(Named(Ending::NotNeeded));
            let why = "the answer is no longer a counted detractor's".to_owned();
            store::save(conn, FollowupRow { outcome, why, ended_at: Some(Time(now)), ..row }, now)?;
            "ended"
        }
        (Keep::Reopen | Keep::End | Keep::Leave, _) => return Ok(()),
    };
    record(conn, invitation, answer.id, Actor::Desk, json!({ "what": what }), now)
}

/// Somebody wants to speak to a contact who is no detractor.
pub fn open(conn: &mut Conn, config: &Config, agent: &Agent, id: ResponseId, now: DateTime<Utc>) -> Result<()> {
    let answer = queries::response(conn, id)?.ok_or(Error::NotFound("survey response"))?;
    let invitation = queries::invitation(conn, answer.invitation_id)?.ok_or(Error::NotFound("survey response"))?;
    let due_at = due(conn, config, &invitation, now)?;
    if !store::insert(conn, id, due_at, now)? {
        return Err(Error::conflict("followup_exists", "this answer has a follow-up"));
    }
    record(conn, &invitation, id, Actor::Agent(agent.id()), json!({ "what": "opened" }), now)
}

/// Somebody, or nobody, owns it.
pub fn give_to(
    conn: &mut Conn,
    agent: &Agent,
    id: ResponseId,
    seen: Seen,
    owner: Option<AgentId>,
    now: DateTime<Utc>,
) -> Result<()> {
    let (row, _, invitation) = load(conn, id, seen)?;
    if row.outcome.is_some() {
        return Err(ended());
    }
    match owner {
        Some(owner) if !agents::is_active(conn, owner)? => {
            return Err(Error::field("agent_id", "unknown_agent", "is no active agent"));
        }
        _ => {}
    }
    let data = json!({ "what": "given", "before": row.owner_id, "after": owner });
    store::save(conn, FollowupRow { owner_id: owner, ..row }, now)?;
    record(conn, &invitation, id, Actor::Agent(agent.id()), data, now)
}

/// Somebody tried to reach the contact; whoever tries first owns it where nobody does.
pub fn attempt(
    conn: &mut Conn,
    agent: &Agent,
    id: ResponseId,
    (how, note, at): (How, String, Option<DateTime<Utc>>),
    now: DateTime<Utc>,
) -> Result<()> {
    let (row, answer, invitation) = load(conn, id, Seen(None))?;
    if row.outcome.is_some() {
        return Err(ended());
    }
    let at = at.unwrap_or(now).trunc_subsecs(6);
    if at > now {
        return Err(Error::field("at", "future", "must not be in the future"));
    }
    if at < answer.answered_at.0 {
        return Err(Error::field("at", "before_the_answer", "must not be before the answer"));
    }
    if store::count_attempts(conn, id)? >= ATTEMPTS_MAX {
        return Err(Error::conflict("too_many_attempts", format!("a follow-up has at most {ATTEMPTS_MAX} attempts")));
    }
    let attempt = AttemptRow { id: AttemptId::new(), response_id: id, agent_id: agent.id(), at: Time(at), how: Named(how), note };
    store::insert_attempt(conn, &attempt)?;
    let owner_id = row.owner_id.or(Some(agent.id()));
    store::save(conn, FollowupRow { owner_id, ..row }, now)?;
    let data = json!({ "what": "attempted", "attempt_id": attempt.id, "how": how });
    record(conn, &invitation, id, Actor::Agent(agent.id()), data, now)
}

/// It is over, one way or another.
pub fn end(
    conn: &mut Conn,
    agent: &Agent,
    id: ResponseId,
    seen: Seen,
    (outcome, why): (Ending, String),
    now: DateTime<Utc>,
) -> Result<()> {
    let (row, _, invitation) = load(conn, id, seen)?;
    if row.outcome.is_some() {
        return Err(ended());
    }
    let attempts = store::count_attempts(conn, id)?;
    model::may_end(outcome, attempts, &why).map_err(|(field, code, text)| Error::field(field, code, text))?;
    let row = FollowupRow { outcome: Some(Named(outcome)), why, ended_at: Some(Time(now)), ended_by: Some(agent.id()), ..row };
    store::save(conn, row, now)?;
    record(conn, &invitation, id, Actor::Agent(agent.id()), json!({ "what": "ended", "outcome": outcome }), now)
}

/// It is not over after all; its time goes on.
pub fn reopen(conn: &mut Conn, agent: &Agent, id: ResponseId, seen: Seen, now: DateTime<Utc>) -> Result<()> {
    let (row, _, invitation) = load(conn, id, seen)?;
    if row.outcome.is_none() {
        return Err(Error::conflict("followup_open", "this follow-up has not ended"));
    }
    store::save(conn, FollowupRow { outcome: None, why: String::new(), ended_at: None, ended_by: None, ..row }, now)?;
    record(conn, &invitation, id, Actor::Agent(agent.id()), json!({ "what": "reopened" }), now)
}

/// Opens a ticket towards the contact; its close asks nobody how it was.
pub fn open_ticket(
    conn: &mut Conn,
    caller: &Caller,
    agent: &Agent,
    id: ResponseId,
    (channel, subject): (Channel, String),
    now: DateTime<Utc>,
) -> Result<TicketId> {
    let (row, _, invitation) = load(conn, id, Seen(None))?;
    if row.outcome.is_some() {
        return Err(ended());
    }
    if row.ticket_id.is_some() {
        return Err(Error::conflict("ticket_exists", "this follow-up has a ticket"));
    }
    let new = NewTicket {
        channel,
        direction: Direction::Outbound,
        subject,
        priority: Priority::Normal,
        from: Sender::Contact(invitation.contact_id),
        organization_id: invitation.organization_id,
        team_id: invitation.team_id,
        assignee_id: Some(agent.id()),
        tags: Vec::new(),
        received_at: None,
        message: None,
        follows_id: None,
    };
    let ticket = commands_intake::create(conn, caller, new, now)?.ticket.id;
    let owner_id = row.owner_id.or(Some(agent.id()));
    store::save(conn, FollowupRow { owner_id, ticket_id: Some(ticket), ..row }, now)?;
    record(conn, &invitation, id, Actor::Agent(agent.id()), json!({ "what": "ticket_opened", "ticket_id": ticket }), now)?;
    Ok(ticket)
}

//! The verbs of reviewers: claim, give back, finish. Each is one transaction.
use super::causes;
use super::commands_answer;
use super::model::{self, Confirmation, ReviewState};
use super::score::Score;
use super::store::{self, InvitationRow, ResponseRow, ReviewRow};
use super::store_answers;
use crate::accounts::caller::Agent;
use crate::accounts::rights::Role;
use crate::config::Config;
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, ResponseId};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// A review while a verb works on it.
struct Held {
    review: ReviewRow,
    response: ResponseRow,
    invitation: InvitationRow,
}

fn hold(conn: &mut Conn, id: ResponseId) -> Result<Held> {
    let missing = || Error::NotFound("survey response");
    store::lock_review(conn, id)?;
    let review = store::find_review(conn, id)?.ok_or_else(missing)?;
    let response = store::find_response(conn, id)?.ok_or_else(missing)?;
    let invitation = store::find_invitation(conn, response.invitation_id)?.ok_or_else(missing)?;
    Ok(Held { review, response, invitation })
}

fn reviewed(conn: &mut Conn, held: &Held, agent: &Agent, what: &str, now: DateTime<Utc>) -> Result<()> {
    let data = json!({ "response_id": held.response.id, "state": held.review.state.0, "what": what });
    timeline::record(conn, held.invitation.ticket_id, Kind::ReviewChanged, Actor::Agent(agent.id()), now, data)
}

/// Nobody judges an answer about their own work.
pub(super) fn check_distance(agent: &Agent, invitation: &InvitationRow) -> Result<()> {
    let repliers: Vec<AgentId> = invitation.agent_ids.clone().to()?;
    if model::may_review(agent.id(), invitation.assignee_id, &repliers) {
        return Ok(());
    }
    Err(Error::conflict("own_ticket", "you handled this ticket: somebody else must review the answer"))
}

/// An agent takes a review; the first one gets it, and never one who handled the ticket.
pub fn claim(conn: &mut Conn, agent: &Agent, id: ResponseId, now: DateTime<Utc>) -> Result<()> {
    let mut held = hold(conn, id)?;
    check_distance(agent, &held.invitation)?;
    held.review.state = Named(ReviewState::InReview);
    (held.review.agent_id, held.review.claimed_at) = (Some(agent.id()), Some(Time(now)));
    if !store::update_review(conn, &held.review, ReviewState::New, None)? {
        return Err(Error::conflict("already_claimed", "somebody has this review, or it is done"));
    }
    reviewed(conn, &held, agent, "claimed", now)
}

fn not_yours() -> Error {
    Error::conflict("not_claimed", "claim this review first")
}

/// The holder gives a review back to the queue; a manager can do so for somebody who is away.
pub fn give_back(conn: &mut Conn, agent: &Agent, id: ResponseId, now: DateTime<Utc>) -> Result<()> {
    let mut held = hold(conn, id)?;
    let holder = held.review.agent_id.filter(|holder| *holder == agent.id() || agent.role() >= Role::Manager);
    held.review.state = Named(ReviewState::New);
    (held.review.agent_id, held.review.claimed_at) = (None, None);
    if holder.is_none() || !store::update_review(conn, &held.review, ReviewState::InReview, holder)? {
        return Err(not_yours());
    }
    reviewed(conn, &held, agent, "given_back", now)
}

/// The holder has read the answer and says what caused it.
pub fn review(
    conn: &mut Conn,
    agent: &Agent,
    id: ResponseId,
    (causes, note): (Vec<String>, String),
    now: DateTime<Utc>,
) -> Result<()> {
    let mut held = hold(conn, id)?;
    let score = u8::try_from(held.response.score).ok().and_then(|score| Score::new(score).ok());
    let score = score.ok_or_else(|| Error::internal("a stored score is out of range"))?;
    if causes.is_empty() && model::needs_causes(score, &held.response.comment) {
        return Err(Error::field("causes", "missing", "name at least one cause for a score of 0 to 6 or a comment"));
    }
    held.review.state = Named(ReviewState::Reviewed);
    held.review.reviewed_at = Some(Time(now));
    (held.review.causes, held.review.note) = (Json::of(&causes)?, note);
    if !store::update_review(conn, &held.review, ReviewState::InReview, Some(agent.id()))? {
        return Err(not_yours());
    }
    causes::check(conn, &causes)?;
    reviewed(conn, &held, agent, "reviewed", now)
}

/// A person says whether a suspicious answer is genuine; said otherwise later, it is so from then on.
pub fn decide(
    conn: &mut Conn,
    config: &Config,
    agent: &Agent,
    id: ResponseId,
    is_genuine: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    let held = hold(conn, id)?;
    if held.response.confirmation.is_none() {
        return Err(Error::conflict("not_in_doubt", "nothing about this answer is in doubt"));
    }
    check_distance(agent, &held.invitation)?;
    let confirmation = if is_genuine { Confirmation::Confirmed } else { Confirmation::Rejected };
    store_answers::settle(conn, id, (held.response.flags.clone(), Some(confirmation)), Some((agent.id(), now)))?;
    let data = json!({ "response_id": id, "confirmation": confirmation });
    timeline::record(conn, held.invitation.ticket_id, Kind::AnswerDecided, Actor::Agent(agent.id()), now, data)?;
    commands_answer::changed(conn, config, &held.invitation, id, now)
}

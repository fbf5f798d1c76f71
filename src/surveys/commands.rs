//! The verbs of surveys: invite, check again and send, answer, review. Each is one transaction.
use super::model::{self, COMMENT_MAX, Facts, Outcome, ReviewState, Window};
use super::score::Score;
use super::store::{self, InvitationRow, ResponseRow, ReviewRow};
use crate::accounts::caller::Agent;
use crate::accounts::rights::Role;
use crate::accounts::{agents, contacts};
use crate::calendar::{self, hours::Mode};
use crate::config::{self, Config};
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, InvitationId, ResponseId, Secret, TicketId};
use crate::jobs::{JobKind, queue};
use crate::mail::outbox;
use crate::tickets::model::{Status, Ticket};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

/// A ticket was closed: writes its one invitation with the snapshot, and the job that will check and send it.
pub fn invite(conn: &mut Conn, config: &Config, ticket: &Ticket, repliers: &[AgentId], now: DateTime<Utc>) -> Result<()> {
    let person = contacts::find_person(conn, ticket.contact_id)?.ok_or(Error::NotFound("contact"))?;
    let survey = &config.survey;
    let outcome = if survey.enabled { Outcome::Waiting } else { Outcome::SkippedDisabled };
    let zone = person.time_zone.and_then(|zone| zone.parse().ok());
    let window = if survey.window_enabled { Some(window(config)?) } else { None };
    let zone = match (zone, &window) {
        (Some(zone), _) => zone,
        (None, None) => chrono_tz::UTC,
        (None, Some(_)) => desk_zone(conn)?,
    };
    let due_at = model::send_at(now + TimeDelta::seconds(i64::from(survey.delay_seconds)), window.as_ref(), zone);
    let row = InvitationRow {
        id: InvitationId::new(),
        ticket_id: ticket.id,
        close_number: ticket.close_count,
        contact_id: ticket.contact_id,
        closed_at: Time(now),
        due_at: Time(due_at),
        outcome: Named(outcome),
        outcome_at: Time(now),
        token_hash: None,
        unsubscribe_hash: None,
        sent_at: None,
        expires_at: None,
        is_answered: false,
        channel: Named(ticket.channel),
        priority: Named(ticket.priority),
        team_id: ticket.team_id,
        assignee_id: ticket.assignee_id,
        organization_id: ticket.organization_id,
        agent_ids: Json::of(&repliers)?,
    };
    store::insert_invitation(conn, &row)?;
    if outcome == Outcome::Waiting {
        queue::enqueue(conn, JobKind::SendSurvey, row.id.0, due_at, now)?;
    }
    Ok(())
}

fn window(config: &Config) -> Result<Window> {
    let bad = |error: config::BadSetting| Error::internal(error.to_string());
    Ok(Window {
        weekdays: config.survey.window_weekdays.clone(),
        from: config::time_of_day("survey.window_from", &config.survey.window_from).map_err(bad)?,
        to: config::time_of_day("survey.window_to", &config.survey.window_to).map_err(bad)?,
    })
}

fn desk_zone(conn: &mut Conn) -> Result<chrono_tz::Tz> {
    let calendar = calendar::default_calendar(conn)?;
    Ok(calendar.and_then(|calendar| calendar.definition.time_zone.parse().ok()).unwrap_or(chrono_tz::UTC))
}

/// Moves an invitation on and records it; false where it stood elsewhere.
fn end(conn: &mut Conn, row: &InvitationRow, from: Outcome, to: Outcome, now: DateTime<Utc>) -> Result<bool> {
    let moved = store::set_outcome(conn, row.id, from, to, now)?;
    if moved {
        let data = json!({ "close_number": row.close_number, "outcome": to });
        timeline::record(conn, row.ticket_id, Kind::SurveyOutcome, Actor::Desk, now, data)?;
    }
    Ok(moved)
}

/// The ticket is open again: an invitation that still waits is not sent.
pub fn cancel(conn: &mut Conn, ticket: TicketId, close_number: i32, now: DateTime<Utc>) -> Result<()> {
    if let Some((id, Outcome::Waiting)) = store::find_of_close(conn, ticket, close_number)?
        && let Some(row) = store::find_invitation(conn, id)?
    {
        // Where another node is sending it at this moment, its job must end it.
        if end(conn, &row, Outcome::Waiting, Outcome::CancelledReopened, now)? {
            queue::cancel(conn, id.0)?;
            outbox::survey_cancelled(conn, id.0)?;
        }
    }
    Ok(())
}

/// An invitation that may go out now: everything the letter needs, and tokens that exist nowhere else.
pub struct Ready {
    /// Which.
    pub id: InvitationId,
    /// About which ticket.
    pub ticket_id: TicketId,
    /// Its number.
    pub ticket_number: i64,
    /// Its subject.
    pub ticket_subject: String,
    /// The recipient.
    pub email: String,
    /// How to greet them.
    pub contact_name: String,
    /// Opens the page.
    pub token: Secret,
    /// Stops surveys.
    pub unsubscribe: Secret,
    /// Until when it can be answered.
    pub expires_at: DateTime<Utc>,
}

/// The claiming transaction: checks everything again, then marks the invitation as being sent. `None`: it is not sent.
/// An invitation found half-way was handed over by a process that died: it is `unknown` and never sent twice.
pub fn prepare(conn: &mut Conn, config: &Config, id: Uuid, now: DateTime<Utc>) -> Result<Option<Ready>> {
    let Some(row) = store::find_invitation(conn, InvitationId(id))? else { return Ok(None) };
    match row.outcome.0 {
        Outcome::Waiting => {}
        Outcome::Sending => {
            end(conn, &row, Outcome::Sending, Outcome::Unknown, now)?;
            outbox::survey_unknown(conn, id, "the desk stopped while the letter was handed over")?;
            return Ok(None);
        }
        _ => return Ok(None),
    }
    // Two letters of one contact are looked at one after the other, also on two nodes.
    contacts::lock(conn, row.contact_id)?;
    let ticket = crate::tickets::queries::find(conn, row.ticket_id)?;
    let email = contacts::primary_email(conn, row.contact_id)?;
    let person = contacts::find_person(conn, row.contact_id)?.ok_or(Error::NotFound("contact"))?;
    let throttle_days = config.survey.throttle_days;
    let facts = Facts {
        is_enabled: config.survey.enabled,
        is_that_close: ticket.status == Status::Closed && ticket.close_count == row.close_number,
        is_superseded: store::has_later(conn, &row)?,
        is_unsubscribed: person.surveys_stopped,
        has_email: email.is_some(),
        is_staff: match &email {
            Some(address) => agents::find_by_email(conn, address)?.is_some(),
            None => false,
        },
        is_throttled: throttle_days > 0
            && store::was_asked_since(conn, row.contact_id, now - TimeDelta::days(i64::from(throttle_days)))?,
    };
    if let Some(outcome) = model::hindrance(&facts) {
        end(conn, &row, Outcome::Waiting, outcome, now)?;
        outbox::survey_cancelled(conn, id)?;
        return Ok(None);
    }
    if !store::set_outcome(conn, row.id, Outcome::Waiting, Outcome::Sending, now)? {
        return Ok(None);
    }
    let (token, unsubscribe) = (Secret::new()?, Secret::new()?);
    let expires_at = now + TimeDelta::days(i64::from(config.survey.valid_days));
    store::set_tokens(conn, row.id, (token.digest(), unsubscribe.digest()), expires_at)?;
    Ok(Some(Ready {
        id: row.id,
        ticket_id: row.ticket_id,
        ticket_number: ticket.number,
        ticket_subject: ticket.subject,
        email: email.unwrap_or_default(),
        contact_name: person.name,
        token,
        unsubscribe,
        expires_at,
    }))
}

/// How the hand-over of a letter ended.
pub fn handed_over(conn: &mut Conn, id: InvitationId, outcome: Outcome, now: DateTime<Utc>) -> Result<()> {
    let Some(row) = store::find_invitation(conn, id)? else { return Ok(()) };
    match outcome {
        // It was surely not taken: it waits again, without an event for each try.
        Outcome::Waiting => {
            store::set_outcome(conn, id, Outcome::Sending, Outcome::Waiting, now)?;
        }
        Outcome::Sent => {
            store::set_sent(conn, id, now)?;
            end(conn, &row, Outcome::Sending, Outcome::Sent, now)?;
        }
        other => {
            end(conn, &row, Outcome::Sending, other, now)?;
        }
    }
    Ok(())
}

/// The job was given up: the close has its named outcome, and the letter can be released.
pub fn failed(conn: &mut Conn, id: Uuid, error: &str, now: DateTime<Utc>) -> Result<()> {
    if let Some(row) = store::find_invitation(conn, InvitationId(id))? {
        end(conn, &row, Outcome::Waiting, Outcome::Failed, now)?;
        outbox::survey_parked(conn, id, error)?;
    }
    Ok(())
}

/// A person releases a letter that was given up.
pub fn release(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    if let Some(row) = store::find_invitation(conn, InvitationId(id))? {
        end(conn, &row, Outcome::Failed, Outcome::Waiting, now)?;
    }
    Ok(())
}

/// The contact pressed the button. The first answer makes a review; a later one within the edit time is a revision.
pub fn answer(
    conn: &mut Conn,
    config: &Config,
    token_hash: &[u8],
    (score, comment): (Score, &str),
    now: DateTime<Utc>,
) -> Result<()> {
    store::lock(conn, token_hash)?;
    let invitation = store::find_open(conn, token_hash, now)?;
    if comment.chars().count() > COMMENT_MAX {
        return Err(Error::field("comment", "length", format!("must be at most {COMMENT_MAX} characters")));
    }
    let number = i32::from(score.get());
    let first = ResponseRow {
        id: ResponseId::new(),
        invitation_id: invitation.id,
        score: number,
        comment: comment.to_owned(),
        answered_at: Time(now),
        edited_at: None,
        revision: 1,
    };
    let before = store::find_response_of(conn, invitation.id)?;
    let before = match before {
        None if store::insert_response(conn, &first)? => None,
        None => store::find_response_of(conn, invitation.id)?,
        some => some,
    };
    let due_at = review_due(conn, config, now)?;
    let (id, revision) = match before {
        None => {
            let review = new_review(first.id, score, comment, due_at);
            store::insert_review(conn, &review)?;
            (first.id, 1)
        }
        Some(before) => {
            if before.score == number && before.comment == comment {
                return Ok(());
            }
            if !model::can_edit(before.answered_at.0, config.survey.edit_hours, now) {
                return Err(Error::conflict("edit_time_over", "the time to change this answer is over"));
            }
            store::revise(conn, &before, number, comment, now)?;
            review_again(conn, before.id, score, comment, due_at)?;
            (before.id, before.revision + 1)
        }
    };
    let data = json!({ "response_id": id, "score": number, "revision": revision });
    timeline::record(conn, invitation.ticket_id, Kind::SurveyAnswered, Actor::Contact(invitation.contact_id), now, data)
}

fn new_review(id: ResponseId, score: Score, comment: &str, due_at: Option<DateTime<Utc>>) -> ReviewRow {
    ReviewRow {
        response_id: id,
        state: Named(ReviewState::New),
        rank: model::rank(score, comment),
        due_at: due_at.map(Time),
        agent_id: None,
        claimed_at: None,
        reviewed_at: None,
        causes: Json(json!([])),
        note: String::new(),
    }
}

/// An edit after the review reopens it; one before only changes its place in the queue.
fn review_again(conn: &mut Conn, id: ResponseId, score: Score, comment: &str, due_at: Option<DateTime<Utc>>) -> Result<()> {
    store::lock_review(conn, id)?;
    let Some(review) = store::find_review(conn, id)? else { return Ok(()) };
    let (state, held_by) = (review.state.0, review.agent_id);
    let next = if state == ReviewState::Reviewed {
        ReviewRow { causes: review.causes, note: review.note, ..new_review(id, score, comment, due_at) }
    } else {
        ReviewRow { rank: model::rank(score, comment), ..review }
    };
    store::update_review(conn, &next, state, held_by)?;
    Ok(())
}

fn review_due(conn: &mut Conn, config: &Config, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    use chrono::SubsecRound;
    let Some(calendar) = calendar::default_calendar(conn)? else { return Ok(None) };
    let seconds = i64::from(config.survey.review_seconds);
    Ok(calendar.hours()?.due(Mode::BusinessHours, now.trunc_subsecs(0), seconds).ok())
}

/// The contact wants no more surveys.
pub fn unsubscribe(conn: &mut Conn, unsubscribe_hash: &[u8], now: DateTime<Utc>) -> Result<()> {
    let row = store::find_by_unsubscribe(conn, unsubscribe_hash)?.ok_or(Error::NotFound("survey"))?;
    let person = contacts::find_person(conn, row.contact_id)?.ok_or(Error::NotFound("contact"))?;
    if person.surveys_stopped {
        return Ok(());
    }
    contacts::stop_surveys(conn, row.contact_id, now)?;
    timeline::record(conn, row.ticket_id, Kind::SurveysStopped, Actor::Contact(row.contact_id), now, json!({}))
}

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

/// An agent takes a review; the first one gets it, and never one who handled the ticket.
pub fn claim(conn: &mut Conn, agent: &Agent, id: ResponseId, now: DateTime<Utc>) -> Result<()> {
    let mut held = hold(conn, id)?;
    let repliers: Vec<AgentId> = held.invitation.agent_ids.clone().to()?;
    if !model::may_review(agent.id(), held.invitation.assignee_id, &repliers) {
        return Err(Error::conflict("own_ticket", "you handled this ticket: somebody else must review the answer"));
    }
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
    reviewed(conn, &held, agent, "reviewed", now)
}

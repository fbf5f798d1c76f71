//! The verbs of answers by mail: take one in, confirm it, dismiss it. Each is one transaction.
use super::model::{self, MailAnswerState};
use super::store::{self, MailAnswerRow};
use crate::accounts::caller::Agent;
use crate::audit;
use crate::config::Config;
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{InboundMailId, InvitationId, MailAnswerId, MessageId, TicketId};
use crate::surveys::commands_answer::{self, ByMail};
use crate::surveys::commands_review::check_distance;
use crate::surveys::queries::{self, InvitationRow};
use crate::surveys::score::Score;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// A mail that answers a survey.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct MailAnswer {
    pub mail: InboundMailId,
    /// Where it is shown; a relationship survey has no ticket.
    pub message: Option<(TicketId, MessageId)>,
    pub sender: String,
    /// The new text.
    pub said: String,
    pub received_at: DateTime<Utc>,
}

/// Puts a mail into the queue of reviews, with the number found in it. It counts nowhere yet. False where there is no such survey.
pub fn take(conn: &mut Conn, config: &Config, invitation: InvitationId, mail: MailAnswer, now: DateTime<Utc>) -> Result<bool> {
    let Some(asked) = queries::invitation(conn, invitation)? else { return Ok(false) };
    let score = model::found_score(&mail.said).map(|score| i32::from(score.get()));
    let due_at = commands_answer::due(conn, asked.team_id, config.survey.review_seconds, now)?;
    let row = MailAnswerRow {
        id: MailAnswerId::new(),
        invitation_id: invitation,
        mail_id: mail.mail,
        message_id: mail.message.map(|(_, message)| message),
        sender: mail.sender,
        body: model::comment(&mail.said),
        score,
        state: Named(MailAnswerState::Waiting),
        received_at: Time(mail.received_at),
        due_at: due_at.map(Time),
        decided_at: None,
        decided_by: None,
        response_id: None,
        created_at: Time(now),
    };
    store::insert(conn, &row)?;
    let ticket = mail.message.map(|(ticket, _)| ticket);
    let data = json!({ "invitation_id": invitation, "mail_answer_id": row.id, "message_id": row.message_id, "score": score });
    timeline::record(conn, ticket, Kind::SurveyAnsweredByMail, Actor::Contact(asked.contact_id), mail.received_at, data)?;
    Ok(true)
}

fn hold(conn: &mut Conn, agent: &Agent, id: MailAnswerId) -> Result<(MailAnswerRow, InvitationRow)> {
    let missing = || Error::NotFound("answer by mail");
    let row = store::lock(conn, id)?.ok_or_else(missing)?;
    let invitation = queries::invitation(conn, row.invitation_id)?.ok_or_else(missing)?;
    check_distance(agent, &invitation)?;
    Ok((row, invitation))
}

fn decided(
    conn: &mut Conn,
    agent: &Agent,
    (mut row, ticket): (MailAnswerRow, Option<TicketId>),
    to: MailAnswerState,
    now: DateTime<Utc>,
) -> Result<()> {
    let before = json!({ "state": row.state.0, "score": null });
    (row.state, row.decided_at, row.decided_by) = (Named(to), Some(Time(now)), Some(agent.id()));
    store::save(conn, &row)?;
    let data = json!({ "mail_answer_id": row.id, "response_id": row.response_id, "decision": to });
    timeline::record(conn, ticket, Kind::AnswerDecided, Actor::Agent(agent.id()), now, data)?;
    let after = json!({ "state": to, "score": row.score });
    audit::changed(conn, Actor::Agent(agent.id()), ("mail_answer", row.id.0), (&before, &after), now)
}

/// A person says which score a mail gives: it is an answer from then on, counted and reviewed like any other. Without a `score` it is
/// the number found. Whoever handled the ticket cannot.
pub fn confirm(
    conn: &mut Conn,
    config: &Config,
    agent: &Agent,
    (id, score): (MailAnswerId, Option<Score>),
    now: DateTime<Utc>,
) -> Result<()> {
    let (mut row, invitation) = hold(conn, agent, id)?;
    if row.state.0 == MailAnswerState::Confirmed {
        return Err(Error::conflict("already_confirmed", "it counts already; its answer can be rejected"));
    }
    let found = row.score.and_then(|score| u8::try_from(score).ok()).and_then(|score| Score::new(score).ok());
    let missing = || Error::field("score", "missing", "no number was found in this mail: say which score it gives");
    let score = score.or(found).ok_or_else(missing)?;
    let said = ByMail { score, comment: row.body.clone(), received_at: row.received_at.0, decided_by: agent.id() };
    row.response_id = Some(commands_answer::answer_by_mail(conn, config, &invitation, &said, now)?);
    row.score = Some(i32::from(score.get()));
    decided(conn, agent, (row, invitation.ticket_id), MailAnswerState::Confirmed, now)
}

/// A person says that a mail gives no score. It can still be confirmed later.
pub fn dismiss(conn: &mut Conn, agent: &Agent, id: MailAnswerId, now: DateTime<Utc>) -> Result<()> {
    let (row, invitation) = hold(conn, agent, id)?;
    match row.state.0 {
        MailAnswerState::Waiting => decided(conn, agent, (row, invitation.ticket_id), MailAnswerState::Dismissed, now),
        MailAnswerState::Dismissed => Err(Error::conflict("already_dismissed", "it is dismissed already")),
        MailAnswerState::Confirmed => Err(Error::conflict("already_confirmed", "it counts already; its answer can be rejected")),
    }
}

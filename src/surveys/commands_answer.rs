//! The verbs of those who were asked: answer, change the answer, want no more surveys. Each is one transaction.
use super::followups;
use super::mail_answers::model::{self as by_mail, Standing, TooLate};
use super::model::{self, COMMENT_MAX, Confirmation, ReviewState};
use super::score::Score;
use super::store::{self, InvitationRow, ResponseRow, ReviewRow};
use super::store_answers;
use super::suspicion::{self, Flag, Press};
use crate::accounts::{contacts, teams};
use crate::calendar::{self, hours::Mode};
use crate::config::Config;
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, ResponseId, TeamId};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, SubsecRound, Utc};
use serde_json::json;

/// The contact pressed the button. The first answer makes a review; a later one within the edit time is a revision.
/// One that looks machine-made is kept and not counted; says whether it does.
pub fn answer(
    conn: &mut Conn,
    config: &Config,
    token_hash: &[u8],
    (score, comment): (Score, &str),
    press: &Press,
    now: DateTime<Utc>,
) -> Result<bool> {
    let invitation = store::find_open(conn, token_hash, now)?;
    store::lock(conn, invitation.id)?;
    if comment.chars().count() > COMMENT_MAX {
        return Err(Error::field("comment", "length", format!("must be at most {COMMENT_MAX} characters")));
    }
    let flags = suspicion::flags(press, invitation.id, now);
    let is_suspicious = !flags.is_empty();
    let first = ResponseRow {
        id: ResponseId::new(),
        invitation_id: invitation.id,
        score: i32::from(score.get()),
        comment: comment.to_owned(),
        answered_at: Time(now),
        edited_at: None,
        revision: 1,
        flags: Json::of(&flags)?,
        confirmation: is_suspicious.then_some(Named(Confirmation::Unconfirmed)),
        decided_at: None,
        decided_by: None,
        is_counted: !is_suspicious,
        next_score: None,
    };
    let before = match store::find_response_of(conn, invitation.id)? {
        None if store::insert_response(conn, &first)? => None,
        None => store::find_response_of(conn, invitation.id)?,
        some => some,
    };
    let (id, revision) = match before {
        None => {
            let due_at = review_due(conn, config, invitation.team_id, now)?;
            store::insert_review(conn, &new_review(first.id, score, comment, due_at))?;
            (first.id, 1)
        }
        Some(before) => {
            let revision = change(conn, config, &invitation, (&before, &first), score, now)?;
            let Some(revision) = revision else { return Ok(is_suspicious) };
            (before.id, revision)
        }
    };
    let data = json!({ "response_id": id, "score": score.get(), "revision": revision, "flags": flags });
    timeline::record(conn, invitation.ticket_id, Kind::SurveyAnswered, Actor::Contact(invitation.contact_id), now, data)?;
    changed(conn, config, &invitation, id, now)?;
    Ok(is_suspicious)
}

/// What the page said the second time. Gives the new revision, or `None` where nothing is new.
fn change(
    conn: &mut Conn,
    config: &Config,
    invitation: &InvitationRow,
    (before, after): (&ResponseRow, &ResponseRow),
    score: Score,
    now: DateTime<Utc>,
) -> Result<Option<i32>> {
    let is_same = before.score == after.score && before.comment == after.comment;
    let is_in_doubt = model::is_in_doubt(before.confirmation.map(|named| named.0));
    let is_trusted_now = is_in_doubt && after.is_counted;
    if is_same && !is_trusted_now {
        return Ok(None);
    }
    if !is_in_doubt && !model::can_edit(before.answered_at.0, config.survey.edit_hours, now) {
        return Err(Error::conflict("edit_time_over", "the time to change this answer is over"));
    }
    if is_trusted_now || !after.is_counted {
        store_answers::settle(conn, before.id, (after.flags.clone(), after.confirmation.map(|named| named.0)), None)?;
    }
    if is_same {
        return Ok(Some(before.revision));
    }
    store::revise(conn, before, after.score, &after.comment, now)?;
    let due_at = review_due(conn, config, invitation.team_id, now)?;
    review_again(conn, before.id, score, &after.comment, due_at)?;
    Ok(Some(before.revision + 1))
}

/// What a person read in a mail of the contact's.
#[derive(Debug)]
pub(super) struct ByMail {
    pub(super) score: Score,
    pub(super) comment: String,
    pub(super) received_at: DateTime<Utc>,
    pub(super) decided_by: AgentId,
}

/// A person confirmed what the contact answered by mail: it counts as if they had pressed the button when the mail came.
pub(super) fn answer_by_mail(
    conn: &mut Conn,
    config: &Config,
    invitation: &InvitationRow,
    said: &ByMail,
    now: DateTime<Utc>,
) -> Result<ResponseId> {
    store::lock(conn, invitation.id)?;
    let before = store::find_response_of(conn, invitation.id)?;
    let standing = before.as_ref().map(|before| Standing {
        answered_at: before.answered_at.0,
        said_at: before.edited_at.unwrap_or(before.answered_at).0,
        is_in_doubt: model::is_in_doubt(before.confirmation.map(|named| named.0)),
    });
    let expires_at = invitation.expires_at.map(|at| at.0);
    by_mail::check(said.received_at, expires_at, standing, config.survey.edit_hours).map_err(|late| match late {
        TooLate::Ended => Error::conflict("survey_ended", "the survey had ended when this mail came"),
        TooLate::AnsweredSince => Error::conflict("answered_since", "the contact has answered on the page since"),
        TooLate::EditTimeOver => Error::conflict("edit_time_over", "the time to change this answer was over when the mail came"),
    })?;
    let (flags, decided) = (Json::of(&[Flag::ByMail])?, Some((said.decided_by, now)));
    let due_at = review_due(conn, config, invitation.team_id, now)?;
    let (id, revision) = match before {
        None => {
            let first = ResponseRow {
                id: ResponseId::new(),
                invitation_id: invitation.id,
                score: i32::from(said.score.get()),
                comment: said.comment.clone(),
                answered_at: Time(said.received_at),
                edited_at: None,
                revision: 1,
                flags,
                confirmation: Some(Named(Confirmation::Confirmed)),
                decided_at: Some(Time(now)),
                decided_by: Some(said.decided_by),
                is_counted: true,
                next_score: None,
            };
            // Locked above: nobody was faster.
            store::insert_response(conn, &first)?;
            store::insert_review(conn, &new_review(first.id, said.score, &said.comment, due_at))?;
            (first.id, 1)
        }
        Some(before) => {
            store_answers::settle(conn, before.id, (flags, Some(Confirmation::Confirmed)), decided)?;
            store::revise(conn, &before, i32::from(said.score.get()), &said.comment, said.received_at)?;
            review_again(conn, before.id, said.score, &said.comment, due_at)?;
            (before.id, before.revision + 1)
        }
    };
    let data = json!({ "response_id": id, "score": said.score.get(), "revision": revision, "flags": [Flag::ByMail] });
    timeline::record(conn, invitation.ticket_id, Kind::SurveyAnswered, Actor::Contact(invitation.contact_id), now, data)?;
    changed(conn, config, invitation, id, now)?;
    Ok(id)
}

/// An answer is new, or counts or scores otherwise: what follows from it is brought up to date.
pub(super) fn changed(
    conn: &mut Conn,
    config: &Config,
    invitation: &InvitationRow,
    id: ResponseId,
    now: DateTime<Utc>,
) -> Result<()> {
    // Two answers of one contact tell each other one after the other.
    contacts::lock(conn, invitation.contact_id)?;
    let Some(answer) = store::find_response(conn, id)? else { return Ok(()) };
    store_answers::retell(conn, invitation.contact_id, invitation.kind.0, &answer)?;
    followups::commands::keep(conn, config, invitation, &answer, now)
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

fn review_due(conn: &mut Conn, config: &Config, team: Option<TeamId>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    due(conn, team, config.survey.review_seconds, now)
}

/// When so much open time of the team, or of the desk, has gone by; `None` where it never does.
pub(super) fn due(conn: &mut Conn, team: Option<TeamId>, seconds: u32, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let own = match team {
        Some(team) => teams::calendar_of(conn, team)?.flatten(),
        None => None,
    };
    let Some(calendar) = calendar::in_force(conn, own)? else { return Ok(None) };
    Ok(calendar.hours.due(Mode::BusinessHours, now.trunc_subsecs(0), i64::from(seconds)).ok())
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

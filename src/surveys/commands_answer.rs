//! The verbs of those who were asked: answer, change the answer, want no more surveys. Each is one transaction.
use super::model::{self, COMMENT_MAX, ReviewState};
use super::score::Score;
use super::store::{self, ResponseRow, ReviewRow};
use crate::accounts::contacts;
use crate::calendar::{self, hours::Mode};
use crate::config::Config;
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::ResponseId;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// The contact pressed the button. The first answer makes a review; a later one within the edit time is a revision.
pub fn answer(
    conn: &mut Conn,
    config: &Config,
    token_hash: &[u8],
    (score, comment): (Score, &str),
    now: DateTime<Utc>,
) -> Result<()> {
    let invitation = store::find_open(conn, token_hash, now)?;
    store::lock(conn, invitation.id)?;
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

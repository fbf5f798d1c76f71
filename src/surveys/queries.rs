//! Lists of answers with their reviews.
use super::model::{Confirmation, DETRACTOR_MAX, ReviewState, SurveyKind};
pub use super::store::{InvitationRow, ResponseRow, ReviewRow};
use crate::db::{
    Conn,
    schema::{contacts, survey_invitations, survey_responses, survey_reviews, survey_revisions, tickets},
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{InvitationId, ResponseId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// An answer with all that belongs to it: response, review, invitation, ticket number, contact's name.
pub type Answered = (ResponseRow, ReviewRow, InvitationRow, Option<i64>, String);

/// Which answers; what is `None` does not filter.
#[derive(Debug, Default, Clone, Copy)]
pub struct Filter {
    /// What was asked about.
    pub kind: Option<SurveyKind>,
    /// Where the review stands.
    pub review: Option<ReviewState>,
    /// Scores at or above.
    pub score_min: Option<i32>,
    /// Scores at or below.
    pub score_max: Option<i32>,
    /// Answered at or after.
    pub from: Option<DateTime<Utc>>,
    /// Answered before.
    pub to: Option<DateTime<Utc>>,
    /// Suspicious ones that stand so.
    pub confirmation: Option<Confirmation>,
    /// Counted in figures, or not.
    pub is_counted: Option<bool>,
    /// Detractors whose next answer was, or was not, 7 or more.
    pub is_recovered: Option<bool>,
    /// Review due and not done at this instant, or the opposite.
    pub is_overdue: Option<(bool, DateTime<Utc>)>,
}

macro_rules! answered {
    () => {
        survey_reviews::table
            .inner_join(survey_responses::table.on(survey_responses::id.eq(survey_reviews::response_id)))
            .inner_join(survey_invitations::table.on(survey_invitations::id.eq(survey_responses::invitation_id)))
            .left_join(tickets::table.on(tickets::id.nullable().eq(survey_invitations::ticket_id)))
            .inner_join(contacts::table.on(contacts::id.eq(survey_invitations::contact_id)))
            .select((
                ResponseRow::as_select(),
                ReviewRow::as_select(),
                InvitationRow::as_select(),
                tickets::number.nullable(),
                contacts::name,
            ))
    };
}

/// A page in the order of review: detractors with a comment first, oldest first. One query.
pub fn list(conn: &mut Conn, filter: Filter, after: Option<(i32, ResponseId)>, limit: i64) -> Result<Vec<Answered>> {
    let mut query = answered!().limit(limit).into_boxed();
    if let Some(kind) = filter.kind {
        query = query.filter(survey_invitations::kind.eq(Named(kind)));
    }
    if let Some(state) = filter.review {
        query = query.filter(survey_reviews::state.eq(Named(state)));
    }
    if let Some(score) = filter.score_min {
        query = query.filter(survey_responses::score.ge(score));
    }
    if let Some(score) = filter.score_max {
        query = query.filter(survey_responses::score.le(score));
    }
    if let Some(from) = filter.from {
        query = query.filter(survey_responses::answered_at.ge(Time(from)));
    }
    if let Some(to) = filter.to {
        query = query.filter(survey_responses::answered_at.lt(Time(to)));
    }
    if let Some(confirmation) = filter.confirmation {
        query = query.filter(survey_responses::confirmation.eq(Named(confirmation)));
    }
    if let Some(is_counted) = filter.is_counted {
        query = query.filter(survey_responses::is_counted.eq(is_counted));
    }
    if let Some(is_recovered) = filter.is_recovered {
        let next = survey_responses::next_score;
        query = query.filter(survey_responses::score.le(DETRACTOR_MAX));
        query = if is_recovered {
            query.filter(next.gt(DETRACTOR_MAX))
        } else {
            query.filter(next.is_null().or(next.le(DETRACTOR_MAX)))
        };
    }
    if let Some((is_overdue, now)) = filter.is_overdue {
        let (state, due) = (survey_reviews::state, survey_reviews::due_at);
        let done = Named(ReviewState::Reviewed);
        query = if is_overdue {
            query.filter(state.ne(done).and(due.lt(Time(now))))
        } else {
            query.filter(state.eq(done).or(due.is_null()).or(due.ge(Time(now))))
        };
    }
    if let Some((rank, id)) = after {
        let later = survey_reviews::rank.gt(rank).or(survey_reviews::rank.eq(rank).and(survey_reviews::response_id.gt(id)));
        query = query.filter(later);
    }
    Ok(query.order((survey_reviews::rank, survey_reviews::response_id)).load(conn)?)
}

/// One answer. One query.
pub fn find(conn: &mut Conn, id: ResponseId) -> Result<Answered> {
    answered!().filter(survey_reviews::response_id.eq(id)).first(conn).optional()?.ok_or(Error::NotFound("survey response"))
}

/// What a survey's page shows.
pub struct Seen {
    /// Number and subject of the ticket that is asked about; a relationship survey is about none.
    pub ticket: Option<(i64, String)>,
    /// The answer so far.
    pub answer: Option<ResponseRow>,
    /// What seals the page's stamp.
    pub key: InvitationId,
}

/// The survey behind a token: unknown ones are not found, expired ones are gone. Three queries, none writes.
pub fn seen(conn: &mut Conn, token_hash: &[u8], now: DateTime<Utc>) -> Result<Seen> {
    let invitation = super::store::find_open(conn, token_hash, now)?;
    let ticket = match invitation.ticket_id {
        None => None,
        Some(id) => {
            let found =
                tickets::table.filter(tickets::id.eq(id)).select((tickets::number, tickets::subject)).first(conn).optional()?;
            Some(found.ok_or(Error::NotFound("survey"))?)
        }
    };
    let answer = super::store::find_response_of(conn, invitation.id)?;
    Ok(Seen { ticket, answer, key: invitation.id })
}

/// Refuses an unsubscribe token that names no invitation.
pub fn knows_unsubscribe(conn: &mut Conn, hash: &[u8]) -> Result<()> {
    super::store::find_by_unsubscribe(conn, hash)?.map(|_| ()).ok_or(Error::NotFound("survey"))
}

/// An invitation by id, for the slices within this one. One query.
pub(super) fn invitation(conn: &mut Conn, id: InvitationId) -> Result<Option<InvitationRow>> {
    super::store::find_invitation(conn, id)
}

/// What an answer said before an edit: revision, score, comment, since when it said so.
pub type Earlier = (i32, i32, String, Time);

/// What an answer said before its edits, oldest first. Two queries.
pub fn revisions(conn: &mut Conn, id: ResponseId, after: Option<i32>, limit: i64) -> Result<Vec<Earlier>> {
    use survey_revisions as v;
    super::store::find_response(conn, id)?.ok_or(Error::NotFound("survey response"))?;
    Ok(v::table
        .filter(v::response_id.eq(id).and(v::revision.gt(after.unwrap_or(0))))
        .order(v::revision)
        .limit(limit)
        .select((v::revision, v::score, v::comment, v::at))
        .load(conn)?)
}

/// Of the counted detractors of a period: how many there are, how many answered again, and how many of those with 7 or more.
/// One query, which reads one number an answer.
pub fn recovery(conn: &mut Conn, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(u64, u64, u64)> {
    use survey_responses as r;
    let next: Vec<Option<i32>> = r::table
        .inner_join(survey_invitations::table.on(survey_invitations::id.eq(r::invitation_id)))
        .filter(r::answered_at.ge(Time(from)).and(r::answered_at.lt(Time(to))))
        .filter(r::is_counted.eq(true).and(r::score.le(DETRACTOR_MAX)))
        .filter(survey_invitations::kind.eq(Named(SurveyKind::Transactional)))
        .select(r::next_score)
        .load(conn)?;
    let again = next.iter().flatten().count();
    let recovered = next.iter().flatten().filter(|score| **score > DETRACTOR_MAX).count();
    Ok((next.len() as u64, again as u64, recovered as u64))
}

/// An answer by id, alone. One query.
pub(super) fn response(conn: &mut Conn, id: ResponseId) -> Result<Option<ResponseRow>> {
    super::store::find_response(conn, id)
}

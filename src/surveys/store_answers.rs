//! What makes an answer count, and what the contact answered next.
use super::model::{Confirmation, SurveyKind};
use super::store::ResponseRow;
use crate::db::{
    Conn,
    schema::{survey_invitations, survey_responses},
    types::{Json, Named, Time},
};
use crate::error::Result;
use crate::ids::{AgentId, ContactId, ResponseId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Saves whether an answer counts, and what is said against it.
pub(super) fn settle(
    conn: &mut Conn,
    id: ResponseId,
    (flags, confirmation): (Json, Option<Confirmation>),
    decided: Option<(AgentId, DateTime<Utc>)>,
) -> Result<()> {
    use survey_responses as r;
    diesel::update(r::table.find(id))
        .set((
            r::flags.eq(flags),
            r::confirmation.eq(confirmation.map(Named)),
            r::decided_by.eq(decided.map(|(agent, _)| agent)),
            r::decided_at.eq(decided.map(|(_, at)| Time(at))),
            r::is_counted.eq(!super::model::is_in_doubt(confirmation)),
        ))
        .execute(conn)?;
    Ok(())
}

/// The contact's counted answer before or after another one: its id and score.
fn neighbour(
    conn: &mut Conn,
    contact: ContactId,
    (kind, of): (SurveyKind, &ResponseRow),
    is_next: bool,
) -> Result<Option<(ResponseId, i32)>> {
    use survey_invitations as i;
    use survey_responses as r;
    let query = r::table
        .inner_join(i::table.on(i::id.eq(r::invitation_id)))
        .filter(i::contact_id.eq(contact).and(i::kind.eq(Named(kind))).and(r::is_counted.eq(true)))
        .select((r::id, r::score))
        .limit(1)
        .into_boxed();
    let query = if is_next {
        query
            .filter(r::answered_at.gt(of.answered_at).or(r::answered_at.eq(of.answered_at).and(r::id.gt(of.id))))
            .order((r::answered_at, r::id))
    } else {
        query
            .filter(r::answered_at.lt(of.answered_at).or(r::answered_at.eq(of.answered_at).and(r::id.lt(of.id))))
            .order((r::answered_at.desc(), r::id.desc()))
    };
    Ok(query.first(conn).optional()?)
}

fn set_next(conn: &mut Conn, id: ResponseId, next: Option<i32>) -> Result<()> {
    diesel::update(survey_responses::table.find(id)).set(survey_responses::next_score.eq(next)).execute(conn)?;
    Ok(())
}

/// An answer is new, or counts or scores otherwise than before: tells it and the one before what came next.
/// Two queries and up to two updates.
pub(super) fn retell(conn: &mut Conn, contact: ContactId, kind: SurveyKind, answer: &ResponseRow) -> Result<()> {
    let next = neighbour(conn, contact, (kind, answer), true)?.map(|(_, score)| score);
    let own = if answer.is_counted { next } else { None };
    if own != answer.next_score {
        set_next(conn, answer.id, own)?;
    }
    if let Some((before, _)) = neighbour(conn, contact, (kind, answer), false)? {
        set_next(conn, before, if answer.is_counted { Some(answer.score) } else { next })?;
    }
    Ok(())
}

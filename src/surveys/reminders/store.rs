//! Reminder rows: at most one an invitation.
use crate::Result;
use crate::db::{
    Conn,
    ext::OnConflictExt,
    schema::survey_reminders,
    types::{Named, Time},
};
use crate::ids::{InvitationId, ReminderId};
use crate::surveys::model::Outcome;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A reminder as stored, without its secrets.
#[derive(Queryable, Debug, Clone)]
pub struct ReminderRow {
    pub id: ReminderId,
    pub invitation_id: InvitationId,
    pub outcome: Named<Outcome>,
}

/// Writes one that waits; `None` where the invitation has one (the index decides).
pub(super) fn insert(
    conn: &mut Conn,
    invitation: InvitationId,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<ReminderId>> {
    let id = ReminderId::new();
    let written = diesel::insert_into(survey_reminders::table)
        .values((
            survey_reminders::id.eq(id),
            survey_reminders::invitation_id.eq(invitation),
            survey_reminders::due_at.eq(Time(due_at)),
            survey_reminders::outcome.eq(Named(Outcome::Waiting)),
            survey_reminders::outcome_at.eq(Time(now)),
        ))
        .or_ignore()
        .execute(conn)?;
    Ok((written == 1).then_some(id))
}

pub(super) fn find(conn: &mut Conn, id: ReminderId) -> Result<Option<ReminderRow>> {
    Ok(survey_reminders::table
        .find(id)
        .select((survey_reminders::id, survey_reminders::invitation_id, survey_reminders::outcome))
        .first(conn)
        .optional()?)
}

/// Moves a reminder on, but only from where it stood. Says whether it moved.
pub(super) fn set_outcome(conn: &mut Conn, id: ReminderId, from: Outcome, to: Outcome, now: DateTime<Utc>) -> Result<bool> {
    use survey_reminders as r;
    let moved = diesel::update(r::table.find(id).filter(r::outcome.eq(Named(from))))
        .set((r::outcome.eq(Named(to)), r::outcome_at.eq(Time(now))))
        .execute(conn)?;
    Ok(moved == 1)
}

/// Writes the hashes of its letter's tokens.
pub(super) fn set_tokens(conn: &mut Conn, id: ReminderId, (token, unsubscribe): (Vec<u8>, Vec<u8>)) -> Result<()> {
    use survey_reminders as r;
    diesel::update(r::table.find(id)).set((r::token_hash.eq(token), r::unsubscribe_hash.eq(unsubscribe))).execute(conn)?;
    Ok(())
}

pub(super) fn set_sent(conn: &mut Conn, id: ReminderId, now: DateTime<Utc>) -> Result<()> {
    diesel::update(survey_reminders::table.find(id)).set(survey_reminders::sent_at.eq(Time(now))).execute(conn)?;
    Ok(())
}

/// The invitation whose reminder's letter has a link with this token.
pub fn find_by_token(conn: &mut Conn, hash: &[u8]) -> Result<Option<InvitationId>> {
    use survey_reminders as r;
    Ok(r::table.filter(r::token_hash.eq(hash)).select(r::invitation_id).first(conn).optional()?)
}

/// The same for the link that stops surveys.
pub fn find_by_unsubscribe(conn: &mut Conn, hash: &[u8]) -> Result<Option<InvitationId>> {
    use survey_reminders as r;
    Ok(r::table.filter(r::unsubscribe_hash.eq(hash)).select(r::invitation_id).first(conn).optional()?)
}

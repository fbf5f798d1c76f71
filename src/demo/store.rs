//! What the verbs do not tell: whether a desk is in use, the invitation of a close, and letters of the past.
use crate::Result;
use crate::db::{
    Conn,
    schema::{contacts, jobs, mails, organizations, survey_followups, survey_invitations, survey_responses, teams, tickets},
    types::{Named, Time},
};
use crate::ids::{InvitationId, ResponseId, TicketId};
use crate::jobs::JobKind;
use crate::mail::{MailKind, MailState};
use crate::surveys::model::Outcome;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// From a reply to its letter, in microseconds.
const DELIVERY_MICROSECONDS: i64 = 850_000;

/// Whether anybody has put something into the desk. Four queries.
pub(super) fn is_used(conn: &mut Conn) -> Result<bool> {
    let count: [i64; 4] = [
        tickets::table.count().get_result(conn)?,
        contacts::table.count().get_result(conn)?,
        organizations::table.count().get_result(conn)?,
        teams::table.count().get_result(conn)?,
    ];
    Ok(count.iter().any(|count| *count > 0))
}

/// The invitation of a close that waits to be sent, and until when. One query.
pub(super) fn waiting(conn: &mut Conn, ticket: TicketId, close_number: i32) -> Result<Option<(InvitationId, DateTime<Utc>)>> {
    use survey_invitations as i;
    let found: Option<(InvitationId, Time)> = i::table
        .filter(i::ticket_id.eq(ticket).and(i::close_number.eq(close_number)).and(i::outcome.eq(Named(Outcome::Waiting))))
        .select((i::id, i::due_at))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, due_at)| (id, due_at.0)))
}

/// The answer to an invitation. One query.
pub(super) fn response_of(conn: &mut Conn, invitation: InvitationId) -> Result<Option<ResponseId>> {
    Ok(survey_responses::table
        .filter(survey_responses::invitation_id.eq(invitation))
        .select(survey_responses::id)
        .first(conn)
        .optional()?)
}

/// Whether an answer has a follow-up without an outcome. One query.
pub(super) fn owes_followup(conn: &mut Conn, response: ResponseId) -> Result<bool> {
    use survey_followups as f;
    let open: Option<ResponseId> =
        f::table.find(response).filter(f::outcome.is_null()).select(f::response_id).first(conn).optional()?;
    Ok(open.is_some())
}

/// All replies of the past were mailed right after they were written; nothing is left to deliver. Two queries.
pub(super) fn deliver_all(conn: &mut Conn) -> Result<()> {
    diesel::update(mails::table.filter(mails::kind.eq(Named(MailKind::Reply)).and(mails::state.eq(Named(MailState::Queued)))))
        .set((
            mails::state.eq(Named(MailState::Sent)),
            mails::attempts.eq(1),
            mails::sent_at.eq((mails::created_at + DELIVERY_MICROSECONDS).nullable()),
        ))
        .execute(conn)?;
    diesel::delete(jobs::table.filter(jobs::kind.eq(Named(JobKind::DeliverMail)))).execute(conn)?;
    Ok(())
}

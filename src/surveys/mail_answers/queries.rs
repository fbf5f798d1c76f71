//! Lists of answers by mail with what they answer.
use super::model::MailAnswerState;
pub use super::store::MailAnswerRow;
use crate::db::{
    Conn,
    schema::{contacts, survey_invitations, survey_mail_answers, tickets},
    types::Named,
};
use crate::error::{Error, Result};
use crate::ids::{ContactId, MailAnswerId, TicketId, WaveId};
use crate::surveys::model::SurveyKind;
use diesel::prelude::*;

/// What was asked: kind, ticket, wave; the ticket's number; the contact, and their name.
pub type Asked = ((Named<SurveyKind>, Option<TicketId>, Option<WaveId>), Option<i64>, (ContactId, String));

macro_rules! answers {
    () => {
        survey_mail_answers::table
            .inner_join(survey_invitations::table.on(survey_invitations::id.eq(survey_mail_answers::invitation_id)))
            .left_join(tickets::table.on(tickets::id.nullable().eq(survey_invitations::ticket_id)))
            .inner_join(contacts::table.on(contacts::id.eq(survey_invitations::contact_id)))
            .select((
                MailAnswerRow::as_select(),
                (
                    (survey_invitations::kind, survey_invitations::ticket_id, survey_invitations::wave_id),
                    tickets::number.nullable(),
                    (contacts::id, contacts::name),
                ),
            ))
    };
}

/// A page, oldest first. One query.
pub fn list(
    conn: &mut Conn,
    state: Option<MailAnswerState>,
    after: Option<MailAnswerId>,
    limit: i64,
) -> Result<Vec<(MailAnswerRow, Asked)>> {
    let mut query = answers!().limit(limit).into_boxed();
    if let Some(state) = state {
        query = query.filter(survey_mail_answers::state.eq(Named(state)));
    }
    if let Some(after) = after {
        query = query.filter(survey_mail_answers::id.gt(after));
    }
    Ok(query.order(survey_mail_answers::id).load(conn)?)
}

/// One by id. One query.
pub fn find(conn: &mut Conn, id: MailAnswerId) -> Result<(MailAnswerRow, Asked)> {
    let found = answers!().filter(survey_mail_answers::id.eq(id)).first(conn).optional()?;
    found.ok_or(Error::NotFound("answer by mail"))
}

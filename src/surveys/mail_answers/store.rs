//! Rows of answers by mail: written when the mail is filed, decided once or twice.
use super::model::MailAnswerState;
use crate::db::{
    Conn,
    schema::survey_mail_answers,
    types::{Named, Time},
};
use crate::error::Result;
use crate::ids::{AgentId, InboundMailId, InvitationId, MailAnswerId, MessageId, ResponseId};
use diesel::prelude::*;

/// An answer by mail as stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone)]
#[diesel(table_name = survey_mail_answers, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct MailAnswerRow {
    pub id: MailAnswerId,
    pub invitation_id: InvitationId,
    pub mail_id: InboundMailId,
    pub message_id: Option<MessageId>,
    pub sender: String,
    pub body: String,
    pub score: Option<i32>,
    pub state: Named<MailAnswerState>,
    pub received_at: Time,
    pub due_at: Option<Time>,
    pub decided_at: Option<Time>,
    pub decided_by: Option<AgentId>,
    pub response_id: Option<ResponseId>,
    pub created_at: Time,
}

pub(super) fn insert(conn: &mut Conn, row: &MailAnswerRow) -> Result<()> {
    diesel::insert_into(survey_mail_answers::table).values(row).execute(conn)?;
    Ok(())
}

/// One by id, locked until the commit.
pub(super) fn lock(conn: &mut Conn, id: MailAnswerId) -> Result<Option<MailAnswerRow>> {
    let found = survey_mail_answers::table.find(id);
    Ok(match conn {
        Conn::Pg(conn) => found.select(MailAnswerRow::as_select()).for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => found.select(MailAnswerRow::as_select()).first(conn).optional()?,
    })
}

pub(super) fn save(conn: &mut Conn, row: &MailAnswerRow) -> Result<()> {
    diesel::update(survey_mail_answers::table.filter(survey_mail_answers::id.eq(row.id))).set(row).execute(conn)?;
    Ok(())
}

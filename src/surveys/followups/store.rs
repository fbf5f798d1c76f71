//! Follow-up rows and the attempts to reach the contact.
use crate::Result;
use crate::db::{Conn, schema::survey_followups};
use crate::ids::{ResponseId, TicketId};
use diesel::prelude::*;

/// Whether a ticket was opened to follow an answer up. One look at the index.
pub fn is_followup(conn: &mut Conn, ticket: TicketId) -> Result<bool> {
    let found: Option<ResponseId> = survey_followups::table
        .filter(survey_followups::ticket_id.eq(ticket))
        .select(survey_followups::response_id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

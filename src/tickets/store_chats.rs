//! What only chats change on a ticket's row.
use crate::Result;
use crate::accounts::contacts::Person;
use crate::db::{Conn, schema::tickets};
use crate::ids::TicketId;
use diesel::prelude::*;

/// Says whose a ticket is. One update.
pub(super) fn set_contact(conn: &mut Conn, id: TicketId, person: &Person) -> Result<()> {
    diesel::update(tickets::table.filter(tickets::id.eq(id)))
        .set((tickets::contact_id.eq(person.id), tickets::organization_id.eq(person.organization_id)))
        .execute(conn)?;
    Ok(())
}

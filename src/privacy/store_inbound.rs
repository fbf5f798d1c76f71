//! Taking a person out of the mails that came in: their bytes go, and what is known of them but their count.
use crate::db::Conn;
use crate::db::schema::{inbound_mails, inbound_raws, messages, ticket_participants};
use crate::db::types::{Json, Named};
use crate::error::Result;
use crate::ids::{InboundMailId, TicketId};
use crate::inbound::queries::InboundState;
use diesel::prelude::*;

/// Mails on these tickets, and any that these addresses wrote or sent; one that waits or is held for a person is not wanted any more.
pub(super) fn erase(conn: &mut Conn, tickets: &[TicketId], addresses: &[String]) -> Result<()> {
    use inbound_mails as i;
    let mut ids: Vec<InboundMailId> = i::table.filter(i::ticket_id.eq_any(tickets)).select(i::id).load(conn)?;
    let theirs = i::table.filter(i::sender.eq_any(addresses).or(i::envelope_from.eq_any(addresses)));
    ids.extend(theirs.select(i::id).load::<InboundMailId>(conn)?);
    diesel::delete(inbound_raws::table.filter(inbound_raws::mail_id.eq_any(&ids))).execute(conn)?;
    let undone = [Named(InboundState::Waiting), Named(InboundState::Quarantined)];
    diesel::update(i::table.filter(i::id.eq_any(&ids).and(i::state.eq_any(undone))))
        .set(i::state.eq(Named(InboundState::Discarded)))
        .execute(conn)?;
    diesel::update(i::table.filter(i::id.eq_any(&ids)))
        .set((
            i::envelope_from.eq(None::<String>),
            i::error.eq(None::<String>),
            i::subject.eq(None::<String>),
            i::sender.eq(None::<String>),
            i::mail_message_id.eq(None::<String>),
            i::version.eq(i::version + 1),
        ))
        .execute(conn)?;
    let took_part = ticket_participants::ticket_id.eq_any(tickets).or(ticket_participants::address.eq_any(addresses));
    diesel::delete(ticket_participants::table.filter(took_part)).execute(conn)?;
    diesel::update(messages::table.filter(messages::ticket_id.eq_any(tickets)))
        .set(messages::bounce.eq(None::<Json>))
        .execute(conn)?;
    Ok(())
}

//! Taking a person out of the mails that came in: their bytes go, and what is known of them but their count.
use super::mentions::Sought;
use crate::db::Conn;
use crate::db::schema::{inbound_mails, inbound_raws, messages, ticket_participants};
use crate::db::types::{Json, Named, Uid};
use crate::each;
use crate::error::Result;
use crate::ids::{InboundMailId, TicketId};
use crate::inbound::queries::InboundState;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Text};

/// Mails whose bytes are read at once.
const MAILS_AT_ONCE: usize = 8;

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

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = Uid)]
    mail_id: InboundMailId,
    #[diesel(sql_type = Binary)]
    bytes: Vec<u8>,
}

/// Mails of other people, filed already, whose bytes name one of the addresses; and where to go on. One query.
pub(super) fn naming(
    conn: &mut Conn,
    sought: &Sought,
    after: InboundMailId,
) -> Result<(Vec<InboundMailId>, Option<InboundMailId>)> {
    let text = match conn {
        Conn::Pg(_) => "encode(r.bytes, 'escape')",
        Conn::Sqlite(_) => "CAST(r.bytes AS TEXT)",
    };
    let wanted: Vec<String> = (2..).zip(sought.address_patterns()).map(|(at, _)| format!("lower({text}) LIKE ${at}")).collect();
    if wanted.is_empty() {
        return Ok((Vec::new(), None));
    }
    let sql = format!(
        "SELECT r.mail_id, r.bytes FROM inbound_raws r JOIN inbound_mails i ON i.id = r.mail_id
         WHERE r.mail_id > $1 AND i.message_id IS NOT NULL AND ({}) ORDER BY r.mail_id LIMIT {MAILS_AT_ONCE}",
        wanted.join(" OR ")
    );
    let rows: Vec<Raw> = each!(conn, conn => {
        let mut query = diesel::sql_query(sql).into_boxed().bind::<Uid, _>(after);
        for pattern in sought.address_patterns() {
            query = query.bind::<Text, _>(pattern);
        }
        query.load(conn)
    })?;
    let last = rows.last().map(|row| row.mail_id).filter(|_| rows.len() >= MAILS_AT_ONCE);
    let names = |row: &Raw| sought.scrubbed(&String::from_utf8_lossy(&row.bytes)).is_some();
    Ok((rows.into_iter().filter(names).map(|row| row.mail_id).collect(), last))
}

/// Throws away the bytes of mails; what was filed of them stays.
pub(super) fn forget_bytes(conn: &mut Conn, ids: &[InboundMailId]) -> Result<()> {
    diesel::delete(inbound_raws::table.filter(inbound_raws::mail_id.eq_any(ids))).execute(conn)?;
    Ok(())
}

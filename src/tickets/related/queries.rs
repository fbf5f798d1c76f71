//! What belongs to a ticket: its links, and what was merged into it.
use super::model::{LinkKind, Side};
use crate::Result;
use crate::db::{
    Conn,
    ext::among,
    schema::{messages, ticket_links, ticket_merges, tickets},
    types::{Named, Time},
};
use crate::each;
use crate::ids::{AgentId, TicketId};
use crate::tickets::Message;
use crate::tickets::model::{Status, Ticket};
use crate::tickets::queries::Said;
use diesel::prelude::*;

/// Set on a ticket's row that has, or had, links.
pub const HAS_LINKS: i32 = 1;
/// Set on a ticket's row that others are, or were, merged into.
pub const HAS_MERGED: i32 = 2;

/// Links of one ticket in an answer at the most.
const LINKS_MAX: i64 = 200;

/// A link, seen from one of its ends.
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Link {
    pub ticket_id: TicketId,
    pub number: i64,
    pub subject: String,
    pub status: Status,
    pub kind: LinkKind,
    pub side: Side,
    pub at: Time,
}

/// A ticket that was merged into the one that is shown.
pub type Merged = (TicketId, i64, String, Time, Option<AgentId>);

/// All that belongs to a ticket.
#[derive(Default)]
pub struct Related {
    /// Its links, oldest first.
    pub links: Vec<Link>,
    /// What was merged into it, oldest merge first.
    pub merged: Vec<Merged>,
}

/// What belongs to a ticket: two queries where it has links, one where others were merged into it.
pub fn of(conn: &mut Conn, ticket: &Ticket) -> Result<Related> {
    let mut related = Related::default();
    if ticket.relations & HAS_LINKS != 0 {
        related.links = links(conn, ticket.id)?;
    }
    if ticket.relations & HAS_MERGED != 0 {
        use ticket_merges as m;
        let merged = m::table
            .inner_join(tickets::table.on(tickets::id.eq(m::ticket_id)))
            .filter(m::into_id.eq(ticket.id))
            .order((m::at, m::ticket_id))
            .select((m::ticket_id, tickets::number, tickets::subject, m::at, m::agent_id));
        related.merged = each!(conn, conn => merged.load(conn))?;
    }
    Ok(related)
}

/// The links of a ticket from both ends, oldest first. Two queries.
pub fn links(conn: &mut Conn, ticket: TicketId) -> Result<Vec<Link>> {
    use ticket_links as l;
    type Row = (TicketId, i64, String, Named<Status>, Named<LinkKind>, Time);
    let columns = (tickets::id, tickets::number, tickets::subject, tickets::status, l::kind, l::at);
    let outgoing: Vec<Row> = l::table
        .inner_join(tickets::table.on(tickets::id.eq(l::other_id)))
        .filter(l::ticket_id.eq(ticket))
        .order((l::at, l::other_id))
        .limit(LINKS_MAX)
        .select(columns)
        .load(conn)?;
    let incoming: Vec<Row> = l::table
        .inner_join(tickets::table.on(tickets::id.eq(l::ticket_id)))
        .filter(l::other_id.eq(ticket))
        .order((l::at, l::ticket_id))
        .limit(LINKS_MAX)
        .select(columns)
        .load(conn)?;
    let from = |side: Side| {
        move |(ticket_id, number, subject, status, kind, at): Row| Link {
            ticket_id,
            number,
            subject,
            status: status.0,
            kind: kind.0,
            side,
            at,
        }
    };
    let mut links: Vec<Link> =
        outgoing.into_iter().map(from(Side::Outgoing)).chain(incoming.into_iter().map(from(Side::Incoming))).collect();
    links.sort_by_key(|link| (link.at.0, link.ticket_id));
    Ok(links)
}

/// The newest messages of several tickets together, oldest first. One query.
pub fn said(conn: &mut Conn, of: &[TicketId], limit: i64) -> Result<Vec<Said>> {
    let newest = messages::table.order((messages::at.desc(), messages::id.desc())).limit(limit);
    let mut said: Vec<Said> = match conn {
        Conn::Pg(conn) => {
            let newest = newest.filter(messages::ticket_id.eq_any(of));
            newest
                .select((Message::as_select(), messages::attachments, messages::bounce, messages::cc, messages::undone_at))
                .load(conn)
        }
        Conn::Sqlite(conn) => {
            let newest = newest.filter(among(messages::ticket_id, of));
            newest
                .select((Message::as_select(), messages::attachments, messages::bounce, messages::cc, messages::undone_at))
                .load(conn)
        }
    }?;
    said.reverse();
    Ok(said)
}

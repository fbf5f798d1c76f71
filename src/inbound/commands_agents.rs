//! An agent's mail that is proven: a reply by that agent, as if written in the desk.
use super::commands_filing::{Became, Ready, body, give_files};
use super::commands_known::Author;
use super::route::HoldReason;
use crate::accounts::agents;
use crate::accounts::caller::Agent;
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::TicketId;
use crate::seen::Seen;
use crate::tickets::commands::{self, Reply};
use chrono::{DateTime, Utc};

/// Why an agent's mail is held whose ticket takes no reply, as it is closed.
const TICKET_CLOSED: &str = "ticket_closed";

/// The agent of that address replies: the contact gets it as a letter of the desk, and promises are met by it. Who was in copy had the
/// mail itself.
pub(super) fn reply(conn: &mut Conn, config: &Config, ready: &Ready, ticket: TicketId, now: DateTime<Utc>) -> Result<Became> {
    let held = || Ok(Became::Held(HoldReason::UnprovenAgent.as_str()));
    let Some(author) = Author::of(&ready.parsed) else { return held() };
    let Some(row) = agents::find_by_email(conn, &author.address)?.filter(|agent| agent.disabled_at.is_none()) else {
        return held();
    };
    let agent = Agent::proven_by_mail(row.id, row.role.0);
    let said = Reply { body: body(ready), cc: Vec::new() };
    let whole = match commands::reply(conn, config, &agent, ticket, Seen(None), said, now) {
        Ok(whole) => whole,
        // The rule of a ticket's life refused it, before anything was written.
        Err(Error::Conflict { .. }) => return Ok(Became::Held(TICKET_CLOSED)),
        Err(error) => return Err(error),
    };
    let message = whole.message_id.ok_or_else(|| Error::internal("a reply without a message"))?;
    give_files(conn, config, (whole.ticket.id, message), &ready.files, now)?;
    Ok(Became::Message(whole.ticket.id, message))
}

//! A verb on a ticket, carried out or only tried: what it would do to the promises.
use super::api::answer;
use super::commands::Whole;
use super::wire::TicketOut;
use crate::app::App;
use crate::db::{Conn, undo::undone};
use crate::error::Result;
use crate::ids::TicketId;
use crate::sla::{self, dry_run::DryRunOut, moves};
use actix_web::{HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// What a change of a ticket answers: the ticket, or with `dry_run=true` what would move.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "never made: it describes the answer")]
pub enum TicketChanged {
    /// The ticket.
    Ticket(TicketOut),
    /// What would move.
    DryRun(DryRunOut),
}

/// Carries a verb out, or tries it and takes it back.
pub async fn carry_out(
    app: &Data<App>,
    id: TicketId,
    dry_run: bool,
    now: DateTime<Utc>,
    verb: impl FnOnce(&mut Conn) -> Result<Whole> + Send + 'static,
) -> Result<HttpResponse> {
    if !dry_run {
        return Ok(answer(app.db.write(verb).await?, now)?.into());
    }
    let tried = move |conn: &mut Conn| {
        let before = sla::of_ticket(conn, id)?;
        let Whole { ticket, clocks, .. } = verb(conn)?;
        Ok(moves::commands::of_one(&before, clocks.rows(), ticket.number))
    };
    Ok(HttpResponse::Ok().json(app.db.write(move |conn| undone(conn, tried)).await?))
}

//! `GET /tickets/{id}/history`.
use super::{EventRow, Kind, of_ticket};
use crate::Result;
use crate::app::App;
use crate::http::extract::{Id, Params};
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::ids::TicketId;
use crate::tickets::queries;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// One line of history.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct EventOut {
    /// Order of writing.
    id: i64,
    /// What happened.
    kind: Kind,
    /// `agent`, `machine`, `contact` or `desk`.
    #[schema(examples("agent"))]
    actor: String,
    /// Which one; null for the desk itself.
    actor_id: Option<Uuid>,
    /// When it happened.
    at: DateTime<Utc>,
    /// What belongs to it: before and after of a change, the clock of a promise.
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

impl From<EventRow> for EventOut {
    fn from(row: EventRow) -> Self {
        let EventRow { id, kind, actor, actor_id, at, data } = row;
        Self { id, kind: kind.0, actor, actor_id: actor_id.map(|id| id.0), at: at.0, data: data.0 }
    }
}

/// History of a ticket, oldest first.
#[utoipa::path(get, path = "/api/v1/tickets/{id}/history", tag = "tickets", params(("id" = TicketId, Path), PageParams),
    responses((status = 200, description = "A page of events", body = Page<EventOut>)))]
pub async fn history(app: Data<App>, id: Id<TicketId>, page: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor::<i64>(page.0.cursor.as_deref())?.unwrap_or(0);
    let limit = page.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app
        .db
        .read(move |conn| {
            queries::must_exist(conn, id.0)?;
            of_ticket(conn, id.0, after, i64::from(limit) + 1)
        })
        .await?;
    let page = Page::of(rows, limit, |row| row.id)?.map(EventOut::from);
    Ok(page.respond(&request))
}

//! `GET /exports/{id}`: everything of a kind as one file, streamed page by page.
use super::queries::{self, After};
use super::{FileFormat, TransferKind, write};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::extract::{Nothing, Params};
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

names! {
    /// The file to write.
    pub enum ExportFile {
        /// Organizations as CSV.
        OrganizationsCsv = "organizations.csv",
        /// Organizations as JSON Lines.
        OrganizationsJsonl = "organizations.jsonl",
        /// Contacts as CSV.
        ContactsCsv = "contacts.csv",
        /// Contacts as JSON Lines.
        ContactsJsonl = "contacts.jsonl",
        /// Tickets as CSV.
        TicketsCsv = "tickets.csv",
        /// Tickets as JSON Lines.
        TicketsJsonl = "tickets.jsonl",
    }
}

impl ExportFile {
    fn parts(self) -> (TransferKind, FileFormat) {
        match self {
            Self::OrganizationsCsv => (TransferKind::Organizations, FileFormat::Csv),
            Self::OrganizationsJsonl => (TransferKind::Organizations, FileFormat::Jsonl),
            Self::ContactsCsv => (TransferKind::Contacts, FileFormat::Csv),
            Self::ContactsJsonl => (TransferKind::Contacts, FileFormat::Jsonl),
            Self::TicketsCsv => (TransferKind::Tickets, FileFormat::Csv),
            Self::TicketsJsonl => (TransferKind::Tickets, FileFormat::Jsonl),
        }
    }
}

fn content_type(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Csv => "text/csv; charset=utf-8",
        FileFormat::Jsonl => "application/x-ndjson",
    }
}

/// One page as text, and where the next one starts.
async fn chunk(app: &App, kind: TransferKind, format: FileFormat, after: After) -> Result<(Bytes, Option<After>)> {
    let is_first = after == After::default();
    app.db
        .read(move |conn| {
            let (lines, next) = queries::page(conn, kind, after)?;
            Ok((Bytes::from(write::text(kind, format, &lines, is_first)?), next))
        })
        .await
}

/// Everything of a kind as a file that can be imported again. Rows that are written meanwhile may be in it or not.
#[utoipa::path(get, path = "/api/v1/exports/{id}", tag = "transfer", params(("id" = inline(ExportFile), Path, description = "Which file")),
    responses((status = 200, description = "The file", content((String = "text/csv"), (String = "application/x-ndjson")))))]
pub async fn export(app: Data<App>, _none: Params<Nothing>, request: HttpRequest) -> Result<HttpResponse> {
    let name = request.match_info().get("id").unwrap_or("");
    let file: ExportFile = name.parse().map_err(|_| Error::NotFound("export"))?;
    let (kind, format) = file.parts();
    // The first page is awaited, so that a database that is away is a 503 and not half a file.
    let (first, next) = chunk(&app, kind, format, After::default()).await?;
    let rest = futures_util::stream::unfold((app, next), move |(app, next)| async move {
        let after = next?;
        Some(match chunk(&app, kind, format, after).await {
            Ok((bytes, next)) => (Ok(bytes), (app, next)),
            // The connection breaks: nobody takes a file that was cut for a whole one.
            Err(error) => (Err(error), (app, None)),
        })
    });
    let whole = futures_util::StreamExt::chain(futures_util::stream::iter([Ok::<_, Error>(first)]), rest);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, content_type(format)))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .streaming(whole))
}

//! `/contacts/{id}/export` and `/contacts/{id}/erasure`.
use super::commands::{self, Erasure};
use super::queries;
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{Id, Nothing, Now, Post};
use crate::http::idempotency::Answer;
use crate::ids::{AgentId, ContactId};
use actix_web::http::header;
use actix_web::{HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// All that is kept about a person; the parts are lists of what the other routes show.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "for the description alone: the document is made in one piece")]
pub struct DocumentOut {
    /// When it was written.
    exported_at: DateTime<Utc>,
    /// Name, addresses, numbers, settings, and addresses that bounced.
    #[schema(value_type = Object)]
    contact: Value,
    /// Each with its tags, fields, messages, files (without their bytes) and history.
    #[schema(value_type = Vec<Object>)]
    tickets: Vec<Value>,
    /// What they wrote on tickets of other people.
    #[schema(value_type = Vec<Object>)]
    said_elsewhere: Vec<Value>,
    /// What they were asked and answered, how it was reviewed, and how it was followed up.
    #[schema(value_type = Vec<Object>)]
    surveys: Vec<Value>,
    /// Calls with their numbers, recordings and transcripts.
    #[schema(value_type = Vec<Object>)]
    calls: Vec<Value>,
    /// Letters to them.
    #[schema(value_type = Vec<Object>)]
    letters: Vec<Value>,
    /// Changes of the contact itself.
    #[schema(value_type = Vec<Object>)]
    history: Vec<Value>,
}

/// Everything that the desk keeps about a person, as one document (GDPR, article 15).
#[utoipa::path(get, path = "/api/v1/contacts/{id}/export", tag = "accounts", params(("id" = ContactId, Path)),
    responses((status = 200, description = "The document", body = DocumentOut)))]
pub async fn export(app: Data<App>, Now(now): Now, id: Id<ContactId>) -> Result<HttpResponse> {
    let document = app.db.snapshot(move |conn| queries::document(conn, id.0, now)).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"contact-{}.json\"", id.0)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(document))
}

/// That a person was erased.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErasureOut {
    contact_id: ContactId,
    erased_at: DateTime<Utc>,
    erased_by: AgentId,
    /// Files whose bytes are still being thrown away.
    #[schema(minimum = 0)]
    files_left: i64,
    /// Whether the files are gone, and what others wrote was looked through for addresses and numbers.
    is_finished: bool,
}

impl From<Erasure> for ErasureOut {
    fn from(erasure: Erasure) -> Self {
        let Erasure { row, files_left, is_finished } = erasure;
        Self { contact_id: row.contact_id, erased_at: row.erased_at.0, erased_by: row.erased_by, files_left, is_finished }
    }
}

/// Erase a person (GDPR, article 17): names, addresses and all that was said go for good; counts, clocks and scores stay.
///
/// Tickets that are not closed refuse it. A second time changes nothing and gives the same answer.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/erasure", tag = "accounts", request_body = Nothing,
    params(("id" = ContactId, Path)), responses((status = 200, description = "Erased", body = ErasureOut)))]
pub async fn erase(app: Data<App>, agent: Agent, Now(now): Now, id: Id<ContactId>, post: Post<Nothing>) -> Result<HttpResponse> {
    let work = move |conn: &mut crate::db::Conn| Answer::ok(&ErasureOut::from(commands::erase(conn, &agent, id.0, now)?));
    let done = post.once.run(&app, now, work).await?;
    app.jobs_queued.notify_one();
    Ok(done)
}

//! `/attachments`: hand a file in, get it back.
use super::wire::{AttachmentOut, UploadForm};
use super::{commands, incoming, model, queries};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Id, Now};
use crate::http::idempotency::{Answer, Once};
use crate::ids::AttachmentId;
use actix_web::body::SizedStream;
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use std::time::Duration;

/// A file has come by then, or its sender is up to no good.
const UPLOAD_WITHIN: Duration = Duration::from_secs(600);

/// Hand a file in. Name its id in `attachments` of a message within a day; else it is thrown away.
#[utoipa::path(post, path = "/api/v1/attachments", tag = "attachments",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "Handed in", body = AttachmentOut)))]
pub async fn upload(app: Data<App>, who: Who, Now(now): Now, request: HttpRequest, payload: Payload) -> Result<HttpResponse> {
    // A key that cannot be read is refused before anything is written.
    Once::of(&request, &[])?;
    let received = tokio::time::timeout(UPLOAD_WITHIN, incoming::receive(&app, &who, &request, payload, now)).await;
    let row = received.unwrap_or_else(|_| {
        let message = format!("the file did not come within {} s", UPLOAD_WITHIN.as_secs());
        Err(Error::Malformed { code: "slow_body", message })
    })?;
    // A retry draws another boundary: what counts is the file.
    let what = [row.file_name.as_bytes(), row.media_type.as_bytes(), &row.sha256].join(&0);
    let once = Once::of(&request, &what)?;
    // Where the row is not written after all, as in a retry, the bytes are swept.
    once.run(&app, now, move |conn| {
        let file = commands::hand_in(conn, row)?;
        Answer::created(format!("/api/v1/attachments/{}", file.id), &file)
    })
    .await
}

/// The bytes of a file, to be saved: never shown, never run.
#[utoipa::path(get, path = "/api/v1/attachments/{id}", tag = "attachments", params(("id" = AttachmentId, Path)),
    responses((status = 200, description = "The file", content_type = "application/octet-stream",
        body = inline(super::wire::FileBytes))))]
pub async fn download(app: Data<App>, id: Id<AttachmentId>) -> Result<HttpResponse> {
    let row = app.db.read(move |conn| queries::find(conn, id.0)).await?;
    let bytes = app.depot.read(row.id, row.created_at.0).await?;
    let body = SizedStream::new(row.size_bytes.unsigned_abs(), bytes);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, model::served_type(&row.media_type)))
        .insert_header((header::CONTENT_DISPOSITION, model::disposition(&row.file_name)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(body))
}

//! `/attachments`: hand a file in, get it back.
use super::incoming::UPLOAD_WITHIN;
use super::wire::{AttachmentOut, UploadForm};
use super::{commands, incoming, queries, serve};
use crate::app::App;
use crate::error::Result;
use crate::http::auth::Who;
use crate::http::extract::{Id, Now};
use crate::http::idempotency::{Answer, Once};
use crate::ids::AttachmentId;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

/// Hand a file in. Name its id in `attachments` of a message within a day; else it is thrown away.
#[utoipa::path(post, path = "/api/v1/attachments", tag = "attachments",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "Handed in", body = AttachmentOut)))]
pub async fn upload(app: Data<App>, who: Who, Now(now): Now, request: HttpRequest, payload: Payload) -> Result<HttpResponse> {
    // A key that cannot be read is refused before anything is written.
    Once::of(&request, &[])?;
    let whose = (who.0.token_id, who.0.agent.map(|(id, _)| id));
    let receiving = incoming::receive(&app, whose, app.config.attachments.size_max_bytes, &request, payload, now);
    let row = tokio::time::timeout(UPLOAD_WITHIN, receiving).await.unwrap_or_else(|_| Err(incoming::too_slow()))?;
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
    serve::as_download(&app, row).await
}

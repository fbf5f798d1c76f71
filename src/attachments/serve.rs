//! A file on its way out: to be saved, never shown, never run.
use super::model;
use super::queries::FileRow;
use crate::app::App;
use crate::error::Result;
use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header;

/// The bytes of a file.
pub async fn as_download(app: &App, row: FileRow) -> Result<HttpResponse> {
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

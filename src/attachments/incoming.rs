//! Reading an upload: one part `file` of a multipart form, straight into the depot.
use super::depot::Incoming;
use super::model;
use super::store::AttachmentRow;
use crate::app::App;
use crate::db::types::Time;
use crate::error::{Error, Result};
use crate::ids::{AgentId, AttachmentId, TokenId};
use actix_multipart::{Field, Multipart};
use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::Payload;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// A file has come by then, or its sender is up to no good.
pub const UPLOAD_WITHIN: Duration = Duration::from_secs(600);

/// The type of the body.
const FORM: &str = "multipart/form-data";
/// The part that is read.
const PART: &str = "file";

fn malformed(error: impl std::fmt::Display) -> Error {
    Error::Malformed { code: "malformed_multipart", message: format!("the body is not a whole {FORM}: {error}") }
}

fn not_wanted(name: &str) -> Error {
    let name = if name.is_empty() { "body" } else { name };
    Error::field(name, "unknown_field", format!("the form must have one part, {PART:?}"))
}

/// What a sender hears who took longer.
pub fn too_slow() -> Error {
    let message = format!("the file did not come within {} s", UPLOAD_WITHIN.as_secs());
    Error::Malformed { code: "slow_body", message }
}

/// Writes the bytes of the upload and says what its row is to be. The row is not written here.
pub async fn receive(
    app: &App,
    (token_id, agent_id): (TokenId, Option<AgentId>),
    size_max_bytes: usize,
    request: &HttpRequest,
    payload: Payload,
    now: DateTime<Utc>,
) -> Result<AttachmentRow> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(FORM) {
        return Err(Error::MediaType(FORM));
    }
    let mut form = Multipart::new(request.headers(), payload);
    let missing = || Error::field(PART, "missing", format!("the form must have one part, {PART:?}"));
    let mut field = form.try_next().await.map_err(malformed)?.ok_or_else(missing)?;
    let part = field.name().unwrap_or_default();
    if part != PART {
        return Err(not_wanted(part));
    }
    let said = field.content_disposition().and_then(|shown| {
        let extended = shown.get_filename_ext().and_then(|name| String::from_utf8(name.value.clone()).ok());
        extended.or_else(|| shown.get_filename().map(str::to_owned))
    });
    let file_name = model::clean_name(said.as_deref().unwrap_or_default());
    let media_type = field.content_type().map_or_else(
        || model::OCTETS.to_owned(),
        |kind| model::media_type(kind.essence_str(), kind.get_param("charset").map(|name| name.as_str())),
    );
    model::check(&file_name, &media_type, app.config.attachments.limits())?;
    let id = AttachmentId::new();
    let mut incoming = app.depot.begin(id, now);
    let written = match pour(&mut field, &mut incoming, size_max_bytes).await {
        Ok(written) => {
            // The form goes on once nobody holds the part before.
            drop(field);
            match form.try_next().await.map_err(malformed) {
                Ok(None) => Ok(written),
                Ok(Some(more)) => Err(not_wanted(more.name().unwrap_or_default())),
                Err(error) => Err(error),
            }
        }
        Err(error) => {
            // Who still sends hears no answer: what is on its way is taken first, up to as much again.
            let mut rest = size_max_bytes;
            while let Ok(Some(bytes)) = field.try_next().await
                && rest > bytes.len()
            {
                rest -= bytes.len();
            }
            Err(error)
        }
    };
    match written {
        Ok((size_bytes, sha256)) => {
            incoming.finish().await?;
            Ok(AttachmentRow {
                id,
                message_id: None,
                token_id,
                agent_id,
                file_name,
                media_type,
                size_bytes,
                sha256,
                created_at: Time(now),
            })
        }
        Err(error) => {
            incoming.give_up().await;
            Err(error)
        }
    }
}

/// Size and SHA-256 of what was written.
async fn pour(field: &mut Field, incoming: &mut Incoming, limit_bytes: usize) -> Result<(i64, Vec<u8>)> {
    let (mut size_bytes, mut hash) = (0_usize, Sha256::new());
    while let Some(bytes) = field.try_next().await.map_err(malformed)? {
        size_bytes += bytes.len();
        if size_bytes > limit_bytes {
            return Err(Error::TooLarge { limit_bytes });
        }
        hash.update(&bytes);
        incoming.put(bytes).await?;
    }
    let size_bytes = i64::try_from(size_bytes).map_err(|_| Error::internal("a size out of range"))?;
    Ok((size_bytes, hash.finalize().to_vec()))
}

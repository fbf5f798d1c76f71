//! A file as JSON; the list on a message's row has the same shape.
use super::store::AttachmentRow;
use crate::ids::AttachmentId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A file.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AttachmentOut {
    /// For `attachments` of a message, and for `GET /attachments/{id}`.
    pub id: AttachmentId,
    /// Its name, without folders.
    #[schema(examples("invoice 7.pdf"))]
    pub file_name: String,
    /// What the sender says that it is.
    #[schema(examples("application/pdf"))]
    pub media_type: String,
    /// Its size.
    pub size_bytes: i64,
    /// SHA-256 of its bytes, in hexadecimal.
    #[schema(min_length = 64, max_length = 64)]
    pub sha256: String,
    /// When it was handed in.
    pub created_at: DateTime<Utc>,
}

impl From<AttachmentRow> for AttachmentOut {
    fn from(row: AttachmentRow) -> Self {
        let AttachmentRow { id, message_id: _, token_id: _, agent_id: _, file_name, media_type, size_bytes, sha256, created_at } =
            row;
        let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { id, file_name, media_type, size_bytes, sha256, created_at: created_at.0 }
    }
}

/// A form with one file.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description alone: it is read as a stream")]
pub struct UploadForm {
    /// The file; its name and type are those of the part.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Any bytes.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "for the description alone")]
pub struct FileBytes(Vec<u8>);

//! Settings of attachments: where the files are, and what is taken.
use super::{BadSetting, bad};
use crate::attachments::model::Limits;
use serde::Deserialize;

#[derive(Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Attachments {
    pub store: String,
    pub s3_endpoint: String,
    pub s3_region: String,
    pub s3_access_key_id: String,
    pub s3_secret_access_key: String,
    pub size_max_bytes: usize,
    pub message_files_max: usize,
    pub message_bytes_max: u64,
    pub refused_extensions: Vec<String>,
    pub media_types: Vec<String>,
}

impl std::fmt::Debug for Attachments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret key stays out of every log.
        f.debug_struct("Attachments").field("store", &self.store).field("s3_endpoint", &self.s3_endpoint).finish_non_exhaustive()
    }
}

impl Attachments {
    /// Bucket and prefix, where the files are in S3.
    pub fn bucket(&self) -> Option<(&str, &str)> {
        let place = self.store.strip_prefix("s3://")?;
        Some(place.split_once('/').unwrap_or((place, "")))
    }

    /// The same for the rules.
    pub fn limits(&self) -> Limits<'_> {
        let Self { message_files_max, message_bytes_max, refused_extensions, media_types, .. } = self;
        Limits { message_files_max: *message_files_max, message_bytes_max: *message_bytes_max, refused_extensions, media_types }
    }

    /// Refuses a store in S3 that lacks a setting, by its name.
    pub(super) fn check_s3(&self) -> Result<(), BadSetting> {
        let Some((bucket, _)) = self.bucket() else { return Ok(()) };
        if bucket.is_empty() {
            return bad("attachments.store: names no bucket after s3://");
        }
        let endpoint = self.s3_endpoint.as_str();
        if !endpoint.is_empty() && !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            return bad("attachments.s3_endpoint: must begin with https://, or http:// within a network of one's own");
        }
        for (name, value) in [
            ("s3_region", &self.s3_region),
            ("s3_access_key_id", &self.s3_access_key_id),
            ("s3_secret_access_key", &self.s3_secret_access_key),
        ] {
            if value.is_empty() {
                return bad(format!("attachments.{name}: must be set for a store in S3"));
            }
        }
        Ok(())
    }
}

//! Where the bytes are: a folder, an S3 bucket, or memory; one object a file, under the day that it came.
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ids::AttachmentId;
use actix_web::web::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Bytes of an upload in memory; a larger one is written in parts of this size (S3 wants 5 MiB at least).
const PART_BYTES: usize = 6 * 1024 * 1024;
/// Parts on their way at once.
const PARTS_AT_ONCE: usize = 2;

/// How long S3 may take to take a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// How long it may take to answer, with all retries.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// How often S3 is asked again.
const RETRIES: usize = 3;

/// The store of the bytes.
pub struct Depot(Arc<dyn ObjectStore>);

/// Trouble with the store: a full disk or a server that is away may be over soon.
fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(format!("attachments: {error}"))
}

fn refused_setting(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("attachments.store: {error}"))
}

fn path(id: AttachmentId, came_at: DateTime<Utc>) -> Path {
    Path::from(format!("{}/{id}", came_at.date_naive()))
}

/// A server that is away is told to those who ask soon, and is no reason to fail where it is back in a moment.
fn s3(config: &Config, bucket: &str) -> Result<AmazonS3> {
    // The one crypto library of the desk; that somebody installed it before is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = &config.attachments;
    let is_plain = settings.s3_endpoint.starts_with("http://");
    let client = ClientOptions::new().with_connect_timeout(CONNECT_WITHIN).with_timeout(ANSWER_WITHIN).with_allow_http(is_plain);
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&settings.s3_region)
        .with_access_key_id(&settings.s3_access_key_id)
        .with_secret_access_key(&settings.s3_secret_access_key)
        .with_client_options(client)
        .with_retry(RetryConfig { max_retries: RETRIES, retry_timeout: ANSWER_WITHIN, ..RetryConfig::default() });
    if !settings.s3_endpoint.is_empty() {
        builder = builder.with_endpoint(&settings.s3_endpoint);
    }
    builder.build().map_err(refused_setting)
}

impl Depot {
    /// By the settings; makes the folder where there is none yet.
    pub fn open(config: &Config) -> Result<Self> {
        let place = config.attachments.store.as_str();
        if place == "memory:" {
            return Ok(Self(Arc::new(InMemory::new())));
        }
        if let Some((bucket, prefix)) = config.attachments.bucket() {
            return Ok(Self(Arc::new(PrefixStore::new(s3(config, bucket)?, prefix))));
        }
        let folder = if place.is_empty() { config.database.data_dir.join("attachments") } else { place.into() };
        std::fs::create_dir_all(&folder).map_err(refused_setting)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(refused_setting)?;
        // What was acknowledged survives a power cut, like rows do.
        Ok(Self(Arc::new(store.with_fsync(true))))
    }

    /// Begins to write a file; nobody sees it before [`Incoming::finish`].
    pub fn begin(&self, id: AttachmentId, came_at: DateTime<Utc>) -> Incoming {
        let writer = BufWriter::with_capacity(self.0.clone(), path(id, came_at), PART_BYTES);
        Incoming(writer.with_max_concurrency(PARTS_AT_ONCE))
    }

    /// The bytes of a file, a piece at a time.
    pub async fn read(&self, id: AttachmentId, came_at: DateTime<Utc>) -> Result<BoxStream<'static, Result<Bytes>>> {
        let found = self.0.get(&path(id, came_at)).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => Error::internal(format!("the bytes of attachment {id} are gone")),
            other => unavailable(other),
        })?;
        Ok(found.into_stream().map_err(unavailable).boxed())
    }

    /// All bytes of a file.
    pub async fn read_whole(&self, id: AttachmentId, came_at: DateTime<Utc>) -> Result<Vec<u8>> {
        let mut pieces = self.read(id, came_at).await?;
        let mut whole = Vec::new();
        while let Some(piece) = pieces.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// Throws a file away; one that is not there is as good as thrown away.
    pub async fn remove(&self, id: AttachmentId, came_at: DateTime<Utc>) -> Result<()> {
        match self.0.delete(&path(id, came_at)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// The files that came on a day, with the instant that their path stands for.
    pub async fn of_day(&self, on: NaiveDate) -> Result<Vec<AttachmentId>> {
        let found = self.0.list(Some(&Path::from(on.to_string()))).map_err(unavailable);
        let ids = found
            .try_filter_map(async |object| Ok(object.location.filename().and_then(|name| name.parse::<AttachmentId>().ok())));
        ids.try_collect().await
    }
}

/// A file that is being written.
pub struct Incoming(BufWriter);

impl Incoming {
    /// Adds bytes.
    pub async fn put(&mut self, bytes: Bytes) -> Result<()> {
        self.0.put(bytes).await.map_err(unavailable)
    }

    /// All is there: from now on it can be read, also after a power cut.
    pub async fn finish(mut self) -> Result<()> {
        self.0.shutdown().await.map_err(unavailable)
    }

    /// It is not wanted after all; what was written goes away.
    pub async fn give_up(mut self) {
        if let Err(error) = self.0.abort().await {
            tracing::warn!(%error, "a part of a refused attachment may be left in the store");
        }
    }
}

//! `Idempotency-Key`: the answer is stored in the transaction of the work and given again to a retry.
use super::respond;
use crate::app::App;
use crate::db::{Conn, ext::OnConflictExt, schema::idempotency_keys, types::Time};
use crate::each;
use crate::error::{Error, Result};
use crate::http::auth;
use crate::ids::TokenId;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

/// Keys are remembered for so long.
const KEPT_HOURS: i64 = 24;
/// The longest key, in characters.
const KEY_MAX: usize = 255;

/// A POST that runs at most once for its key.
#[derive(Clone)]
pub struct Once {
    token: TokenId,
    key: Option<String>,
    fingerprint: Vec<u8>,
}

/// The answer to a write: what is stored beside the key, and what the client gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    status: u16,
    etag: Option<String>,
    location: Option<String>,
    body: String,
    /// What is kept for a retry instead of `body`, where that holds a secret.
    kept: Option<String>,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(body: &impl serde::Serialize) -> Result<Self> {
        Ok(Self { status: 200, etag: None, location: None, body: serde_json::to_string(body)?, kept: None })
    }

    /// 201 with a body and where the new thing is.
    pub fn created(location: String, body: &impl serde::Serialize) -> Result<Self> {
        Ok(Self { status: 201, etag: None, location: Some(location), body: serde_json::to_string(body)?, kept: None })
    }

    /// 204: done, nothing to say.
    pub fn nothing() -> Self {
        Self { status: 204, etag: None, location: None, body: String::new(), kept: None }
    }

    /// A retry gets `body` instead: for answers that show a secret once.
    pub fn keep(mut self, body: &impl serde::Serialize) -> Result<Self> {
        self.kept = Some(serde_json::to_string(body)?);
        Ok(self)
    }

    /// With the version as ETag.
    pub fn version(mut self, version: i32) -> Self {
        self.etag = Some(respond::etag(version));
        self
    }
}

impl From<Answer> for HttpResponse {
    fn from(answer: Answer) -> Self {
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        if let Some(etag) = answer.etag {
            response.insert_header((header::ETAG, etag));
        }
        if let Some(location) = answer.location {
            response.insert_header((header::LOCATION, location));
        }
        if status == StatusCode::NO_CONTENT {
            return response.finish();
        }
        response.content_type("application/json").body(answer.body)
    }
}

impl Once {
    /// Reads the key and fingerprints method, path and body.
    pub fn of(request: &HttpRequest, body: &[u8]) -> Result<Self> {
        let key = match request.headers().get("Idempotency-Key") {
            None => None,
            Some(value) => match value.to_str() {
                Ok(text) if (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    Some(text.to_owned())
                }
                _ => {
                    return Err(Error::Malformed {
                        code: "bad_idempotency_key",
                        message: format!("Idempotency-Key must be 1 to {KEY_MAX} visible ASCII characters"),
                    });
                }
            },
        };
        let mut hash = Sha256::new();
        hash.update(request.method().as_str());
        hash.update([0]);
        hash.update(request.uri().to_string());
        hash.update([0]);
        hash.update(body);
        Ok(Self { token: auth::caller(request)?.token_id, key, fingerprint: hash.finalize().to_vec() })
    }

    /// Runs `work` in one transaction, or gives the stored answer of the first run.
    /// Costs one look-up and one insert more than the work where a key came.
    pub async fn run(
        self,
        app: &Data<App>,
        now: DateTime<Utc>,
        work: impl FnOnce(&mut Conn) -> Result<Answer> + Send + 'static,
    ) -> Result<HttpResponse> {
        let asked = self.clone();
        let first = app.db.write(move |conn| asked.first(conn, now, work)).await;
        self.answer(app, first).await
    }

    /// The same for the verbs that are asked most: `work` has no effect outside the database and may be run again. It is run for
    /// a retry too and undone, which spares everybody else the look-up.
    pub async fn run_again(
        self,
        app: &Data<App>,
        now: DateTime<Utc>,
        work: impl Fn(&mut Conn) -> Result<Answer> + Send + 'static,
    ) -> Result<HttpResponse> {
        let asked = self.clone();
        let first = app.db.write_again(move |conn| asked.keep(conn, now, &work)).await;
        self.answer(app, first).await
    }

    fn first(&self, conn: &mut Conn, now: DateTime<Utc>, work: impl FnOnce(&mut Conn) -> Result<Answer>) -> Result<Answer> {
        if let Some(key) = &self.key
            && let Some(stored) = find(conn, (self.token, key), &self.fingerprint)?
        {
            return Ok(stored);
        }
        self.keep(conn, now, work)
    }

    /// Does the work and stores its answer; refuses where there is one for the key.
    fn keep(&self, conn: &mut Conn, now: DateTime<Utc>, work: impl FnOnce(&mut Conn) -> Result<Answer>) -> Result<Answer> {
        let answer = work(conn)?;
        if let Some(key) = &self.key {
            store(conn, (self.token, key), &self.fingerprint, &answer, now)?;
        }
        Ok(answer)
    }

    async fn answer(self, app: &Data<App>, first: Result<Answer>) -> Result<HttpResponse> {
        let Self { token, key, fingerprint } = self;
        match (first, key) {
            (Ok(answer), _) => Ok(answer.into()),
            // Another request with this key may have committed in between, and what it made may be in our way: its answer is ours.
            (Err(refusal), Some(key)) => {
                let stored = app.db.read(move |conn| find(conn, (token, &key), &fingerprint)).await?;
                Ok(stored.ok_or(refusal)?.into())
            }
            (Err(refusal), None) => Err(refusal),
        }
    }
}

/// Fingerprint, status, ETag, Location, body.
type Stored = (Vec<u8>, i32, Option<String>, Option<String>, String);

fn find(conn: &mut Conn, (token, key): (TokenId, &str), fingerprint: &[u8]) -> Result<Option<Answer>> {
    use idempotency_keys as k;
    let found = k::table.find((token, key)).select((k::fingerprint, k::status, k::etag, k::location, k::body));
    let row: Option<Stored> = each!(conn, conn => found.first(conn)).optional()?;
    let Some((print, status, etag, location, body)) = row else {
        return Ok(None);
    };
    if print != fingerprint {
        return Err(Error::KeyReused);
    }
    let status = u16::try_from(status).map_err(|_| Error::internal("a stored status is out of range"))?;
    Ok(Some(Answer { status, etag, location, body, kept: None }))
}

fn store(conn: &mut Conn, (token, key): (TokenId, &str), fingerprint: &[u8], answer: &Answer, now: DateTime<Utc>) -> Result<()> {
    use idempotency_keys as k;
    let stored = each!(conn, conn => diesel::insert_into(k::table)
        .values((
            k::token_id.eq(token),
            k::key.eq(key),
            k::fingerprint.eq(fingerprint),
            k::status.eq(i32::from(answer.status)),
            k::etag.eq(&answer.etag),
            k::location.eq(&answer.location),
            k::body.eq(answer.kept.as_ref().unwrap_or(&answer.body)),
            k::created_at.eq(Time(now)),
        ))
        .or_ignore()
        .execute(conn))?;
    if stored == 0 { Err(Error::KeyBusy) } else { Ok(()) }
}

/// Forgets keys past their time; says how many.
pub fn forget(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize> {
    use idempotency_keys as k;
    let before = Time(now - TimeDelta::hours(KEPT_HOURS));
    Ok(diesel::delete(k::table.filter(k::created_at.lt(before))).execute(conn)?)
}

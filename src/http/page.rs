//! Cursor pages: `limit`, `cursor`, and a `Link` to the next one.
use crate::error::{Error, Result};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Rows of a page where the client does not say.
pub const LIMIT_DEFAULT: u32 = 50;
/// Rows of a page at the most.
pub const LIMIT_MAX: u32 = 100;

/// About what a row is as JSON: the text of a page is not moved while it grows.
const ROW_BYTES: usize = 1_024;

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Give this as `cursor` to get the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// Reads a cursor that [`Page::of`] made.
pub fn read_cursor<C: DeserializeOwned>(text: Option<&str>) -> Result<Option<C>> {
    let Some(text) = text else { return Ok(None) };
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .map(Some)
        .ok_or_else(|| Error::field("cursor", "unknown_cursor", "is not a cursor of this list"))
}

impl<T> Page<T> {
    /// A page from one row more than was asked for; `key` says where the next one starts.
    pub fn of<C: Serialize>(mut rows: Vec<T>, limit: u32, key: impl Fn(&T) -> C) -> Result<Self> {
        let limit = limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(last) if more => Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&key(last))?)),
            _ => None,
        };
        Ok(Self { items: rows, next_cursor })
    }

    /// A page that says itself where the next one starts.
    pub fn ending<C: Serialize>(items: Vec<T>, next: Option<C>) -> Result<Self> {
        let next_cursor = match next {
            Some(next) => Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&next)?)),
            None => None,
        };
        Ok(Self { items, next_cursor })
    }

    /// The same page of other things.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

impl<T: Serialize> Page<T> {
    /// The answer, with a `Link` header where there is more (RFC 8288).
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if let Some(cursor) = &self.next_cursor {
            let others = form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "cursor");
            let query =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(others).append_pair("cursor", cursor).finish();
            response.insert_header((header::LINK, format!("<{}?{query}>; rel=\"next\"", request.path())));
        }
        let mut text = Vec::with_capacity(self.items.len() * ROW_BYTES);
        match serde_json::to_writer(&mut text, self) {
            Ok(()) => response.content_type("application/json").body(text),
            Err(error) => Error::from(error).error_response(),
        }
    }
}

/// `limit` and `cursor` alone, for lists without filters.
#[derive(Debug, Deserialize, validator::Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Rows at the most, 1 to 100 (50 where it is left out).
    #[validate(range(min = 1, max = LIMIT_MAX))]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

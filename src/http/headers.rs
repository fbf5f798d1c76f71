//! Strict headers on every answer. What a handler set itself stays.
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// For what is no page: nothing in it runs, nothing frames it.
const CSP_DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// For the page that browses the API's description: its own scripts and pictures, styles that its scripts write.
const CSP_DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Browsers come back over HTTPS alone for a year.
const HSTS: &str = "max-age=31536000";
/// Where the API's description is browsed.
const DOCS: &str = "/api/docs/";

/// On pages alone.
const OF_PAGES: [(HeaderName, &str); 5] = [
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=()"),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Adds what is missing.
pub fn harden<B>(response: &mut ServiceResponse<B>, public_url: &str) {
    let is_docs = response.request().path().starts_with(DOCS);
    let headers = response.headers_mut();
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::CONTENT_SECURITY_POLICY, if is_docs { CSP_DOCS } else { CSP_DATA });
    // Answers hold what people wrote: no cache on the way keeps them.
    set(headers, header::CACHE_CONTROL, if is_docs { "no-cache" } else { "no-store" });
    if public_url.starts_with("https://") {
        set(headers, header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        OF_PAGES.into_iter().for_each(|(name, value)| set(headers, name, value));
    }
}

//! One log line and one metric per request, and an id that names both. No addresses, tokens or bodies.
use super::extract::app;
use super::headers;
use crate::routes;
use actix_web::HttpMessage;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use std::borrow::Cow;
use std::time::Instant;
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a proxy.
const ID_MAX: usize = 64;

/// The pattern of the route that a request matched, looked up once.
#[derive(Clone)]
pub struct Route(pub Option<Cow<'static, str>>);

fn route(request: &ServiceRequest) -> Option<Cow<'static, str>> {
    let path = request.match_info().as_str();
    routes::pattern(path).map(Cow::Borrowed).or_else(|| request.resource_map().match_pattern(path).map(Cow::Owned))
}

fn request_id(request: &ServiceRequest) -> String {
    request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|text| {
            (1..=ID_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
        .map_or_else(|| crate::ids::TokenId::new().to_string(), str::to_owned)
}

/// The middleware around everything.
pub async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let started = Instant::now();
    let app = app(request.request())?.clone();
    let id = request_id(&request);
    let method = request.method().clone();
    // The pattern, not the path: a path can hold a survey's token. The path is the decoded one, which the router matches: the raw
    // one of `%61gents` would match nothing here and `agents` there.
    let route = route(&request);
    request.extensions_mut().insert(Route(route.clone()));
    let route = route.as_deref().unwrap_or("(none)");
    let span = tracing::info_span!("request", %id, %method, %route);
    let mut response = match next.call(request).instrument(span.clone()).await {
        Ok(response) => response,
        Err(error) => {
            app.metrics.request(&method, route, error.as_response_error().status_code().as_u16(), started.elapsed());
            return Err(error);
        }
    };
    let status = response.status().as_u16();
    app.metrics.request(&method, route, status, started.elapsed());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    headers::harden(&mut response, &app.config.server.public_url);
    let _in_span = span.enter();
    tracing::debug!(status, micros = started.elapsed().as_micros() as u64, "answered");
    Ok(response)
}

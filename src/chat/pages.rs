//! What browsers load: the widget that sites show, and the page on which agents take chats.
use crate::error::Error;
use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError};

/// The widget: one file without a dependency.
const WIDGET: &str = include_str!("assets/widget.js");
/// The agent's page.
const PAGE: &str = include_str!("assets/agent.html");
const STYLE: &str = include_str!("assets/agent.css");
const SCRIPT: &str = include_str!("assets/agent.js");

/// Its own script and style and connections home, and nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// Sites and browsers may keep the widget for so long: a new version of the desk is shown by then.
const KEPT: &str = "public, max-age=3600";

/// Their addresses.
pub fn routes(config: &mut ServiceConfig) {
    let only_get = || async { Error::MethodNotAllowed("GET, HEAD".into()).error_response() };
    macro_rules! asset {
        ($path:literal, $answer:expr) => {
            web::resource($path)
                .route(web::get().to(|| async { $answer }))
                .route(web::head().to(|| async { $answer }))
                .default_service(web::to(only_get))
        };
    }
    config
        .service(asset!("/chat/widget.js", widget()))
        .service(asset!("/chat/agent", page()))
        .service(asset!("/chat/agent.js", file(JAVASCRIPT, SCRIPT)))
        .service(asset!("/chat/agent.css", file("text/css; charset=utf-8", STYLE)));
}

/// Any site may load it; where it may connect from is asked when it does.
fn widget() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(JAVASCRIPT)
        .insert_header((header::CACHE_CONTROL, KEPT))
        .insert_header((header::CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"))
        .body(WIDGET)
}

fn file(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).insert_header((header::CACHE_CONTROL, "no-cache")).body(text)
}

fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header(("x-robots-tag", "noindex, nofollow"))
        .body(PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widget_stays_small() {
        assert!(WIDGET.len() < 30 * 1024, "{} bytes", WIDGET.len());
    }
}

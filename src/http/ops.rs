//! `/healthz`, `/readyz`, `/metrics`, and the API's description with its page.
use super::openapi;
use crate::app::App;
use crate::db::{Conn, migrate};
use crate::error::{Error, Result};
use crate::http::extract::Now;
use crate::jobs::queue;
use crate::mail::outbox;
use crate::metrics::Levels;
use crate::sla::alarm;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpResponse, Responder, ResponseError};
use std::sync::LazyLock;
use utoipa_swagger_ui::SwaggerUi;

/// Worker and alarm must have looked at their queues within so long.
const BEAT_MAX_SECONDS: i64 = 15;

/// These need no token: what they tell is for machines on the same network.
pub fn routes(config: &mut ServiceConfig) {
    // Two hundred operations and all their schemas at once are slow to draw and too much to read: a line for each area.
    let page =
        utoipa_swagger_ui::Config::from("/api/openapi.json").default_models_expand_depth(-1).doc_expansion("none").filter(true);
    config
        .service(only_get("/healthz", health))
        .service(only_get("/readyz", ready))
        .service(only_get("/metrics", metrics))
        .service(only_get("/api/openapi.json", described))
        .service(web::redirect("/api", "/api/docs/"))
        .service(web::redirect("/api/docs", "/api/docs/"))
        .service(SwaggerUi::new("/api/docs/{_:.*}").config(page));
}

fn only_get<F, Args>(path: &str, handler: F) -> actix_web::Resource
where
    F: actix_web::Handler<Args> + Clone,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(|| async { Error::MethodNotAllowed("GET, HEAD".into()).error_response() }))
}

/// Made when it is first asked for: it takes more time and memory than all else at a start.
static DESCRIPTION: LazyLock<Bytes> = LazyLock::new(|| openapi::description().to_json().unwrap_or_default().into());

async fn described() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DESCRIPTION.clone())
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// Whether the database answers, its schema is current, and worker and alarm are at work.
async fn ready(app: Data<App>, Now(now): Now) -> Result<HttpResponse> {
    let is_current = app.db.read(migrate::is_current).await?;
    let beat_age_seconds = app.beat.age_seconds(now);
    if !is_current {
        return Err(Error::Unavailable("the schema is not current".into()));
    }
    if beat_age_seconds > BEAT_MAX_SECONDS {
        return Err(Error::Unavailable("worker or alarm stands still".into()));
    }
    Ok(HttpResponse::Ok().json(serde_json::json!({ "status": "ready", "database": "ok", "worker": "ok" })))
}

fn levels(conn: &mut Conn) -> Result<Levels> {
    Ok(Levels {
        jobs: queue::counts(conn)?,
        running_clocks: alarm::count_running(conn)?,
        mails: outbox::counts(conn)?,
        ..Levels::default()
    })
}

/// Five counts over small indexes.
async fn metrics(app: Data<App>) -> Result<HttpResponse> {
    let mut levels = app.db.read(levels).await?;
    let load = app.db.load();
    levels.streams = i64::try_from(app.live.listeners()).unwrap_or(i64::MAX);
    (levels.connections, levels.batches) = ((load.connections, load.idle), (load.batches, load.batched_writes));
    let text = app.metrics.render(&levels).map_err(|error| Error::internal(error.to_string()))?;
    Ok(HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text))
}

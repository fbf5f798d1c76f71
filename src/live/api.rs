//! `/stream`.
use super::listener::{Listener, Seat};
use super::model::{Filter, Topic};
use super::{horizon, queries};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::Params;
use crate::ids::TeamId;
use actix_web::http::{Method, header};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use std::str::FromStr;
use validator::Validate;

/// What an EventSource sends when it comes back.
const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Teams and topics that a stream can ask for.
const NAMED_MAX: usize = 50;

/// What to listen to.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamParams {
    /// Only what is of these teams (ids with commas between them), or of no team.
    team: Option<String>,
    /// Only these topics, with commas between them: `tickets`, `messages`, `clocks`, `calls`, `alerts`, `presence`, `chats`, `surveys`.
    #[param(example = "calls,clocks")]
    topic: Option<String>,
    /// Everything after this event, as `Last-Event-ID` says it, which wins; from now on where neither is given.
    #[validate(range(min = 0))]
    #[param(minimum = 0)]
    after: Option<i64>,
    /// false: only what was missed; then the stream ends.
    follow: Option<bool>,
}

/// The names in a list with commas.
fn listed<T: FromStr>(field: &str, code: &str, text: Option<&str>) -> Result<Vec<T>> {
    let names: Vec<&str> = text.map(|text| text.split(',').map(str::trim).collect()).unwrap_or_default();
    if names.len() > NAMED_MAX {
        return Err(Error::field(field, "length", format!("must name at most {NAMED_MAX}")));
    }
    let unknown = |name: &str| Error::field(field, code, format!("{name:?} is none that there is"));
    names.into_iter().map(|name| name.parse().map_err(|_| unknown(name))).collect()
}

fn last_event_id(request: &HttpRequest) -> Result<Option<i64>> {
    let Some(value) = request.headers().get(LAST_EVENT_ID) else { return Ok(None) };
    let text = value.to_str().unwrap_or("?").trim();
    // A client that has seen no id yet sends an empty one.
    if text.is_empty() {
        return Ok(None);
    }
    let id = text.parse().ok().filter(|id| *id >= 0);
    id.map(Some).ok_or_else(|| Error::field(LAST_EVENT_ID, "wrong_type", "must be the id of an event"))
}

/// Events as they are written, as server-sent events. `Last-Event-ID` replays what was missed, once and in order.
#[utoipa::path(get, path = "/api/v1/stream", tag = "live", params(StreamParams, ("Last-Event-ID" = Option<i64>, Header, description = "The last event that the client has.")),
    responses((status = 200, description = "Events without end: `id`, `event` (the topic) and `data`, which is JSON", body = String, content_type = "text/event-stream")))]
pub async fn stream(app: Data<App>, who: Who, params: Params<StreamParams>, request: HttpRequest) -> Result<HttpResponse> {
    let StreamParams { team, topic, after, follow } = params.0;
    let mut teams: Vec<TeamId> = listed("team", "unknown_team", team.as_deref())?;
    teams.sort_unstable();
    teams.dedup();
    let topics: Vec<Topic> = listed("topic", "unknown_name", topic.as_deref())?;
    let after = last_event_id(&request)?.or(after);
    let asked = teams.clone();
    let (are_known, newest) =
        app.db.read(move |conn| Ok((asked.is_empty() || queries::are_teams(conn, &asked)?, horizon::newest(conn)?))).await?;
    if !are_known {
        return Err(Error::field("team", "unknown_team", "is not a team"));
    }
    if after.is_some_and(|after| after > newest) {
        // After a backup was restored, say: who waited for that number would miss all before it.
        return Err(Error::field("after", "future", "there is no such event yet"));
    }
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"));
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let seat = Seat::take(&app, &who.0);
    let listener = Listener::join(seat, Filter { topics, teams }, after, follow.unwrap_or(true)).await?;
    let stream = futures_util::stream::unfold(listener, |mut listener| async move {
        let bytes = listener.next().await?;
        Some((Ok::<Bytes, Error>(bytes), listener))
    });
    Ok(response.streaming(Box::pin(stream)))
}

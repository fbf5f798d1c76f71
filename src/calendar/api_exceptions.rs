//! `/calendars/{id}/exceptions/{on}`, and the two questions a calendar answers: open? due when?
use super::api::check;
use super::edit::{CalendarEdited, edit};
use super::hours::{Hours, Mode};
use super::store::{self, Calendar};
use super::wire::ExceptionWire;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params};
use crate::ids::CalendarId;
use crate::seen::Seen;
use crate::sla::dry_run::DryRunParams;
use crate::sla::wire::ModeName;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, NaiveDate, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A budget at the most: ten years of seconds.
const SECONDS_MAX: i64 = 315_360_000;
/// Segments in an answer at the most; a longer list is cut and says so.
const SEGMENTS_MAX: usize = 1_000;
/// Segments are looked for in steps of so long.
const SEGMENTS_STEP: TimeDelta = TimeDelta::days(30);

fn date(request: &HttpRequest) -> Result<NaiveDate> {
    request
        .match_info()
        .get("on")
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::field("on", "date", "the path must end in a date such as 2026-12-25"))
}

/// The body is the exception alone: its fields are named as they are sent.
fn seen_from(on: NaiveDate, error: Error) -> Error {
    let Error::Invalid(mut fields) = error else { return error };
    let prefix = format!("definition.exceptions.{on}.");
    for error in &mut fields {
        if let Some(rest) = error.field.strip_prefix(&prefix) {
            error.field = rest.to_owned();
        }
    }
    Error::Invalid(fields)
}

/// Set the exception of a local date; running promises follow, as after any edit of a calendar.
#[utoipa::path(put, path = "/api/v1/calendars/{id}/exceptions/{on}", tag = "promises", request_body = ExceptionWire,
    params(("id" = CalendarId, Path), ("on" = NaiveDate, Path, description = "Local date"), DryRunParams),
    responses((status = 200, description = "The calendar as it is now", body = CalendarEdited)))]
pub async fn put(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<CalendarId>,
    (seen, params): (Seen, Params<DryRunParams>),
    body: Body<ExceptionWire>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let on = date(&request)?;
    let change = move |calendar: &mut Calendar| {
        calendar.definition.exceptions.insert(on, body.0);
        check(&calendar.definition, now).map_err(|error| seen_from(on, error))
    };
    edit(&app, who.0.actor(), id.0, (seen, params.0.dry_run), now, change).await
}

/// Take the exception of a local date away; running promises follow, as after any edit of a calendar.
#[utoipa::path(delete, path = "/api/v1/calendars/{id}/exceptions/{on}", tag = "promises",
    params(("id" = CalendarId, Path), ("on" = NaiveDate, Path, description = "Local date"), DryRunParams),
    responses((status = 200, description = "The calendar as it is now", body = CalendarEdited)))]
pub async fn remove(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<CalendarId>,
    (seen, params): (Seen, Params<DryRunParams>),
    request: HttpRequest,
) -> Result<HttpResponse> {
    let on = date(&request)?;
    let change = move |calendar: &mut Calendar| {
        calendar.definition.exceptions.remove(&on).ok_or(Error::NotFound("exception on this date"))?;
        check(&calendar.definition, now)
    };
    edit(&app, who.0.actor(), id.0, (seen, params.0.dry_run), now, change).await
}

/// When to look.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OpenParams {
    /// The instant; now where it is left out.
    at: Option<DateTime<Utc>>,
}

/// Whether a calendar is open.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OpenOut {
    /// The instant asked about.
    at: DateTime<Utc>,
    /// Whether it is open then.
    open: bool,
    /// When this open stretch ends; null while closed.
    closes_at: Option<DateTime<Utc>>,
    /// When it opens next; null while open.
    opens_at: Option<DateTime<Utc>>,
}

async fn hours_of(app: &Data<App>, id: CalendarId) -> Result<Hours> {
    app.db.read(move |conn| store::find(conn, id)?.ok_or(Error::NotFound("calendar"))?.hours()).await
}

/// Is it open?
#[utoipa::path(get, path = "/api/v1/calendars/{id}/open", tag = "promises", params(("id" = CalendarId, Path), OpenParams),
    responses((status = 200, description = "Open or closed", body = OpenOut)))]
pub async fn open(app: Data<App>, Now(now): Now, id: Id<CalendarId>, params: Params<OpenParams>) -> Result<HttpResponse> {
    let hours = hours_of(&app, id.0).await?;
    let at = params.0.at.unwrap_or(now).trunc_subsecs(0);
    let open = hours.is_open(at);
    let opens_at = if open { None } else { hours.next_opening(at) };
    Ok(HttpResponse::Ok().json(OpenOut { at, open, closes_at: hours.closes_at(at), opens_at }))
}

/// A budget to lay over a calendar.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadlineIn {
    /// When the clock starts; parts of a second are cut off.
    from: DateTime<Utc>,
    /// The budget in seconds.
    #[serde(deserialize_with = "crate::http::patch::whole")]
    #[validate(range(min = 1, max = SECONDS_MAX))]
    #[schema(minimum = 1, maximum = 315_360_000)]
    seconds: i64,
    /// What counts.
    mode: ModeName,
}

/// A stretch of time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SegmentOut {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// Whether the clock ran.
    counted: bool,
    /// Length.
    seconds: i64,
}

/// When a budget is used up.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DeadlineOut {
    /// When it is due; null where nothing is promised, or where the calendar does not open in time.
    due_at: Option<DateTime<Utc>>,
    /// False where `when_open` starts while closed.
    promised: bool,
    /// From the start to the deadline, without gaps; the counted ones add up to the budget.
    segments: Vec<SegmentOut>,
    /// True where there are more segments than are listed.
    segments_cut: bool,
}

/// When is a budget used up?
#[utoipa::path(post, path = "/api/v1/calendars/{id}/deadline", tag = "promises", request_body = DeadlineIn,
    params(("id" = CalendarId, Path)), responses((status = 200, description = "The deadline", body = DeadlineOut)))]
pub async fn deadline(app: Data<App>, id: Id<CalendarId>, body: Body<DeadlineIn>) -> Result<HttpResponse> {
    // A pure question: a retry gets the same answer without a stored key.
    let DeadlineIn { from, seconds, mode } = body.0;
    let (from, mode) = (from.trunc_subsecs(0), mode.mode());
    if from.checked_add_signed(TimeDelta::days(36_525)).is_none() || from.timestamp() < -5_000_000_000 {
        return Err(Error::field("from", "range", "is too far from today"));
    }
    let answer = app.db.read(move |conn| {
        let hours = store::find(conn, id.0)?.ok_or(Error::NotFound("calendar"))?.hours()?;
        let promised = mode != Mode::WhenOpen || hours.is_open(from);
        let due_at = if promised { hours.due(mode, from, seconds).ok() } else { None };
        let mut segments = due_at.map(|due| first_segments(&hours, mode, from, due)).unwrap_or_default();
        let segments_cut = segments.len() > SEGMENTS_MAX;
        segments.truncate(SEGMENTS_MAX);
        Ok(DeadlineOut { due_at, promised, segments, segments_cut })
    });
    Ok(HttpResponse::Ok().json(answer.await?))
}

/// The segments up to `due`, but hardly more than an answer holds: a budget of years over short hours has millions.
fn first_segments(hours: &Hours, mode: Mode, from: DateTime<Utc>, due: DateTime<Utc>) -> Vec<SegmentOut> {
    let mut list: Vec<SegmentOut> = Vec::new();
    let mut at = from;
    while at < due && list.len() <= SEGMENTS_MAX {
        let to = at.checked_add_signed(SEGMENTS_STEP).map_or(due, |to| to.min(due));
        for segment in hours.segments(mode, at, to) {
            match list.last_mut() {
                Some(last) if last.counted == segment.counted => last.to = segment.to,
                _ => list.push(SegmentOut { from: segment.from, to: segment.to, counted: segment.counted, seconds: 0 }),
            }
        }
        at = to;
    }
    for segment in &mut list {
        segment.seconds = (segment.to - segment.from).num_seconds();
    }
    list
}

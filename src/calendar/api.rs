//! `/calendars`.
use super::edit::{CalendarEdited, edit};
use super::store::{self, Calendar};
use super::wire::Definition;
use crate::app::App;
use crate::audit;
use crate::error::{Error, FieldError, Result};
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::ids::CalendarId;
use crate::seen::Seen;
use crate::sla::dry_run::DryRunParams;
use crate::sla::moves::commands as moves;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A calendar to make, or what one is to become.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarIn {
    /// What people call it; unique.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Reseller Support"))]
    name: String,
    /// Whether it serves where neither policy nor team names one.
    #[serde(default)]
    is_default: bool,
    /// What it says.
    #[validate(nested)]
    definition: Definition,
}

/// A calendar.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CalendarOut {
    id: CalendarId,
    name: String,
    is_default: bool,
    version: i32,
    definition: Definition,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Calendar> for CalendarOut {
    fn from(calendar: Calendar) -> Self {
        let Calendar { id, name, is_default, version, definition, created_at, updated_at } = calendar;
        Self { id, name, is_default, version, definition, created_at, updated_at }
    }
}

/// Refuses wrong fields, and hours that never come.
pub fn check(definition: &Definition, now: DateTime<Utc>) -> Result<()> {
    let named = |errors: Vec<FieldError>| errors.into_iter().map(|error| error.within("definition")).collect();
    let hours = definition.hours().map_err(|errors| Error::Invalid(named(errors)))?;
    hours.opens_within_400_days(now).map_err(|error| Error::field("definition", "never_open", error.to_string()))
}

pub(super) fn answer(calendar: Calendar) -> Result<Answer> {
    let version = calendar.version;
    Ok(Answer::ok(&CalendarOut::from(calendar))?.version(version))
}

/// Make a calendar. Where it is the default from now on, running promises that count by the default one follow.
#[utoipa::path(post, path = "/api/v1/calendars", tag = "promises", request_body = CalendarIn,
    responses((status = 201, description = "Made", body = CalendarOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<CalendarIn>) -> Result<HttpResponse> {
    let CalendarIn { name, is_default, definition } = post.body;
    check(&definition, now)?;
    let done = post
        .once
        .run(&app, now, move |conn| {
            let made = CalendarOut::from(store::insert(conn, name, is_default, definition, now)?);
            audit::created(conn, who.0.actor(), ("calendar", made.id.0), &made, now)?;
            if is_default {
                moves::follow_choice(conn, Some(made.id), now)?;
            }
            Ok(Answer::created(format!("/api/v1/calendars/{}", made.id), &made)?.version(made.version))
        })
        .await?;
    app.jobs_queued.notify_one();
    Ok(done)
}

/// List calendars, oldest first.
#[utoipa::path(get, path = "/api/v1/calendars", tag = "promises", params(PageParams),
    responses((status = 200, description = "A page", body = Page<CalendarOut>)))]
pub async fn list(app: Data<App>, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(CalendarOut::from).respond(&request))
}

/// One calendar.
#[utoipa::path(get, path = "/api/v1/calendars/{id}", tag = "promises", params(("id" = CalendarId, Path)),
    responses((status = 200, description = "The calendar", body = CalendarOut)))]
pub async fn get(app: Data<App>, id: Id<CalendarId>) -> Result<HttpResponse> {
    let found = app.db.read(move |conn| store::find(conn, id.0)).await?;
    Ok(answer(found.ok_or(Error::NotFound("calendar"))?)?.into())
}

/// Replace a calendar. The time that running promises have used stays used; what remains is laid over the new hours, in a job.
#[utoipa::path(put, path = "/api/v1/calendars/{id}", tag = "promises", request_body = CalendarIn,
    params(("id" = CalendarId, Path), DryRunParams), responses((status = 200, description = "As it is now", body = CalendarEdited)))]
pub async fn replace(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<CalendarId>,
    seen: Seen,
    params: Params<DryRunParams>,
    body: Body<CalendarIn>,
) -> Result<HttpResponse> {
    let CalendarIn { name, is_default, definition } = body.0;
    check(&definition, now)?;
    let change = move |calendar: &mut Calendar| {
        (calendar.name, calendar.is_default, calendar.definition) = (name, is_default, definition);
        Ok(())
    };
    edit(&app, who.0.actor(), id.0, (seen, params.0.dry_run), now, change).await
}

/// Remove a calendar that nothing uses.
#[utoipa::path(delete, path = "/api/v1/calendars/{id}", tag = "promises", params(("id" = CalendarId, Path)),
    responses((status = 204, description = "Removed")))]
pub async fn remove(app: Data<App>, who: Who, Now(now): Now, id: Id<CalendarId>, seen: Seen) -> Result<HttpResponse> {
    app.db
        .write(move |conn| {
            let before = store::find(conn, id.0)?.map(CalendarOut::from);
            store::remove(conn, id.0, seen)?;
            audit::removed(conn, who.0.actor(), ("calendar", id.0.0), &before, now)
        })
        .await?;
    Ok(Answer::nothing().into())
}

//! `POST /calendars/{id}/exceptions/import`: holidays from an `.ics` file.
use super::api::check;
use super::edit::save;
use super::ics::{self, Closing, Event, ImportOutcome, Refused};
use super::store;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Id, Now, Params};
use crate::http::idempotency::Answer;
use crate::http::text::PostCalendar;
use crate::ids::CalendarId;
use crate::seen::Seen;
use crate::timeline::Actor;
use actix_web::{HttpResponse, web::Data};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// How the dates of a file are closed.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    /// true: nobody reads mail on these dates either, so clocks that run around the clock stand still too.
    #[serde(default)]
    #[param(required = false)]
    no_service: bool,
    /// true: other exceptions on the same dates give way; else they stay.
    #[serde(default)]
    #[param(required = false)]
    replace: bool,
}

/// What became of one event of the file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportedOut {
    /// Its place in the file, from 0.
    index: usize,
    uid: Option<String>,
    summary: String,
    /// Its first local date.
    from: Option<NaiveDate>,
    /// Its last local date.
    to: Option<NaiveDate>,
    outcome: ImportOutcome,
    /// A stable word for why it failed.
    code: Option<&'static str>,
    /// A sentence for people.
    message: Option<String>,
}

/// What became of a file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct HolidaysOut {
    calendar_id: CalendarId,
    /// The calendar's version now: a new one where something was added.
    version: i32,
    added: usize,
    unchanged: usize,
    kept: usize,
    skipped: usize,
    failed: usize,
    /// The events, in the order of the file.
    items: Vec<ImportedOut>,
}

impl HolidaysOut {
    fn of(calendar_id: CalendarId, version: i32, items: Vec<ImportedOut>) -> Self {
        let count = |outcome: ImportOutcome| items.iter().filter(|item| item.outcome == outcome).count();
        let (added, unchanged, kept) = (count(ImportOutcome::Added), count(ImportOutcome::Unchanged), count(ImportOutcome::Kept));
        let (skipped, failed) = (count(ImportOutcome::Skipped), count(ImportOutcome::Failed));
        Self { calendar_id, version, added, unchanged, kept, skipped, failed, items }
    }
}

fn item(index: usize, event: Event, outcome: ImportOutcome) -> ImportedOut {
    let Event { uid, summary, is_cancelled: _, dates } = event;
    let (from, to, refused) = match dates {
        Ok((from, to)) => (Some(from), Some(to), None),
        Err(refused) => (None, None, Some(refused)),
    };
    let (code, message) = refused.map(|Refused(code, message)| (code, message)).unzip();
    ImportedOut { index, uid, summary, from, to, outcome, code, message }
}

/// Import holidays: each whole-day event of an iCalendar file closes its dates. A second import changes nothing.
#[utoipa::path(post, path = "/api/v1/calendars/{id}/exceptions/import", tag = "promises",
    request_body(content = String, content_type = "text/calendar", example = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Desk//EN\r\nBEGIN:VEVENT\r\nUID:1@desk\r\nSUMMARY:Christmas Day\r\nDTSTART;VALUE=DATE:20261225\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
    params(("id" = CalendarId, Path), ImportParams),
    responses((status = 200, description = "What became of each event", body = HolidaysOut)))]
pub async fn import(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<CalendarId>,
    seen: Seen,
    params: Params<ImportParams>,
    post: PostCalendar,
) -> Result<HttpResponse> {
    let ImportParams { no_service, replace } = params.0;
    let events = ics::read(&post.text).map_err(|Refused(code, message)| Error::field("body", code, message))?;
    let how = Closing { no_service, replace };
    let answer = post.once.run(&app, now, move |conn| take_in(conn, who.0.actor(), id.0, seen, (events, how), now)).await?;
    app.jobs_queued.notify_one();
    Ok(answer)
}

fn take_in(
    conn: &mut crate::db::Conn,
    actor: Actor,
    id: CalendarId,
    seen: Seen,
    (events, how): (Vec<Event>, Closing),
    now: DateTime<Utc>,
) -> Result<Answer> {
    let mut calendar = store::find(conn, id)?.ok_or(Error::NotFound("calendar"))?;
    seen.check(calendar.version)?;
    let mut definition = calendar.definition.clone();
    let mut items = Vec::with_capacity(events.len());
    for (index, event) in events.into_iter().enumerate() {
        let outcome = ics::close(&mut definition, &event, how);
        items.push(item(index, event, outcome));
    }
    if definition != calendar.definition {
        check(&definition, now)?;
        let seen = Seen(Some(calendar.version));
        (calendar, _) = save(conn, actor, id, seen, now, |calendar| {
            calendar.definition = definition;
            Ok(())
        })?;
    }
    Ok(Answer::ok(&HolidaysOut::of(id, calendar.version, items))?.version(calendar.version))
}

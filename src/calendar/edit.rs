//! Editing a calendar: a new version that running promises follow, or only what they would do.
use super::api::{CalendarOut, answer};
use super::store::{self, Calendar, InForce};
use crate::app::App;
use crate::audit;
use crate::db::{Conn, undo::undone};
use crate::error::Result;
use crate::ids::CalendarId;
use crate::seen::Seen;
use crate::sla::dry_run::DryRunOut;
use crate::sla::moves::commands::{self as moves, Edit};
use crate::timeline::Actor;
use actix_web::{HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::sync::Arc;

/// What editing a calendar answers: the calendar, or with `dry_run=true` what would move.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "never made: it describes the answer")]
pub enum CalendarEdited {
    /// The calendar.
    Calendar(CalendarOut),
    /// What would move.
    DryRun(DryRunOut),
}

/// Saves a changed calendar; where its hours changed, running clocks follow in a job. Up to nine queries.
pub fn save(
    conn: &mut Conn,
    actor: Actor,
    id: CalendarId,
    seen: Seen,
    now: DateTime<Utc>,
    change: impl FnOnce(&mut Calendar) -> Result<()>,
) -> Result<Calendar> {
    let (mut changed, mut before) = (false, None);
    let calendar = store::update(conn, id, seen, now, |calendar| {
        before = Some(CalendarOut::from(calendar.clone()));
        let hours = calendar.definition.clone();
        change(calendar)?;
        changed = hours != calendar.definition;
        Ok(())
    })?;
    audit::changed(conn, actor, ("calendar", id.0), (&before, &CalendarOut::from(calendar.clone())), now)?;
    if changed {
        moves::follow_calendar(conn, calendar.id, calendar.version, now)?;
    }
    Ok(calendar)
}

/// Carries an edit out, or answers what it would do.
pub async fn edit(
    app: &Data<App>,
    actor: Actor,
    id: CalendarId,
    (seen, dry_run): (Seen, bool),
    now: DateTime<Utc>,
    change: impl FnOnce(&mut Calendar) -> Result<()> + Send + 'static,
) -> Result<HttpResponse> {
    if dry_run {
        let calendar = app.db.write(move |conn| undone(conn, |conn| save(conn, actor, id, seen, now, change))).await?;
        let new = InForce { id, version: calendar.version, hours: Arc::new(calendar.hours()?) };
        let plan = app.db.read(move |conn| moves::plan(conn, Edit::of_calendar(new, now), now)).await?;
        return Ok(HttpResponse::Ok().json(plan));
    }
    let calendar = app.db.write(move |conn| save(conn, actor, id, seen, now, change)).await?;
    app.jobs_queued.notify_one();
    Ok(answer(calendar)?.into())
}

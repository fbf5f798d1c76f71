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

/// Saves a changed calendar; where its hours changed, or it became the default, running clocks follow in a job. Says whether it
/// became the default. Up to twelve queries.
pub fn save(
    conn: &mut Conn,
    actor: Actor,
    id: CalendarId,
    seen: Seen,
    now: DateTime<Utc>,
    change: impl FnOnce(&mut Calendar) -> Result<()>,
) -> Result<(Calendar, bool)> {
    let (mut changed, mut is_chosen, mut before) = (false, false, None);
    let calendar = store::update(conn, id, seen, now, |calendar| {
        before = Some(CalendarOut::from(calendar.clone()));
        let (hours, was_default) = (calendar.definition.clone(), calendar.is_default);
        change(calendar)?;
        is_chosen = calendar.is_default && !was_default;
        changed = hours != calendar.definition;
        Ok(())
    })?;
    audit::changed(conn, actor, ("calendar", id.0), (&before, &CalendarOut::from(calendar.clone())), now)?;
    if changed {
        moves::follow_calendar(conn, calendar.id, calendar.version, now)?;
    }
    if is_chosen {
        moves::follow_choice(conn, Some(calendar.id), now)?;
    }
    Ok((calendar, is_chosen))
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
        let carried_out = move |conn: &mut Conn| -> Result<Vec<Edit>> {
            let (calendar, is_chosen) = save(conn, actor, id, seen, now, change)?;
            let new = InForce { id, version: calendar.version, hours: Arc::new(calendar.hours()?) };
            let mut edits = vec![Edit::of_calendar(new, now)];
            if is_chosen {
                edits.push(Edit::of_choice(conn, id, now)?);
            }
            Ok(edits)
        };
        let edits = app.db.write(move |conn| undone(conn, carried_out)).await?;
        let plan = app.db.read(move |conn| moves::plan(conn, edits, now)).await?;
        return Ok(HttpResponse::Ok().json(plan));
    }
    let (calendar, _) = app.db.write(move |conn| save(conn, actor, id, seen, now, change)).await?;
    app.jobs_queued.notify_one();
    Ok(answer(calendar)?.into())
}

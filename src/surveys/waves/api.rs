//! `/surveys/waves`.
use super::commands;
use super::model::{self, Drawn, SampleStanding, WaveState};
use super::queries::{self, Sample, WaveRow};
use super::wire::{MemberOut, SampleOut, WaveIn, WaveOut};
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, Result};
use crate::http::extract::{Body, Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::ids::{ContactId, WaveId};
use crate::seen::Seen;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use validator::Validate;

/// The wave that a body asks for: its days lie in its quarter, and one of them is a weekday.
fn planned(wanted: WaveIn, now: DateTime<Utc>) -> Result<WaveRow> {
    let WaveIn { quarter, name, from_on, to_on, cap_per_organization, active_days, sample_size } = wanted;
    let unknown = || Error::field("quarter", "quarter", "must be a year and a quarter such as 2026-Q3");
    let (first, last) = model::quarter(&quarter).ok_or_else(unknown)?;
    let (from, to) = (from_on.unwrap_or(first), to_on.unwrap_or(last));
    for (field, day) in [("from_on", from), ("to_on", to)] {
        if day < first || day > last {
            return Err(Error::field(field, "outside_quarter", format!("must be a day of {quarter}")));
        }
    }
    if from > to {
        return Err(Error::field("from_on", "order", "must not be after the last day"));
    }
    if first.pred_opt().is_none_or(|before| model::days(from, to, before).is_empty()) {
        return Err(Error::field("to_on", "no_weekday", "there is no weekday between the first and the last day"));
    }
    Ok(WaveRow {
        id: WaveId::new(),
        name: name.unwrap_or_else(|| quarter.clone()),
        quarter,
        from_on: from.to_string(),
        to_on: to.to_string(),
        cap_per_organization,
        active_days,
        sample_size,
        state: Named(WaveState::Draft),
        started_at: None,
        frozen_at: None,
        stopped_at: None,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
    })
}

/// Plan a wave: nobody is asked before it is started.
#[utoipa::path(post, path = "/api/v1/surveys/waves", tag = "surveys", request_body = WaveIn,
    responses((status = 201, description = "Planned", body = WaveOut)))]
pub async fn create(app: Data<App>, agent: Agent, Now(now): Now, post: Post<WaveIn>) -> Result<HttpResponse> {
    let row = planned(post.body, now)?;
    post.once
        .run(&app, now, move |conn| {
            let made = WaveOut::at(commands::plan(conn, &agent, row, now)?, now);
            Ok(Answer::created(format!("/api/v1/surveys/waves/{}", made.id), &made)?.version(made.version))
        })
        .await
}

/// List waves, newest first.
#[utoipa::path(get, path = "/api/v1/surveys/waves", tag = "surveys", params(PageParams),
    responses((status = 200, description = "A page", body = Page<WaveOut>)))]
pub async fn list(app: Data<App>, Now(now): Now, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let before = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, before, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(|row| WaveOut::at(row, now)).respond(&request))
}

/// Plan a wave otherwise, as long as nobody was invited: name, quarter, window, caps.
///
/// Where more than the name changes, a sample that was frozen is thrown away, and the wave is a plan again.
#[utoipa::path(put, path = "/api/v1/surveys/waves/{id}", tag = "surveys", request_body = WaveIn, params(("id" = WaveId, Path)),
    responses((status = 200, description = "As it is now", body = WaveOut)))]
pub async fn edit(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<WaveId>,
    seen: Seen,
    body: Body<WaveIn>,
) -> Result<HttpResponse> {
    let wanted = planned(body.0, now)?;
    let row = app.db.write(move |conn| commands::edit(conn, &agent, id.0, seen, wanted, now)).await?;
    Ok(answer(row, now)?.into())
}

fn answer(row: WaveRow, now: DateTime<Utc>) -> Result<Answer> {
    let version = row.version;
    Ok(Answer::ok(&WaveOut::at(row, now))?.version(version))
}

/// One wave.
#[utoipa::path(get, path = "/api/v1/surveys/waves/{id}", tag = "surveys", params(("id" = WaveId, Path)),
    responses((status = 200, description = "The wave", body = WaveOut)))]
pub async fn get(app: Data<App>, Now(now): Now, id: Id<WaveId>) -> Result<HttpResponse> {
    Ok(answer(app.db.read(move |conn| queries::wave(conn, id.0)).await?, now)?.into())
}

/// Start a wave: its sample is frozen in a moment, and its letters go out from the next weekday of its window on.
#[utoipa::path(post, path = "/api/v1/surveys/waves/{id}/start", tag = "surveys", request_body = Nothing,
    params(("id" = WaveId, Path)), responses((status = 200, description = "As it is now", body = WaveOut)))]
pub async fn start(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<WaveId>,
    seen: Seen,
    post: Post<Nothing>,
) -> Result<HttpResponse> {
    let done = post.once.run(&app, now, move |conn| answer(commands::start(conn, &agent, id.0, seen, now)?, now)).await?;
    app.jobs_queued.notify_one();
    Ok(done)
}

/// Stop a wave, or give up a planned one: nothing more goes out, and its quarter is free for another.
#[utoipa::path(post, path = "/api/v1/surveys/waves/{id}/stop", tag = "surveys", request_body = Nothing,
    params(("id" = WaveId, Path)), responses((status = 200, description = "As it is now", body = WaveOut)))]
pub async fn stop(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<WaveId>,
    seen: Seen,
    post: Post<Nothing>,
) -> Result<HttpResponse> {
    post.once.run(&app, now, move |conn| answer(commands::stop(conn, &agent, id.0, seen, now)?, now)).await
}

/// A frozen sample is read; one that is not is drawn, as it would be now.
fn drawn(conn: &mut Conn, app: &App, wave: &WaveRow, now: DateTime<Utc>) -> Result<Option<Vec<Drawn>>> {
    if wave.frozen_at.is_some() { Ok(None) } else { commands::draw(conn, &app.config, wave, now).map(Some) }
}

/// How many a wave asks and how many not, by reason and by day.
///
/// Before the wave is frozen this is a dry run over all contacts.
#[utoipa::path(get, path = "/api/v1/surveys/waves/{id}/sample", tag = "surveys", params(("id" = WaveId, Path)),
    responses((status = 200, description = "The counts", body = SampleOut)))]
pub async fn sample(app: Data<App>, Now(now): Now, id: Id<WaveId>) -> Result<HttpResponse> {
    let desk = app.clone();
    let counted = app.db.snapshot(move |conn| {
        let wave = queries::wave(conn, id.0)?;
        Ok(match drawn(conn, &desk, &wave, now)? {
            Some(drawn) => SampleOut::of(Sample::of(&drawn), false),
            None => SampleOut::of(queries::sample(conn, wave.id)?, true),
        })
    });
    Ok(HttpResponse::Ok().json(counted.await?))
}

/// Which contacts of a wave to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MemberParams {
    /// Only those who are asked (`included`), or who are not for this reason.
    standing: Option<SampleStanding>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The contacts behind the sample: each with the day of the letter and what became of it, or with the reason for none.
#[utoipa::path(get, path = "/api/v1/surveys/waves/{id}/contacts", tag = "surveys", params(("id" = WaveId, Path), MemberParams),
    responses((status = 200, description = "A page", body = Page<MemberOut>)))]
pub async fn contacts(
    app: Data<App>,
    Now(now): Now,
    id: Id<WaveId>,
    params: Params<MemberParams>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let MemberParams { standing, limit, cursor } = params.0;
    let after: Option<ContactId> = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let (desk, rows) = (app.clone(), i64::from(limit) + 1);
    let members = app.db.snapshot(move |conn| {
        let wave = queries::wave(conn, id.0)?;
        let Some(drawn) = drawn(conn, &desk, &wave, now)? else {
            let members = queries::members(conn, wave.id, standing, after, rows)?;
            return Ok(members.into_iter().map(MemberOut::from).collect::<Vec<_>>());
        };
        let asked = drawn.into_iter().filter(|one| standing.is_none_or(|standing| one.standing == standing));
        let page = asked.filter(|one| after.is_none_or(|after| one.contact_id > after)).take(limit as usize + 1);
        Ok(page.map(MemberOut::from).collect())
    });
    Ok(Page::of(members.await?, limit, |member| member.contact_id)?.respond(&request))
}

//! `/reports/surveys` and `/reports/causes`.
use super::api_charts::respond;
use super::api_rows::{PageAsked, page_asked, send};
use super::asked::{Asked, GroupBy};
use super::causes::CausesReport;
use super::funnel::{Cohort, FunnelReport};
use super::params::{refused, report_params};
use super::rows::{Cursor, RowsAsked};
use super::rows_surveys::SurveyRow;
use super::sheet::{Format, Sheet};
use super::{csv_surveys, drawings_surveys, queries, queries_surveys};
use crate::app::App;
use crate::db::Conn;
use crate::error::Result;
use crate::http::extract::{Now, Params};
use crate::http::page::{LIMIT_DEFAULT, LIMIT_MAX, Page, read_cursor};
use crate::surveys::model::SurveyKind;
use actix_web::{HttpRequest, HttpResponse, web::Data};

report_params! {
    /// What to report about.
    FunnelParams {
        /// Surveys about requests (`transactional`, where it is left out) or about the company as a whole.
        kind: Option<SurveyKind>,
        /// What to divide the figures by; only the total where it is left out.
        group_by: Option<GroupBy>,
        /// By what closes are counted in the period; `closed` where it is left out.
        cohort: Option<Cohort>,
        /// How to write it; where it is left out, `Accept: text/csv` asks for CSV, and all else is JSON.
        format: Option<Format>,
    }
}

report_params! {
    /// Which rows.
    FunnelRowsParams {
        /// Surveys about requests (`transactional`, where it is left out) or about the company as a whole.
        kind: Option<SurveyKind>,
        /// By what closes are counted in the period; `closed` where it is left out.
        cohort: Option<Cohort>,
        /// Rows of a page at the most, 1 to 100 (50 where it is left out); CSV has no pages.
        #[validate(range(min = 1, max = LIMIT_MAX))]
        #[param(minimum = 1, maximum = 100)]
        limit: Option<u32>,
        /// `next_cursor` of the page before. It keeps the period of the first page.
        cursor: Option<String>,
        /// How to write them; where it is left out, `Accept: text/csv` asks for CSV, and all else is JSON.
        format: Option<Format>,
    }
}

report_params! {
    /// What to draw.
    FunnelChartParams {
        /// Surveys about requests (`transactional`, where it is left out) or about the company as a whole.
        kind: Option<SurveyKind>,
        /// By what closes are counted in the period; `closed` where it is left out.
        cohort: Option<Cohort>,
    }
}

report_params! {
    /// What to report about.
    CausesParams {
        /// Surveys about requests (`transactional`, where it is left out) or about the company as a whole.
        kind: Option<SurveyKind>,
        /// How to write it; where it is left out, `Accept: text/csv` asks for CSV, and all else is JSON.
        format: Option<Format>,
    }
}

report_params! {
    /// What to draw.
    CausesChartParams {
        /// Surveys about requests (`transactional`, where it is left out) or about the company as a whole.
        kind: Option<SurveyKind>,
    }
}

/// What became of closes?
///
/// The closes of the period by outcome, their letters, answers, reviews and follow-ups as they stand now; each step adds up to
/// the one above it. `/reports/surveys/rows` lists them.
#[utoipa::path(get, path = "/api/v1/reports/surveys", tag = "reports", params(FunnelParams), responses((
    status = 200,
    description = "The funnel; as CSV one row a group, with the same counts",
    content((FunnelReport = "application/json"), (String = "text/csv"))
)))]
pub async fn funnel(app: Data<App>, Now(now): Now, params: Params<FunnelParams>, request: HttpRequest) -> Result<HttpResponse> {
    let params = params.0;
    let asked = Asked::new(params.period(now)?, params.filter().about(params.kind), params.group_by).map_err(refused)?;
    let (cohort, format) = (params.cohort.unwrap_or(Cohort::Closed), Format::asked(params.format, &request));
    let sheet = app.db.snapshot(move |conn| {
        let groups = queries_surveys::funnel(conn, &asked, cohort, now)?;
        let names = queries::names(conn, asked.group_by, &groups)?;
        Sheet::of(&FunnelReport::of(&asked, cohort, now, groups, &names), format, csv_surveys::funnel)
    });
    Ok(sheet.await?.respond("surveys.csv"))
}

/// The closes behind the funnel.
///
/// Those of the period, oldest first, each with what became of it.
#[utoipa::path(get, path = "/api/v1/reports/surveys/rows", tag = "reports", params(FunnelRowsParams), responses((
    status = 200,
    description = "A page; as CSV all of them",
    content((Page<SurveyRow> = "application/json"), (String = "text/csv"))
)))]
pub async fn rows(app: Data<App>, Now(now): Now, params: Params<FunnelRowsParams>, request: HttpRequest) -> Result<HttpResponse> {
    let (params, cohort) = (&params.0, params.0.cohort.unwrap_or(Cohort::Closed));
    let mut page = page_asked!(params, now, &request);
    page.asked.filter.kind = params.kind.unwrap_or_default();
    let load = move |conn: &mut Conn, asked: &RowsAsked, after, limit| queries_surveys::rows(conn, asked, cohort, after, limit);
    send(app, page, "surveys-rows.csv", &request, load).await
}

/// The funnel as a chart.
#[utoipa::path(get, path = "/api/v1/reports/surveys.svg", tag = "reports", params(FunnelChartParams),
    responses((status = 200, description = "A bar a step", body = String, content_type = "image/svg+xml")))]
pub async fn funnel_chart(app: Data<App>, Now(now): Now, params: Params<FunnelChartParams>) -> Result<HttpResponse> {
    let params = params.0;
    let asked = Asked::new(params.period(now)?, params.filter().about(params.kind), None).map_err(refused)?;
    let cohort = params.cohort.unwrap_or(Cohort::Closed);
    let svg = app.db.snapshot(move |conn| {
        let groups = queries_surveys::funnel(conn, &asked, cohort, now)?;
        drawings_surveys::funnel(&FunnelReport::of(&asked, cohort, now, groups, &Default::default()))
    });
    Ok(respond(svg.await?))
}

/// What are answers about?
///
/// Counts the causes that reviews name, over the counted answers given in the period. `/reports/nps/rows` lists them.
#[utoipa::path(get, path = "/api/v1/reports/causes", tag = "reports", params(CausesParams), responses((
    status = 200,
    description = "The causes, the most frequent first; as CSV one row a cause",
    content((CausesReport = "application/json"), (String = "text/csv"))
)))]
pub async fn causes(app: Data<App>, Now(now): Now, params: Params<CausesParams>, request: HttpRequest) -> Result<HttpResponse> {
    let params = params.0;
    let (period, filter, format) =
        (params.period(now)?, params.filter().about(params.kind), Format::asked(params.format, &request));
    let sheet = app.db.snapshot(move |conn| {
        let tally = queries_surveys::causes(conn, &period, filter)?;
        Sheet::of(&CausesReport::of(&period, now, tally), format, csv_surveys::causes)
    });
    Ok(sheet.await?.respond("causes.csv"))
}

/// The causes as a chart.
#[utoipa::path(get, path = "/api/v1/reports/causes.svg", tag = "reports", params(CausesChartParams),
    responses((status = 200, description = "A bar a cause", body = String, content_type = "image/svg+xml")))]
pub async fn causes_chart(app: Data<App>, Now(now): Now, params: Params<CausesChartParams>) -> Result<HttpResponse> {
    let params = params.0;
    let (period, filter) = (params.period(now)?, params.filter().about(params.kind));
    let svg = app.db.snapshot(move |conn| {
        let tally = queries_surveys::causes(conn, &period, filter)?;
        drawings_surveys::causes(&CausesReport::of(&period, now, tally))
    });
    Ok(respond(svg.await?))
}

//! `/reports/*.svg`: the same figures, drawn.
use super::asked::{Asked, Compare, Compared, GroupBy};
use super::drawings::{self, Measure};
use super::params::{refused, report_params};
use super::week::HoursReport;
use super::wire::SlaReport;
use super::wire_nps::NpsReport;
use super::{api_week, queries, queries_week};
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{Now, Params};
use crate::sla::clock::Metric;
use crate::surveys::model::SurveyKind;
use actix_web::http::header;
use actix_web::{HttpResponse, web::Data};

/// The type of a chart.
const SVG: &str = "image/svg+xml";

report_params! {
    /// What to draw.
    ChartParams {
        /// What to divide the figures by: days, weeks and months make lines, all else rows.
        group_by: Option<GroupBy>,
    }
}

report_params! {
    /// What to draw.
    NpsChartParams {
        /// Surveys about requests (`transactional`, where it is left out) or about the company as a whole.
        kind: Option<SurveyKind>,
        /// What to divide the figures by: days, weeks and months make a line, all else rows.
        group_by: Option<GroupBy>,
        /// `previous`, the period of equal length before, where nothing is asked for.
        compare: Option<Compare>,
    }
}

report_params! {
    /// What to draw.
    HoursChartParams {
        /// Which promise; `first_response` where it is left out.
        metric: Option<Metric>,
        /// What the squares show; `received` where it is left out.
        measure: Option<Measure>,
    }
}

/// A chart that runs nothing and loads nothing, wherever it is opened.
pub(super) fn respond(svg: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, SVG))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(svg)
}

/// The SLA report as a chart.
#[utoipa::path(get, path = "/api/v1/reports/sla.svg", tag = "reports", params(ChartParams),
    responses((status = 200, description = "Attainment: lines over time, or bars", body = String, content_type = "image/svg+xml")))]
pub async fn sla(app: Data<App>, Now(now): Now, params: Params<ChartParams>) -> Result<HttpResponse> {
    let params = params.0;
    let asked = Asked::new(params.period(now)?, params.filter(), params.group_by).map_err(refused)?;
    let svg = app.db.snapshot(move |conn| {
        let groups = queries::sla(conn, &asked, now)?;
        let names = queries::names(conn, asked.group_by, &groups)?;
        drawings::sla(&SlaReport::of(&asked, now, groups, &names))
    });
    Ok(respond(svg.await?))
}

/// The NPS report as a chart.
#[utoipa::path(get, path = "/api/v1/reports/nps.svg", tag = "reports", params(NpsChartParams),
    responses((status = 200, description = "Scores with their intervals", body = String, content_type = "image/svg+xml")))]
pub async fn nps(app: Data<App>, Now(now): Now, params: Params<NpsChartParams>) -> Result<HttpResponse> {
    let params = params.0;
    let period = params.period(now)?;
    let compared = Compared::read(params.compare, None, None, period).map_err(refused)?;
    let asked = Asked::new(period, params.filter().about(params.kind), params.group_by).map_err(refused)?;
    let svg = app.db.snapshot(move |conn| {
        let groups = queries::nps(conn, &asked, compared)?;
        let names = queries::names(conn, asked.group_by, &groups)?;
        drawings::nps(&NpsReport::of(&asked, compared, now, groups, &names))
    });
    Ok(respond(svg.await?))
}

/// The hours of the week as a chart.
#[utoipa::path(get, path = "/api/v1/reports/hours.svg", tag = "reports", params(HoursChartParams),
    responses((status = 200, description = "A heat map", body = String, content_type = "image/svg+xml")))]
pub async fn hours(app: Data<App>, Now(now): Now, params: Params<HoursChartParams>) -> Result<HttpResponse> {
    let params = params.0;
    let (period, filter) = (params.period(now)?, params.filter());
    let metric = params.metric.unwrap_or(api_week::METRIC_DEFAULT);
    let measure = params.measure.unwrap_or(Measure::Received);
    let svg = app.db.snapshot(move |conn| {
        let week = queries_week::hours(conn, &period, filter, metric, now)?;
        drawings::hours(&HoursReport::of(&period, metric, now, week), measure)
    });
    Ok(respond(svg.await?))
}

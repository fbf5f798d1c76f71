//! `/reports/hours`: when requests come, and whether they are answered in time.
use super::api_rows::{PageAsked, page_asked, send};
use super::asked::Period;
use super::params::{refused, report_params};
use super::rows::{Cursor, RowsAsked};
use super::rows_week::HourRow;
use super::sheet::{Format, Sheet};
use super::week::HoursReport;
use super::{csv, queries_week};
use crate::app::App;
use crate::db::Conn;
use crate::error::Result;
use crate::http::extract::{Now, Params};
use crate::http::page::{LIMIT_DEFAULT, LIMIT_MAX, Page, read_cursor};
use crate::sla::clock::Metric;
use actix_web::{HttpRequest, HttpResponse, web::Data};

/// The promise that is looked at where none is named.
pub(super) const METRIC_DEFAULT: Metric = Metric::FirstResponse;

report_params! {
    /// What to report about.
    HoursParams {
        /// Which promise; `first_response` where it is left out.
        metric: Option<Metric>,
        /// How to write it; where it is left out, `Accept: text/csv` asks for CSV, and all else is JSON.
        format: Option<Format>,
    }
}

report_params! {
    /// Which rows.
    HoursRowsParams {
        /// Which promise; `first_response` where it is left out.
        metric: Option<Metric>,
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

/// When do requests come, and are they answered in time?
///
/// Counts the tickets that contacts opened in the period by the hour of the week, and their first promise of the metric as it
/// stands now. `/reports/hours/rows` lists them.
#[utoipa::path(get, path = "/api/v1/reports/hours", tag = "reports", params(HoursParams), responses((
    status = 200,
    description = "168 hours; as CSV one row an hour",
    content((HoursReport = "application/json"), (String = "text/csv"))
)))]
pub async fn hours(app: Data<App>, Now(now): Now, params: Params<HoursParams>, request: HttpRequest) -> Result<HttpResponse> {
    let params = params.0;
    let (period, filter): (Period, _) = (params.period(now)?, params.filter());
    let (metric, format) = (params.metric.unwrap_or(METRIC_DEFAULT), Format::asked(params.format, &request));
    let sheet = app.db.snapshot(move |conn| {
        let week = queries_week::hours(conn, &period, filter, metric, now)?;
        Sheet::of(&HoursReport::of(&period, metric, now, week), format, csv::hours)
    });
    Ok(sheet.await?.respond("hours.csv"))
}

/// The tickets behind the hours of the week.
///
/// Those that contacts opened in the period, oldest first, each with its first promise of the metric.
#[utoipa::path(get, path = "/api/v1/reports/hours/rows", tag = "reports", params(HoursRowsParams), responses((
    status = 200,
    description = "A page; as CSV all of them",
    content((Page<HourRow> = "application/json"), (String = "text/csv"))
)))]
pub async fn rows(app: Data<App>, Now(now): Now, params: Params<HoursRowsParams>, request: HttpRequest) -> Result<HttpResponse> {
    let (params, metric) = (&params.0, params.0.metric.unwrap_or(METRIC_DEFAULT));
    let page = page_asked!(params, now, &request);
    let load = move |conn: &mut Conn, asked: &RowsAsked, after, limit| queries_week::rows(conn, asked, metric, after, limit);
    send(app, page, "hours-rows.csv", &request, load).await
}

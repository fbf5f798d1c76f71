//! `/reports/*/rows`: what the figures count, in pages or as one stream of CSV.
use super::csv::Table;
use super::params::{refused, report_params};
use super::queries_rows;
use super::rows::{Cursor, NpsRow, Place, Row, RowsAsked, SlaRow};
use super::sheet::{Format, csv_head};
use crate::app::App;
use crate::db::Conn;
use crate::error::Result;
use crate::http::extract::{Now, Params};
use crate::http::page::{LIMIT_DEFAULT, LIMIT_MAX, Page, read_cursor};
use crate::sla::clock::Metric;
use crate::surveys::model::SurveyKind;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;

/// Rows that a stream reads at once: no connection waits for a slow client.
const ROWS_AT_ONCE: i64 = 2_000;

/// Which page of which rows.
pub(super) struct PageAsked {
    pub asked: RowsAsked,
    pub after: Option<Place>,
    pub limit: u32,
    pub format: Format,
}

/// The page that parameters of rows ask for.
macro_rules! page_asked {
    ($params:expr, $now:expr, $request:expr) => {{
        let (params, now) = (&$params, $now);
        let (period, filter) = (params.period(now)?, params.filter());
        let (asked, after) = match read_cursor::<Cursor>(params.cursor.as_deref())? {
            Some(cursor) => cursor.read(period.zone, filter).map(|(asked, place)| (asked, Some(place))).map_err(refused)?,
            None => (RowsAsked { period, filter, as_of: now }, None),
        };
        let limit = params.limit.unwrap_or(LIMIT_DEFAULT);
        PageAsked { asked, after, limit, format: Format::asked(params.format, $request) }
    }};
}

pub(super) use page_asked;

/// Sends rows: a page as JSON, or everything from the cursor on as CSV.
pub(super) async fn send<R: Row>(
    app: Data<App>,
    page: PageAsked,
    file: &str,
    request: &HttpRequest,
    load: impl Fn(&mut Conn, &RowsAsked, Option<Place>, i64) -> Result<Vec<R>> + Copy + Send + 'static,
) -> Result<HttpResponse> {
    let PageAsked { asked, after, limit, format } = page;
    if format == Format::Csv {
        return stream(app, asked, after, file, load).await;
    }
    let rows = app.db.snapshot(move |conn| load(conn, &asked, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| Cursor::after(row.place(), &asked))?.respond(request))
}

/// A part of the stream, and where the next one begins.
struct Part {
    bytes: Bytes,
    next: Option<Place>,
}

fn part<R: Row>(rows: &[R], is_first: bool) -> Result<Part> {
    let mut table = Table::bare();
    if is_first {
        table.row(R::COLUMNS)?;
    }
    for row in rows {
        table.row(row.cells())?;
    }
    let is_more = rows.len() as i64 == ROWS_AT_ONCE;
    Ok(Part { bytes: table.done()?.into(), next: rows.last().filter(|_| is_more).map(R::place) })
}

enum Next {
    Ready(Part),
    After(Place),
}

/// The first part is read before the answer begins, so that a database that is away is told as such.
async fn stream<R: Row>(
    app: Data<App>,
    asked: RowsAsked,
    after: Option<Place>,
    file: &str,
    load: impl Fn(&mut Conn, &RowsAsked, Option<Place>, i64) -> Result<Vec<R>> + Copy + Send + 'static,
) -> Result<HttpResponse> {
    let read = move |app: Data<App>, after: Option<Place>, is_first: bool| async move {
        app.db.snapshot(move |conn| part(&load(conn, &asked, after, ROWS_AT_ONCE)?, is_first)).await
    };
    let first = read(app.clone(), after, true).await?;
    let parts = stream::try_unfold(Some(Next::Ready(first)), move |next| {
        let app = app.clone();
        async move {
            let part = match next {
                None => return Ok::<_, crate::Error>(None),
                Some(Next::Ready(part)) => part,
                Some(Next::After(place)) => read(app, Some(place), false).await?,
            };
            Ok(Some((part.bytes, part.next.map(Next::After))))
        }
    });
    Ok(csv_head(file).streaming(parts))
}

report_params! {
    /// Which rows.
    SlaRowsParams {
        /// Only promises of this kind.
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

report_params! {
    /// Which rows.
    RowsParams {
        /// Surveys about requests (`transactional`, where it is left out) or about the company as a whole.
        kind: Option<SurveyKind>,
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

/// The promises behind the SLA report.
///
/// Those that began in the period, oldest first. Each is counted under its `verdict` (`at_risk` with what runs).
#[utoipa::path(get, path = "/api/v1/reports/sla/rows", tag = "reports", params(SlaRowsParams), responses((
    status = 200,
    description = "A page; as CSV all of them",
    content((Page<SlaRow> = "application/json"), (String = "text/csv"))
)))]
pub async fn sla(app: Data<App>, Now(now): Now, params: Params<SlaRowsParams>, request: HttpRequest) -> Result<HttpResponse> {
    let (params, metric) = (&params.0, params.0.metric);
    let page = page_asked!(params, now, &request);
    let load = move |conn: &mut Conn, asked: &RowsAsked, after, limit| queries_rows::sla(conn, asked, metric, after, limit);
    send(app, page, "sla-rows.csv", &request, load).await
}

/// The answers behind the NPS report and the causes.
///
/// Those given in the period, oldest first. The letters of the report's `cohort` are in `/reports/surveys/rows?cohort=sent`.
#[utoipa::path(get, path = "/api/v1/reports/nps/rows", tag = "reports", params(RowsParams), responses((
    status = 200,
    description = "A page; as CSV all of them",
    content((Page<NpsRow> = "application/json"), (String = "text/csv"))
)))]
pub async fn nps(app: Data<App>, Now(now): Now, params: Params<RowsParams>, request: HttpRequest) -> Result<HttpResponse> {
    let mut page = page_asked!(params.0, now, &request);
    page.asked.filter.kind = params.0.kind.unwrap_or_default();
    send(app, page, "nps-rows.csv", &request, queries_rows::nps).await
}

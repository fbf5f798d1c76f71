//! `/reports/sla` and `/reports/nps`.
use super::asked::{Asked, Compare, Compared, GroupBy};
use super::params::{refused, report_params};
use super::sheet::{Format, Sheet};
use super::wire::SlaReport;
use super::wire_nps::NpsReport;
use super::{csv, queries};
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{Now, Params};
use crate::surveys::model::SurveyKind;
use actix_web::{HttpRequest, HttpResponse, web::Data};

report_params! {
    /// What to report about.
    ReportParams {
        /// What to divide the figures by; only the total where it is left out.
        group_by: Option<GroupBy>,
        /// How to write it; where it is left out, `Accept: text/csv` asks for CSV, and all else is JSON.
        format: Option<Format>,
    }
}

report_params! {
    /// What to report about, and what to compare it with.
    NpsParams {
        /// Surveys about requests (`transactional`, where it is left out) or about the company as a whole.
        kind: Option<SurveyKind>,
        /// What to divide the figures by; only the total where it is left out.
        group_by: Option<GroupBy>,
        /// `previous`, the period of equal length before, where nothing else is asked for.
        compare: Option<Compare>,
        /// Start of another period to compare with, written like `from`; needs `compare_to`.
        #[validate(length(max = 64))]
        #[param(
            max_length = 64,
            pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
        )]
        compare_from: Option<String>,
        /// Its end, exclusive; needs `compare_from`.
        #[validate(length(max = 64))]
        #[param(
            max_length = 64,
            pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
        )]
        compare_to: Option<String>,
        /// How to write it; where it is left out, `Accept: text/csv` asks for CSV, and all else is JSON.
        format: Option<Format>,
    }
}

/// Were promises kept?
///
/// Counts the clocks that began in the period, as they stand now: one range of an index, and names for the groups.
/// `/reports/sla/rows` lists them.
#[utoipa::path(get, path = "/api/v1/reports/sla", tag = "reports", params(ReportParams), responses((
    status = 200,
    description = "The figures; as CSV one row a group and metric, with the same counts",
    content((SlaReport = "application/json"), (String = "text/csv"))
)))]
pub async fn sla(app: Data<App>, Now(now): Now, params: Params<ReportParams>, request: HttpRequest) -> Result<HttpResponse> {
    let params = params.0;
    let asked = Asked::new(params.period(now)?, params.filter(), params.group_by).map_err(refused)?;
    let format = Format::asked(params.format, &request);
    // Counting and writing are work for a blocking thread: a wide report is megabytes.
    let sheet = app.db.snapshot(move |conn| {
        let groups = queries::sla(conn, &asked, now)?;
        let names = queries::names(conn, asked.group_by, &groups)?;
        Sheet::of(&SlaReport::of(&asked, now, groups, &names), format, csv::sla)
    });
    Ok(sheet.await?.respond("sla.csv"))
}

/// What do contacts say?
///
/// Counts the answers given in the period and in the one that it is compared with, and the letters sent in it: ranges of
/// indexes, and names for the groups. `/reports/nps/rows` lists the answers.
#[utoipa::path(get, path = "/api/v1/reports/nps", tag = "reports", params(NpsParams), responses((
    status = 200,
    description = "The figures; as CSV one row a group, with the same counts",
    content((NpsReport = "application/json"), (String = "text/csv"))
)))]
pub async fn nps(app: Data<App>, Now(now): Now, params: Params<NpsParams>, request: HttpRequest) -> Result<HttpResponse> {
    let params = params.0;
    let period = params.period(now)?;
    let compared = Compared::read(params.compare, params.compare_from.as_deref(), params.compare_to.as_deref(), period);
    let compared = compared.map_err(refused)?;
    let asked = Asked::new(period, params.filter().about(params.kind), params.group_by).map_err(refused)?;
    let format = Format::asked(params.format, &request);
    let sheet = app.db.snapshot(move |conn| {
        let groups = queries::nps(conn, &asked, compared)?;
        let names = queries::names(conn, asked.group_by, &groups)?;
        Sheet::of(&NpsReport::of(&asked, compared, now, groups, &names), format, csv::nps)
    });
    Ok(sheet.await?.respond("nps.csv"))
}

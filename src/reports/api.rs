//! `/reports`.
use super::asked::{Asked, Filter, GroupBy, Period};
use super::wire::SlaReport;
use super::wire_nps::NpsReport;
use super::{csv, queries};
use crate::app::App;
use crate::calendar::wire::zone;
use crate::error::{Error, FieldError, Result};
use crate::http::extract::{Now, Params};
use crate::ids::{AgentId, OrganizationId, TeamId};
use crate::tickets::model::{Channel, Priority};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use validator::Validate;

names! {
    /// How a report is written.
    pub enum Format {
        /// JSON.
        Json = "json",
        /// Comma-separated values with a header row, UTF-8.
        Csv = "csv",
    }
}

/// What to report about.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportParams {
    /// Start of the period: an RFC 3339 instant (a `+` in it is written `%2B`) or a local date, whose first instant in
    /// `tz` is meant, of the years 1970 to 9999. 90 days before its end where it is left out.
    #[validate(length(max = 64))]
    #[param(
        max_length = 64,
        pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
        example = "2026-03-01"
    )]
    from: Option<String>,
    /// End of the period, exclusive, written like `from`; now where it is left out. At most ten years after `from`.
    #[validate(length(max = 64))]
    #[param(
        max_length = 64,
        pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
        example = "2026-04-01"
    )]
    to: Option<String>,
    /// IANA time zone in which dates, days, weeks and months are read; UTC where it is left out.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "America/Toronto")]
    tz: Option<String>,
    /// What to divide the figures by; only the total where it is left out.
    group_by: Option<GroupBy>,
    /// Only this channel.
    channel: Option<Channel>,
    /// Only this priority.
    priority: Option<Priority>,
    /// Only this team's.
    team_id: Option<TeamId>,
    /// Only this agent's.
    agent_id: Option<AgentId>,
    /// Only this organization's.
    organization_id: Option<OrganizationId>,
    /// How to write it; where it is left out, `Accept: text/csv` asks for CSV, and all else is JSON.
    format: Option<Format>,
}

fn refused(error: FieldError) -> Error {
    Error::Invalid(vec![error])
}

fn read(params: ReportParams, now: DateTime<Utc>, request: &HttpRequest) -> Result<(Asked, Format)> {
    let ReportParams { from, to, tz, group_by, channel, priority, team_id, agent_id, organization_id, format } = params;
    let zone = tz.map_or(Ok(Tz::UTC), |name| zone("tz", &name)).map_err(refused)?;
    let period = Period::read(from.as_deref(), to.as_deref(), zone, now).map_err(refused)?;
    let filter = Filter { channel, priority, team_id, agent_id, organization_id };
    let asked = Asked::new(period, filter, group_by).map_err(refused)?;
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let format = format.unwrap_or(if prefers_csv(accept) { Format::Csv } else { Format::Json });
    Ok((asked, format))
}

/// Whether an `Accept` header names CSV and nothing that we would rather send (RFC 9110, 12.5.1).
fn prefers_csv(accept: &str) -> bool {
    let weight = |range: &str, wanted: &str| {
        let mut parts = range.split(';').map(str::trim);
        let is_wanted = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        let q = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse::<f64>().ok());
        q.filter(|_| is_wanted)
    };
    let best = |wanted: &str| accept.split(',').filter_map(|range| weight(range, wanted)).fold(0.0, f64::max);
    let csv = best("text/csv");
    csv > 0.0 && csv > best("application/json") && csv >= best("*/*").max(best("application/*"))
}

/// A report as it is sent.
struct Sheet {
    format: Format,
    body: Vec<u8>,
}

impl Sheet {
    fn of<T: Serialize>(report: &T, format: Format, csv: impl FnOnce(&T) -> Result<Vec<u8>>) -> Result<Self> {
        let body = match format {
            Format::Json => serde_json::to_vec(report)?,
            Format::Csv => csv(report)?,
        };
        Ok(Self { format, body })
    }

    fn respond(self, file: &str) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((header::VARY, "Accept"));
        match self.format {
            Format::Json => response.insert_header((header::CONTENT_TYPE, "application/json")),
            Format::Csv => response
                .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
                .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\""))),
        };
        response.body(self.body)
    }
}

/// Were promises kept?
///
/// Counts the clocks that began in the period, as they stand now: one range of an index, and names for the groups.
#[utoipa::path(get, path = "/api/v1/reports/sla", tag = "reports", params(ReportParams), responses((
    status = 200,
    description = "The figures; as CSV one row a group and metric, with the same counts",
    content((SlaReport = "application/json"), (String = "text/csv"))
)))]
pub async fn sla(app: Data<App>, Now(now): Now, params: Params<ReportParams>, request: HttpRequest) -> Result<HttpResponse> {
    let (asked, format) = read(params.0, now, &request)?;
    // Counting and writing are work for a blocking thread: a wide report is megabytes.
    let sheet = app.db.read(move |conn| {
        let groups = queries::sla(conn, &asked, now)?;
        let names = queries::names(conn, asked.group_by, &groups)?;
        Sheet::of(&SlaReport::of(&asked, now, groups, &names), format, csv::sla)
    });
    Ok(sheet.await?.respond("sla.csv"))
}

/// What do contacts say?
///
/// Counts the answers given in the period and in the one before, and the letters sent in it: two ranges of indexes,
/// and names for the groups.
#[utoipa::path(get, path = "/api/v1/reports/nps", tag = "reports", params(ReportParams), responses((
    status = 200,
    description = "The figures; as CSV one row a group, with the same counts",
    content((NpsReport = "application/json"), (String = "text/csv"))
)))]
pub async fn nps(app: Data<App>, Now(now): Now, params: Params<ReportParams>, request: HttpRequest) -> Result<HttpResponse> {
    let (asked, format) = read(params.0, now, &request)?;
    let sheet = app.db.read(move |conn| {
        let (groups, before) = queries::nps(conn, &asked)?;
        let names = queries::names(conn, asked.group_by, &groups)?;
        Sheet::of(&NpsReport::of(&asked, now, groups, &before, &names), format, csv::nps)
    });
    Ok(sheet.await?.respond("nps.csv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, expected: bool) {
        assert_eq!(prefers_csv(accept), expected, "{accept:?}");
    }

    #[test]
    fn csv_is_sent_to_whom_names_it_and_json_to_all_others() {
        check("", false);
        check("*/*", false);
        check("application/json", false);
        check("text/csv", true);
        check("text/csv, */*", true);
        check("Text/CSV;charset=utf-8;q=0.9, application/json;q=0.5", true);
        check("application/json, text/csv", false);
        check("text/csv;q=0", false);
        check("text/csv;q=much", false);
        check("text/html, */*;q=0.8", false);
        check("text/csv;q=0.5, */*", false);
    }
}

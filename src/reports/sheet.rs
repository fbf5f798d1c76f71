//! A report as it is sent: as JSON or as CSV.
use crate::error::Result;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

names! {
    /// How a report is written.
    pub enum Format {
        /// JSON.
        Json = "json",
        /// Comma-separated values with a header row, UTF-8.
        Csv = "csv",
    }
}

impl Format {
    /// What is asked for, else what the client accepts.
    pub(super) fn asked(asked: Option<Self>, request: &HttpRequest) -> Self {
        let accept = || request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        asked.unwrap_or_else(|| if prefers_csv(accept()) { Self::Csv } else { Self::Json })
    }
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

/// The head of an answer in CSV.
pub(super) fn csv_head(file: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")));
    response
}

/// A report, written.
pub(super) struct Sheet {
    format: Format,
    body: Vec<u8>,
}

impl Sheet {
    pub(super) fn of<T: Serialize>(report: &T, format: Format, csv: impl FnOnce(&T) -> Result<Vec<u8>>) -> Result<Self> {
        let body = match format {
            Format::Json => serde_json::to_vec(report)?,
            Format::Csv => csv(report)?,
        };
        Ok(Self { format, body })
    }

    pub(super) fn respond(self, file: &str) -> HttpResponse {
        match self.format {
            Format::Json => HttpResponse::Ok()
                .insert_header((header::VARY, "Accept"))
                .insert_header((header::CONTENT_TYPE, "application/json"))
                .body(self.body),
            Format::Csv => csv_head(file).body(self.body),
        }
    }
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

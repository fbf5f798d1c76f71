//! The pages behind the links of a survey mail. GET and HEAD change nothing; only a pressed button counts.
use super::commands;
use super::queries;
use super::score::Score;
use super::suspicion::{self, Press};
use super::templates::{
    CONTENT_SECURITY_POLICY, ErrorPage, ExpiredPage, STYLESHEET, SurveyPage, TRAP, ThanksPage, UnknownPage, UnsubscribePage,
    UnsubscribedPage,
};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::extract::Now;
use crate::ids::digest;
use crate::mail::one_line;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

/// The largest form, in bytes: a comment of 2,000 characters of four bytes, each percent-encoded, and room to spare.
const FORM_MAX_BYTES: usize = 32_768;

/// The pages' URLs.
pub fn routes(config: &mut ServiceConfig) {
    let page = |path: &str| web::resource(path).app_data(web::PayloadConfig::new(FORM_MAX_BYTES));
    config
        .service(
            page("/survey/{token}")
                .route(web::get().to(survey))
                .route(web::head().to(survey))
                .route(web::post().to(answer))
                .default_service(web::to(|| not_allowed("GET, HEAD, POST"))),
        )
        .service(
            page("/survey/{token}/thanks")
                .route(web::get().to(thanks))
                .route(web::head().to(thanks))
                .default_service(web::to(|| not_allowed("GET, HEAD"))),
        )
        .service(
            page("/unsubscribe/{token}")
                .route(web::get().to(ask_unsubscribe))
                .route(web::head().to(ask_unsubscribe))
                .route(web::post().to(unsubscribe))
                .default_service(web::to(|| not_allowed("GET, HEAD, POST"))),
        )
        .service(web::resource("/assets/survey.css").route(web::get().to(stylesheet)).route(web::head().to(stylesheet)));
}

async fn not_allowed(methods: &'static str) -> HttpResponse {
    Error::MethodNotAllowed(methods.to_owned()).error_response()
}

async fn stylesheet() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(STYLESHEET)
}

fn show(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header(("x-robots-tag", "noindex, nofollow"))
            .body(html),
        Err(error) => Error::internal(format!("template: {error}")).error_response(),
    }
}

/// An error as a page that a person can read.
fn failed(app: &App, error: &Error) -> HttpResponse {
    let company = one_line(&app.config.company.name);
    let status = error.status_code();
    match error {
        Error::NotFound(_) => show(status, &UnknownPage),
        Error::Gone(_) => show(status, &ExpiredPage { company }),
        Error::Conflict { message, .. } => {
            show(status, &ErrorPage { title: "This cannot be changed any more".into(), message: sentence(message) })
        }
        Error::TooLarge { .. } => {
            let message = "What you sent is too long. Please go back and shorten your comment.".into();
            show(status, &ErrorPage { title: "That is too long".into(), message })
        }
        other => {
            if other.status_code().is_server_error() {
                // Logs it, as for the API.
                let _ = other.error_response();
            }
            let message = "Nothing was recorded. Please go back and try again in a minute.".into();
            show(status, &ErrorPage { title: "Something went wrong".into(), message })
        }
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}

fn token(request: &HttpRequest) -> Vec<u8> {
    digest(request.match_info().get("token").unwrap_or(""))
}

fn field(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn score(text: Option<String>) -> Option<Score> {
    text.and_then(|text| text.trim().parse().ok()).and_then(|score| Score::new(score).ok())
}

/// What the page shows of a survey: ticket number and subject, and the answer so far.
async fn look(app: &Data<App>, request: &HttpRequest, now: DateTime<Utc>) -> Result<queries::Seen> {
    let token = token(request);
    app.db.read(move |conn| queries::seen(conn, &token, now)).await
}

fn question(app: &App, request: &HttpRequest, seen: &queries::Seen, now: DateTime<Utc>) -> SurveyPage {
    let before = seen.answer.as_ref();
    SurveyPage {
        company: one_line(&app.config.company.name),
        ticket: seen.ticket.as_ref().map(|(number, subject)| (*number, one_line(subject))),
        action: request.path().to_owned(),
        score: before.and_then(|answer| u8::try_from(answer.score).ok()),
        comment: before.map(|answer| answer.comment.clone()).unwrap_or_default(),
        errors: Vec::new(),
        answered: before.is_some(),
        stamp: suspicion::stamp(seen.key, now),
    }
}

async fn survey(app: Data<App>, Now(now): Now, request: HttpRequest) -> HttpResponse {
    match look(&app, &request, now).await {
        Ok(seen) => {
            let mut page = question(&app, &request, &seen, now);
            if let Some(clicked) = score(field(request.query_string(), "score")) {
                page.score = Some(clicked.get());
                // In memory alone: a link that was opened says nothing before the button is pressed.
                app.clicks.note(&token(&request), clicked.get(), now);
                app.metrics.survey_click();
            }
            show(StatusCode::OK, &page)
        }
        Err(error) => failed(&app, &error),
    }
}

/// Browsers send line breaks as CR LF but count one character each.
fn comment(form: &str) -> String {
    field(form, "comment").unwrap_or_default().replace("\r\n", "\n").replace('\0', "").trim().to_owned()
}

async fn answer(app: Data<App>, Now(now): Now, request: HttpRequest, form: Result<Bytes, actix_web::Error>) -> HttpResponse {
    let Ok(form) = form else { return failed(&app, &Error::TooLarge { limit_bytes: FORM_MAX_BYTES }) };
    let form = String::from_utf8_lossy(&form);
    let (score, comment) = (score(field(&form, "score")), comment(&form));
    let (stamp, token) = (field(&form, "stamp"), token(&request));
    let mut problems = Vec::new();
    if score.is_none() {
        problems.push("Please choose a number from 0 to 10.".to_owned());
    }
    if comment.chars().count() > super::model::COMMENT_MAX {
        problems.push(format!("Please shorten your comment to {} characters.", super::model::COMMENT_MAX));
    }
    let (Some(score), true) = (score, problems.is_empty()) else {
        return match look(&app, &request, now).await {
            Ok(seen) => {
                let fresh = question(&app, &request, &seen, now);
                // The page is still the one that was served first.
                let stamp = stamp.filter(|text| suspicion::served_at(seen.key, text).is_some()).unwrap_or(fresh.stamp);
                let page = SurveyPage { errors: problems, score: score.map(Score::get), comment, stamp, ..fresh };
                show(StatusCode::UNPROCESSABLE_ENTITY, &page)
            }
            Err(error) => failed(&app, &error),
        };
    };
    let is_trapped = field(&form, TRAP).is_some_and(|text| !text.is_empty());
    let press = Press { is_trapped, stamp, clicks: app.clicks.of(&token) };
    let desk = app.clone();
    let done = app.db.write(move |conn| commands::answer(conn, &desk.config, &token, (score, &comment), &press, now)).await;
    match done {
        // See other: a reload shows the thanks again and sends nothing twice.
        Ok(is_suspicious) => {
            app.metrics.survey_answer(is_suspicious);
            HttpResponse::SeeOther().insert_header((header::LOCATION, format!("{}/thanks", request.path()))).finish()
        }
        Err(error) => failed(&app, &error),
    }
}

async fn thanks(app: Data<App>, Now(now): Now, request: HttpRequest) -> HttpResponse {
    let edit_url = request.path().trim_end_matches("/thanks").to_owned();
    match look(&app, &request, now).await {
        Ok(queries::Seen { ticket, answer: Some(answer), .. }) => {
            let until = answer.answered_at.0 + TimeDelta::hours(i64::from(app.config.survey.edit_hours));
            let is_open = super::model::can_edit(answer.answered_at.0, app.config.survey.edit_hours, now);
            let page = ThanksPage {
                company: one_line(&app.config.company.name),
                ticket_number: ticket.map(|(number, _)| number),
                score: u8::try_from(answer.score).unwrap_or_default(),
                edit_url: is_open.then_some(edit_url),
                edit_until: is_open.then(|| until.format("%-d %B %Y, %H:%M UTC").to_string()),
            };
            show(StatusCode::OK, &page)
        }
        Ok(_) => HttpResponse::SeeOther().insert_header((header::LOCATION, edit_url)).finish(),
        Err(error) => failed(&app, &error),
    }
}

async fn ask_unsubscribe(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let token = token(&request);
    match app.db.read(move |conn| queries::knows_unsubscribe(conn, &token)).await {
        Ok(()) => {
            let page = UnsubscribePage { company: one_line(&app.config.company.name), action: request.path().to_owned() };
            show(StatusCode::OK, &page)
        }
        Err(error) => failed(&app, &error),
    }
}

/// One click of a mail program (RFC 8058) or the button of the page: 200, no redirect, no cookie.
async fn unsubscribe(app: Data<App>, Now(now): Now, request: HttpRequest) -> HttpResponse {
    let token = token(&request);
    match app.db.write(move |conn| commands::unsubscribe(conn, &token, now)).await {
        Ok(()) => show(StatusCode::OK, &UnsubscribedPage { company: one_line(&app.config.company.name) }),
        Err(error) => failed(&app, &error),
    }
}

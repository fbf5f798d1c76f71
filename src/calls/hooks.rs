//! `/hooks/twilio/*`: the doors that Twilio's voice webhooks use. Each request must carry Twilio's signature.
use super::commands::{self, Report};
use super::model::CallEvent;
use super::queries;
use super::store::CallRow;
use super::twilio::{self, Form};
use crate::accounts::caller::Caller;
use crate::app::App;
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::extract::Now;
use crate::tickets::model::Direction;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use chrono::{DateTime, Utc};

names! {
    /// What Twilio tells, by the last part of the address.
    pub enum Hook {
        /// A call came in.
        Voice = "voice",
        /// The agents of the queue have rung: did one answer?
        Wider = "wider",
        /// Everybody has rung: did one answer?
        Missed = "missed",
        /// An agent's phone rings, or was answered.
        Leg = "leg",
        /// A message was recorded.
        Recorded = "recorded",
        /// A message was written down.
        Transcribed = "transcribed",
        /// The call changed its status.
        Status = "status",
    }
}

/// These need no token: the signature says who asks.
pub fn routes(config: &mut ServiceConfig) {
    let only_post = || async { Error::MethodNotAllowed("POST".into()).error_response() };
    config.service(web::resource("/hooks/twilio/{hook}").route(web::post().to(take)).default_service(web::to(only_post)));
}

async fn take(
    app: Data<App>,
    Now(now): Now,
    request: HttpRequest,
    body: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse> {
    let hook: Hook = request.match_info().get("hook").unwrap_or("").parse().map_err(|_| Error::NotFound("path"))?;
    let limit_bytes = app.config.server.body_limit_bytes;
    let form = Form::read(&body.map_err(|_| Error::TooLarge { limit_bytes })?);
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let url = format!("{}{}", app.config.server.public_url, request.uri().path_and_query().map_or("", |path| path.as_str()));
    if !twilio::is_signed(&app.config.calls.twilio_auth_token, &url, &form, header("X-Twilio-Signature")) {
        tracing::warn!(event = "forged_webhook", hook = hook.as_str(), "a webhook without a right signature was refused");
        return Err(Error::forbidden("bad_signature", "the signature of this request is not right"));
    }
    let queue = form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, value)| name == "queue" && !value.trim().is_empty())
        .map(|(_, value)| value.into_owned());
    let desk = app.clone();
    let answer = app.db.write(move |conn| Heard { config: &desk.config, form, queue, now }.answer(conn, hook)).await?;
    Ok(match answer {
        Some(xml) => HttpResponse::Ok().content_type("text/xml; charset=utf-8").body(xml),
        None => HttpResponse::NoContent().finish(),
    })
}

/// A request of Twilio while it is answered.
struct Heard<'a> {
    config: &'a Config,
    form: Form,
    queue: Option<String>,
    now: DateTime<Utc>,
}

impl Heard<'_> {
    /// What Twilio is to do next; nothing where it only told something.
    fn answer(&self, conn: &mut Conn, hook: Hook) -> Result<Option<String>> {
        let settings = &self.config.calls;
        match hook {
            Hook::Voice => {
                let row = self.report(conn, hook, CallEvent::Ringing, self.now)?;
                if row.is_promised != Some(true) {
                    return Ok(Some(self.take_message(&settings.closed_text)));
                }
                let numbers = queries::numbers(conn, row.team_id, self.now, twilio::NUMBERS_MAX)?;
                Ok(Some(match numbers.as_slice() {
                    [] => self.ring_wider(conn)?,
                    numbers => twilio::ring(numbers, settings.ring_seconds, &self.url(Hook::Wider), &self.url(Hook::Leg)),
                }))
            }
            Hook::Wider if self.was_answered() => Ok(Some(twilio::hang_up())),
            Hook::Wider => self.ring_wider(conn).map(Some),
            Hook::Missed if self.was_answered() => Ok(Some(twilio::hang_up())),
            Hook::Missed => Ok(Some(self.take_message(&settings.missed_text))),
            Hook::Leg => {
                let kind = match self.form.get("CallStatus") {
                    Some("ringing") => CallEvent::Offered,
                    Some("in-progress") => CallEvent::Answered,
                    _ => return Ok(None),
                };
                self.report(conn, hook, kind, self.form.moment(self.now))?;
                Ok(None)
            }
            Hook::Recorded => {
                self.report(conn, hook, CallEvent::Voicemail, self.now)?;
                Ok(Some(twilio::hang_up()))
            }
            Hook::Transcribed => {
                if self.form.get("TranscriptionText").is_some() {
                    self.report(conn, hook, CallEvent::Voicemail, self.now)?;
                }
                Ok(None)
            }
            Hook::Status => {
                let is_over = ["completed", "busy", "failed", "no-answer", "canceled"];
                if self.form.get("CallStatus").is_some_and(|status| is_over.contains(&status)) {
                    self.report(conn, hook, CallEvent::Ended, self.form.moment(self.now))?;
                }
                Ok(None)
            }
        }
    }

    /// Whether the ringing that just ended found somebody.
    fn was_answered(&self) -> bool {
        matches!(self.form.get("DialCallStatus"), Some("completed" | "answered"))
    }

    /// Everybody who has a number rings, managers among them; where nobody has one, the caller can leave a message.
    fn ring_wider(&self, conn: &mut Conn) -> Result<String> {
        let settings = &self.config.calls;
        let numbers = queries::numbers_of_all(conn, twilio::NUMBERS_MAX)?;
        if numbers.is_empty() {
            return Ok(self.take_message(&settings.missed_text));
        }
        Ok(twilio::ring(&numbers, settings.ring_wider_seconds, &self.url(Hook::Missed), &self.url(Hook::Leg)))
    }

    fn take_message(&self, text: &str) -> String {
        twilio::take_message(text, &self.url(Hook::Recorded), &self.url(Hook::Transcribed))
    }

    /// The address of a hook, with the queue that this request came with.
    fn url(&self, hook: Hook) -> String {
        let mut url = format!("{}/hooks/twilio/{hook}", self.config.server.public_url);
        if let Some(queue) = &self.queue {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("queue", queue).finish();
            url = format!("{url}?{query}");
        }
        url
    }

    /// Takes in what this request tells.
    fn report(&self, conn: &mut Conn, hook: Hook, kind: CallEvent, occurred_at: DateTime<Utc>) -> Result<CallRow> {
        let form = &self.form;
        let is_leg = hook == Hook::Leg;
        let call = form.get(if is_leg { "ParentCallSid" } else { "CallSid" });
        let call = call.ok_or_else(|| Error::field("CallSid", "missing", "is missing"))?;
        let cut = |text: &str, max: usize| -> String { text.chars().filter(|c| *c != '\0').take(max).collect() };
        let field = |name: &str| form.get(name).map(|text| cut(text, 200));
        let is_web = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
        // A retry says the same of the same call, though it comes at another time.
        let same_as: Vec<&str> =
            ["CallSid", "CallStatus", "RecordingSid", "TranscriptionSid"].iter().filter_map(|name| form.get(name)).collect();
        let report = Report {
            call_id: cut(call, 200),
            kind,
            direction: Direction::Inbound,
            occurred_at,
            from: if is_leg { None } else { form.from().map(|text| cut(text, 200)) },
            to: if is_leg { None } else { field("To") },
            agent: if is_leg { field("To") } else { None },
            queue: self.queue.as_deref().map(|queue| cut(queue, 200)),
            recording_url: form.get("RecordingUrl").filter(is_web).filter(|_| hook == Hook::Recorded).map(|url| cut(url, 2_000)),
            transcript: form.get("TranscriptionText").map(|text| cut(text, 20_000)),
            same_as: Some(format!("twilio {hook} {}", same_as.join(" "))),
        };
        commands::take_in(conn, self.config, &Caller::signed_phone_system(), report, self.now)
    }
}

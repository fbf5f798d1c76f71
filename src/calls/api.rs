//! `/calls`: what phone systems report, what came of it, callbacks, and the numbers of agents.
use super::commands::{self, Report};
use super::model::CallOutcome;
use super::queries::{self, Filter};
use super::wire::{AgentPhoneIn, AgentPhoneOut, CallEventIn, CallFull, CallOut, CallTicketIn, CallbackIn};
use crate::accounts::caller::Agent;
use crate::accounts::contacts::model::normal_phone;
use crate::app::App;
use crate::audit;
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, CallId, ContactId, TeamId, TicketId};
use crate::seen::Seen;
use crate::tickets::model::Direction;
use crate::tickets::wire::TicketOut;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use validator::Validate;

/// Report what happened to a call.
///
/// Events may come late, twice and in any order: the call is folded from all of them by their own times. What cannot be true
/// is kept as it was received and named among the call's `doubts`.
#[utoipa::path(post, path = "/api/v1/calls/events", tag = "calls", request_body = CallEventIn,
    responses((status = 200, description = "The call as it is now", body = CallOut)))]
pub async fn report(app: Data<App>, who: Who, Now(now): Now, post: Post<CallEventIn>) -> Result<HttpResponse> {
    let CallEventIn { call_id, event, occurred_at, direction, from, to, agent, queue, recording_url, transcript } = post.body;
    let report =
        Report { call_id, kind: event, direction, occurred_at, from, to, agent, queue, recording_url, transcript, same_as: None };
    let desk = app.clone();
    post.once
        .run(&app, now, move |conn| Answer::ok(&CallOut::from(commands::take_in(conn, &desk.config, &who.0, report, now)?)))
        .await
}

/// Which calls to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CallParams {
    /// Only those that went so.
    outcome: Option<CallOutcome>,
    /// Only those that came in, or went out.
    direction: Option<Direction>,
    /// false: only those that are not over.
    over: Option<bool>,
    /// Only this team's.
    team_id: Option<TeamId>,
    /// Only this agent's.
    agent_id: Option<AgentId>,
    /// Only this contact's.
    contact_id: Option<ContactId>,
    /// Only this ticket's.
    ticket_id: Option<TicketId>,
    /// Began at or after this instant.
    from: Option<DateTime<Utc>>,
    /// Began before this instant.
    to: Option<DateTime<Utc>>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List calls, newest first.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls", params(CallParams),
    responses((status = 200, description = "A page", body = Page<CallOut>)))]
pub async fn list(app: Data<App>, params: Params<CallParams>, request: HttpRequest) -> Result<HttpResponse> {
    let CallParams { outcome, direction, over, team_id, agent_id, contact_id, ticket_id, from, to, limit, cursor } = params.0;
    let filter = Filter { outcome, direction, is_over: over, team_id, agent_id, contact_id, ticket_id, from, to };
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, &filter, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| (row.at.0.timestamp_micros(), row.id))?.map(CallOut::from).respond(&request))
}

/// One call with everything that was reported about it.
#[utoipa::path(get, path = "/api/v1/calls/{id}", tag = "calls", params(("id" = CallId, Path)),
    responses((status = 200, description = "The call", body = CallFull)))]
pub async fn get(app: Data<App>, id: Id<CallId>) -> Result<HttpResponse> {
    let (row, events) = app.db.read(move |conn| queries::full(conn, id.0)).await?;
    Ok(Answer::ok(&CallFull { call: row.into(), events: events.into_iter().map(Into::into).collect() })?.into())
}

/// Put a call to another ticket of the same contact. The promise to pick up stays with the ticket that the call opened.
#[utoipa::path(put, path = "/api/v1/calls/{id}/ticket", tag = "calls", request_body = CallTicketIn,
    params(("id" = CallId, Path)), responses((status = 200, description = "The call as it is now", body = CallOut)))]
pub async fn move_to(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<CallId>,
    body: Body<CallTicketIn>,
) -> Result<HttpResponse> {
    let to = body.0.ticket_id;
    let row = app.db.write(move |conn| commands::move_to(conn, &agent, id.0, to, now)).await?;
    Ok(Answer::ok(&CallOut::from(row))?.into())
}

/// Say that you called back. Reaching the contact, or leaving a message, stops the clock of the callback.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/callbacks", tag = "calls", request_body = CallbackIn,
    params(("id" = TicketId, Path)), responses((status = 200, description = "The ticket as it is now", body = TicketOut)))]
pub async fn call_back(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<TicketId>,
    seen: Seen,
    post: Post<CallbackIn>,
) -> Result<HttpResponse> {
    let CallbackIn { result, note } = post.body;
    post.once
        .run(&app, now, move |conn| {
            let ticket = TicketOut::of(commands::call_back(conn, &agent, (id.0, seen), result, note, now)?, now);
            Ok(Answer::ok(&ticket)?.version(ticket.version()))
        })
        .await
}

/// The number that rings for an agent.
#[utoipa::path(get, path = "/api/v1/agents/{id}/phone", tag = "accounts", params(("id" = AgentId, Path)),
    responses((status = 200, description = "The number", body = AgentPhoneOut)))]
pub async fn phone(app: Data<App>, id: Id<AgentId>) -> Result<HttpResponse> {
    let number = app.db.read(move |conn| queries::phone_of(conn, id.0)).await?;
    Ok(Answer::ok(&AgentPhoneOut { agent_id: id.0, number })?.into())
}

/// Give an agent the number that rings for them, in place of an earlier one.
#[utoipa::path(put, path = "/api/v1/agents/{id}/phone", tag = "accounts", request_body = AgentPhoneIn,
    params(("id" = AgentId, Path)), responses((status = 200, description = "The number", body = AgentPhoneOut)))]
pub async fn set_phone(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<AgentId>,
    body: Body<AgentPhoneIn>,
) -> Result<HttpResponse> {
    let wrong = || Error::field("number", "phone", "is not a number in international form such as +14165550100");
    let number = normal_phone(&body.0.number).ok_or_else(wrong)?;
    let out = AgentPhoneOut { agent_id: id.0, number: number.clone() };
    let set = app.db.write(move |conn| {
        let before = queries::set_phone(conn, id.0, Some(&number), now)?;
        let shown = |number: Option<&str>| json!({ "phone": number });
        audit::changed(conn, who.0.actor(), ("agent", id.0.0), (&shown(before.as_deref()), &shown(Some(&number))), now)
    });
    set.await?;
    Ok(Answer::ok(&out)?.into())
}

/// Take an agent's number away.
#[utoipa::path(delete, path = "/api/v1/agents/{id}/phone", tag = "accounts", params(("id" = AgentId, Path)),
    responses((status = 204, description = "There is none now")))]
pub async fn clear_phone(app: Data<App>, who: Who, Now(now): Now, id: Id<AgentId>) -> Result<HttpResponse> {
    let cleared = app.db.write(move |conn| {
        let before = queries::set_phone(conn, id.0, None, now)?;
        audit::changed(conn, who.0.actor(), ("agent", id.0.0), (&json!({ "phone": before }), &json!({ "phone": null })), now)
    });
    cleared.await?;
    Ok(Answer::nothing().into())
}

//! `/chats`: the queue, one chat, what was said, and an agent's verbs.
use super::commands::{self, Said, Speaker};
use super::commands_ends as ends;
use super::commands_offers as offers;
use super::model::ChatState;
use super::queries::{self, Filter};
use super::rooms;
use super::wire::{ChatBlockIn, ChatEndIn, ChatFull, ChatMessageIn, ChatMessageOut, ChatOut, ChatPlaceOut};
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{Body, Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::ids::{AgentId, ChatId, ClientMessageId, TeamId};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Deserialize;
use validator::Validate;

/// Which chats to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChatParams {
    /// `waiting` is the queue.
    state: Option<ChatState>,
    /// Only this team's.
    team_id: Option<TeamId>,
    /// Only those that this agent has or had.
    agent_id: Option<AgentId>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List chats, newest first.
#[utoipa::path(get, path = "/api/v1/chats", tag = "chats", params(ChatParams),
    responses((status = 200, description = "A page", body = Page<ChatOut>)))]
pub async fn list(app: Data<App>, params: Params<ChatParams>, request: HttpRequest) -> Result<HttpResponse> {
    let ChatParams { state, team_id, agent_id, limit, cursor } = params.0;
    let filter = Filter { state, team_id, agent_id };
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, &filter, after, i64::from(limit) + 1)).await?;
    let page = Page::of(rows, limit, |(row, _)| (row.asked_at.0.timestamp_micros(), row.id))?;
    Ok(page.map(ChatOut::from).respond(&request))
}

/// One chat, and who was asked to take it.
#[utoipa::path(get, path = "/api/v1/chats/{id}", tag = "chats", params(("id" = ChatId, Path)),
    responses((status = 200, description = "The chat", body = ChatFull)))]
pub async fn get(app: Data<App>, id: Id<ChatId>) -> Result<HttpResponse> {
    let (row, offers) = app.db.read(move |conn| queries::full(conn, id.0)).await?;
    let ringing = offers.iter().filter(|offer| offer.ended_at.is_none()).map(|offer| offer.agent_id).collect();
    let full = ChatFull { chat: (row, ringing).into(), offers: offers.into_iter().map(Into::into).collect() };
    Ok(Answer::ok(&full)?.into())
}

/// What was said, in order.
#[utoipa::path(get, path = "/api/v1/chats/{id}/messages", tag = "chats", params(("id" = ChatId, Path), PageParams),
    responses((status = 200, description = "A page", body = Page<ChatMessageOut>)))]
pub async fn messages(app: Data<App>, id: Id<ChatId>, page: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor::<i32>(page.0.cursor.as_deref())?.unwrap_or(0);
    let limit = page.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app
        .db
        .read(move |conn| {
            queries::find(conn, id.0)?;
            queries::said(conn, id.0, after, i64::from(limit) + 1)
        })
        .await?;
    let key = rooms::key(&app).await?;
    let rows = rows.into_iter().map(|row| ChatMessageOut::of(row, &key)).collect::<Result<Vec<_>>>()?;
    Ok(Page::of(rows, limit, |row| row.seq)?.respond(&request))
}

/// Take a chat that waits. Of several agents who do, one wins; its ticket is picked up.
#[utoipa::path(post, path = "/api/v1/chats/{id}/accept", tag = "chats", request_body = Nothing, params(("id" = ChatId, Path)),
    responses((status = 200, description = "The chat, which is yours", body = ChatOut)))]
pub async fn accept(app: Data<App>, agent: Agent, Now(now): Now, id: Id<ChatId>, post: Post<Nothing>) -> Result<HttpResponse> {
    let desk = app.clone();
    post.once.run(&app, now, move |conn| Answer::ok(&ChatOut::from(offers::accept(conn, &desk.config, &agent, id.0, now)?))).await
}

/// Say that you cannot take a chat that is offered to you; it is not offered to you again.
#[utoipa::path(post, path = "/api/v1/chats/{id}/decline", tag = "chats", request_body = Nothing, params(("id" = ChatId, Path)),
    responses((status = 200, description = "The chat", body = ChatOut)))]
pub async fn decline(app: Data<App>, agent: Agent, Now(now): Now, id: Id<ChatId>, post: Post<Nothing>) -> Result<HttpResponse> {
    let desk = app.clone();
    post.once
        .run(&app, now, move |conn| Answer::ok(&ChatOut::from(offers::decline(conn, &desk.config, &agent, id.0, now)?)))
        .await
}

/// Say something in a chat.
#[utoipa::path(post, path = "/api/v1/chats/{id}/messages", tag = "chats", request_body = ChatMessageIn,
    params(("id" = ChatId, Path)), responses((status = 200, description = "Where it stands", body = ChatPlaceOut)))]
pub async fn say(app: Data<App>, agent: Agent, Now(now): Now, id: Id<ChatId>, post: Post<ChatMessageIn>) -> Result<HttpResponse> {
    let ChatMessageIn { id: own, body, attachments: files } = post.body;
    let own = own.unwrap_or_else(ClientMessageId::new);
    let desk = app.clone();
    post.once
        .run(&app, now, move |conn| {
            let said = Said { id: own, body, files };
            let placed = commands::say(conn, &desk.config, (id.0, Speaker::Agent(agent)), said, now)?;
            Answer::ok(&ChatPlaceOut { id: own, seq: placed.seq })
        })
        .await
}

/// End a chat, and close its ticket unless you say otherwise. On one that is over, only the ticket is closed.
#[utoipa::path(post, path = "/api/v1/chats/{id}/end", tag = "chats", request_body = ChatEndIn, params(("id" = ChatId, Path)),
    responses((status = 200, description = "The chat", body = ChatOut)))]
pub async fn end(app: Data<App>, agent: Agent, Now(now): Now, id: Id<ChatId>, post: Post<ChatEndIn>) -> Result<HttpResponse> {
    let closes = post.body.close_ticket;
    let desk = app.clone();
    post.once
        .run(&app, now, move |conn| {
            Answer::ok(&ChatOut::from(ends::end_by_agent(conn, &desk.config, &agent, (id.0, closes), now)?))
        })
        .await
}

/// Keep the visitor of a chat out, or let them in again.
#[utoipa::path(put, path = "/api/v1/chats/{id}/block", tag = "chats", request_body = ChatBlockIn, params(("id" = ChatId, Path)),
    responses((status = 200, description = "The chat", body = ChatOut)))]
pub async fn block(app: Data<App>, agent: Agent, Now(now): Now, id: Id<ChatId>, body: Body<ChatBlockIn>) -> Result<HttpResponse> {
    let is_blocked = body.0.blocked;
    let row = app.db.write(move |conn| ends::block(conn, &agent, id.0, is_blocked, now)).await?;
    Ok(Answer::ok(&ChatOut::from(row))?.into())
}

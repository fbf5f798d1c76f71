//! `/tickets/{id}/merge` and `/tickets/{id}/links`.
use super::commands;
use super::queries;
use super::wire::{LinkIn, LinkOut, MergeIn};
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::extract::{Body, Id, Now, Post};
use crate::http::idempotency::Answer;
use crate::ids::TicketId;
use crate::seen::Seen;
use crate::tickets::wire::TicketOut;
use crate::timeline::Actor;
use actix_web::{HttpRequest, HttpResponse, web::Data};

/// Merge a ticket into another: it is closed without a survey, and the other one shows the messages of both.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/merge", tag = "tickets", request_body = MergeIn,
    params(("id" = TicketId, Path)), responses((status = 200, description = "The merged ticket as it is now", body = TicketOut)))]
pub async fn merge(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<TicketId>,
    seen: Seen,
    post: Post<MergeIn>,
) -> Result<HttpResponse> {
    let desk = app.clone();
    let into = post.body.into;
    post.once
        .run(&app, now, move |conn| {
            let ticket = TicketOut::of(commands::merge(conn, &desk.config, &agent, id.0, seen, into, now)?, now);
            Ok(Answer::ok(&ticket)?.version(ticket.version()))
        })
        .await
}

/// Undo a merge: the ticket stands where it stood before.
#[utoipa::path(delete, path = "/api/v1/tickets/{id}/merge", tag = "tickets", params(("id" = TicketId, Path)),
    responses((status = 200, description = "The ticket as it is now", body = TicketOut)))]
pub async fn unmerge(app: Data<App>, agent: Agent, Now(now): Now, id: Id<TicketId>, seen: Seen) -> Result<HttpResponse> {
    let whole = app.db.write(move |conn| commands::unmerge(conn, &agent, id.0, seen, now)).await?;
    let ticket = TicketOut::of(whole, now);
    Ok(Answer::ok(&ticket)?.version(ticket.version()).into())
}

fn other(request: &HttpRequest) -> Result<TicketId> {
    let text = request.match_info().get("other").unwrap_or("");
    text.parse().map_err(|_| Error::NotFound("ticket: the other id in the path is not a UUID"))
}

/// Link a ticket to another, or say anew how they belong together.
#[utoipa::path(put, path = "/api/v1/tickets/{id}/links/{other}", tag = "tickets", request_body = LinkIn,
    params(("id" = TicketId, Path), ("other" = TicketId, Path)),
    responses((status = 200, description = "All links of the ticket", body = [LinkOut])))]
pub async fn link(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<TicketId>,
    request: HttpRequest,
    body: Body<LinkIn>,
) -> Result<HttpResponse> {
    let (pair, kind) = ((id.0, other(&request)?), body.0.kind);
    let write = move |conn: &mut _| {
        commands::link(conn, Actor::Agent(agent.id()), pair, kind, now)?;
        queries::links(conn, pair.0)
    };
    let links: Vec<LinkOut> = app.db.write(write).await?.into_iter().map(LinkOut::from).collect();
    Ok(Answer::ok(&links)?.into())
}

/// Take the link between two tickets away.
#[utoipa::path(delete, path = "/api/v1/tickets/{id}/links/{other}", tag = "tickets",
    params(("id" = TicketId, Path), ("other" = TicketId, Path)), responses((status = 204, description = "They are not linked")))]
pub async fn unlink(app: Data<App>, agent: Agent, Now(now): Now, id: Id<TicketId>, request: HttpRequest) -> Result<HttpResponse> {
    let pair = (id.0, other(&request)?);
    app.db.write(move |conn| commands::unlink(conn, &agent, pair, now)).await?;
    Ok(Answer::nothing().into())
}

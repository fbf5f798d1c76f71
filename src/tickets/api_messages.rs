//! `/tickets/{id}/messages`, `/replies`, `/notes`, `/pickup`: what is said on a ticket.
use super::api::answer;
use super::commands::{self, Reply};
use super::commands_intake::{self, NewMessage};
use super::commands_undo;
use super::wire::TicketOut;
use super::wire_verbs::{InboundIn, ReplyIn, TextIn, copied};
use crate::Result;
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::attachments::commands::attach;
use crate::http::auth::Who;
use crate::http::extract::{Id, Nothing, Now, Post};
use crate::ids::{MessageId, TicketId};
use crate::seen::Seen;
use actix_web::{HttpResponse, web::Data};

/// The contact wrote. Reopens a closed ticket; past the reopen window the answer is a new ticket that follows it.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/messages", tag = "tickets", request_body = InboundIn,
    params(("id" = TicketId, Path)), responses((status = 200, description = "The ticket that took it", body = TicketOut)))]
pub async fn receive(app: Data<App>, who: Who, Now(now): Now, id: Id<TicketId>, post: Post<InboundIn>) -> Result<HttpResponse> {
    let InboundIn { body, received_at, mail_message_id, attachments } = post.body;
    let message = NewMessage { body, mail_message_id };
    let desk = app.clone();
    post.once
        .run_again(&app, now, move |conn| {
            let whole = commands_intake::receive(conn, &desk.config, &who.0, id.0, message.clone(), received_at, now)?;
            attach(conn, &desk.config.attachments, &who.0, (whole.ticket.id, whole.message_id), &attachments, now)?;
            answer(whole, now)
        })
        .await
}

/// Answer in public: stops first and next response; the contact gets it by mail.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/replies", tag = "tickets", request_body = ReplyIn,
    params(("id" = TicketId, Path)), responses((status = 200, description = "The ticket as it is now", body = TicketOut)))]
pub async fn reply(
    app: Data<App>,
    agent: Agent,
    who: Who,
    Now(now): Now,
    id: Id<TicketId>,
    seen: Seen,
    post: Post<ReplyIn>,
) -> Result<HttpResponse> {
    let desk = app.clone();
    let ReplyIn { body, cc, attachments } = post.body;
    let said = Reply { body, cc: copied(&cc)? };
    let answered = post
        .once
        .run_again(&app, now, move |conn| {
            let whole = commands::reply(conn, &desk.config, &agent, id.0, seen, said.clone(), now)?;
            attach(conn, &desk.config.attachments, &who.0, (id.0, whole.message_id), &attachments, now)?;
            answer(whole, now)
        })
        .await?;
    app.jobs_queued.notify_one();
    Ok(answered)
}

/// Take a reply back before its letter goes out: `mail.undo_seconds` after it was written. It is a note from then on, and the promises
/// that it had met run on. Only its author can.
#[utoipa::path(post, path = "/api/v1/messages/{id}/undo", tag = "tickets", request_body = Nothing,
    params(("id" = MessageId, Path)), responses((status = 200, description = "The ticket as it is now", body = TicketOut)))]
pub async fn undo(app: Data<App>, agent: Agent, Now(now): Now, id: Id<MessageId>, post: Post<Nothing>) -> Result<HttpResponse> {
    let desk = app.clone();
    post.once.run(&app, now, move |conn| answer(commands_undo::undo(conn, &desk.config, &agent, id.0, now)?, now)).await
}

/// Write for the staff alone; stops no clock.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/notes", tag = "tickets", request_body = TextIn,
    params(("id" = TicketId, Path)), responses((status = 200, description = "The ticket as it is now", body = TicketOut)))]
pub async fn note(
    app: Data<App>,
    agent: Agent,
    who: Who,
    Now(now): Now,
    id: Id<TicketId>,
    seen: Seen,
    post: Post<TextIn>,
) -> Result<HttpResponse> {
    let desk = app.clone();
    let TextIn { body, attachments } = post.body;
    post.once
        .run_again(&app, now, move |conn| {
            let whole = commands::note(conn, &agent, id.0, seen, body.clone(), now)?;
            attach(conn, &desk.config.attachments, &who.0, (id.0, whole.message_id), &attachments, now)?;
            answer(whole, now)
        })
        .await
}

/// Pick a call or chat up: stops its clock.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/pickup", tag = "tickets", request_body = Nothing,
    params(("id" = TicketId, Path)), responses((status = 200, description = "The ticket as it is now", body = TicketOut)))]
pub async fn pick_up(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<TicketId>,
    seen: Seen,
    post: Post<Nothing>,
) -> Result<HttpResponse> {
    post.once.run_again(&app, now, move |conn| answer(commands::pick_up(conn, &agent, id.0, seen, now)?, now)).await
}

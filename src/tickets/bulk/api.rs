//! `POST /tickets/bulk`.
use super::commands;
use super::wire::{BulkIn, BulkOut};
use crate::Result;
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::http::extract::{Now, Post};
use crate::http::idempotency::Answer;
use actix_web::{HttpResponse, web::Data};

/// Change up to 100 tickets, each with a result of its own: one that is refused leaves the others as they are.
#[utoipa::path(post, path = "/api/v1/tickets/bulk", tag = "tickets", request_body = BulkIn,
    responses((status = 200, description = "What became of each", body = BulkOut)))]
pub async fn change(app: Data<App>, agent: Agent, Now(now): Now, post: Post<BulkIn>) -> Result<HttpResponse> {
    let desk = app.clone();
    let items = post.body.into_items();
    post.once
        .run(&app, now, move |conn| {
            let ids = items.iter().map(|item| item.id).collect();
            let results = commands::all(conn, &desk.config, &agent, items, now)?;
            Answer::ok(&BulkOut::of(ids, results))
        })
        .await
}

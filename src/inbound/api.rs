//! `/inbound`: the mails that were taken, and what is held of them.
use super::commands_filing::{self, Release};
use super::model::Defect;
use super::queries::{self, InboundRow, InboundState};
use super::{jobs, shown};
use crate::app::App;
use crate::audit;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{InboundMailId, MailboxId, MessageId, TicketId};
use crate::timeline::Actor;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// A mail that was taken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InboundOut {
    id: InboundMailId,
    mailbox_id: MailboxId,
    state: InboundState,
    /// Why it is held, or what it was where it became no message: see docs/API.md.
    reason: Option<String>,
    /// Empty for a report; null where it is not known.
    envelope_from: Option<String>,
    /// With its `+` part.
    envelope_to: String,
    /// Who wrote; null where it was not read, or names nobody.
    sender: Option<String>,
    subject: Option<String>,
    size_bytes: i64,
    /// Failed tries to file it.
    attempts: i32,
    error: Option<String>,
    ticket_id: Option<TicketId>,
    message_id: Option<MessageId>,
    /// When the desk got it.
    received_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    /// When it was filed, held or discarded.
    ended_at: Option<DateTime<Utc>>,
}

impl From<InboundRow> for InboundOut {
    fn from(row: InboundRow) -> Self {
        let InboundRow {
            id,
            mailbox_id,
            envelope_from,
            envelope_to,
            received_at,
            sha256: _,
            size_bytes,
            state,
            reason,
            attempts,
            error,
            subject,
            sender,
            mail_message_id: _,
            ticket_id,
            message_id,
            created_at,
            ended_at,
            version: _,
        } = row;
        Self {
            id,
            mailbox_id,
            state: state.0,
            reason,
            envelope_from,
            envelope_to,
            sender,
            subject,
            size_bytes,
            attempts,
            error,
            ticket_id,
            message_id,
            received_at: received_at.0,
            created_at: created_at.0,
            ended_at: ended_at.map(|at| at.0),
        }
    }
}

/// A header field.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct HeaderOut {
    name: String,
    value: String,
}

/// A mail with what it says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InboundFull {
    #[serde(flatten)]
    mail: InboundOut,
    /// As they came, each on one line.
    headers: Vec<HeaderOut>,
    /// What is new in it.
    text: String,
    /// What was quoted, and the signature.
    quoted: String,
    /// Its HTML as far as it may be shown: nothing runs, and nothing is loaded from elsewhere.
    html: Option<String>,
    /// Whether images of it are loaded from elsewhere, and left out here.
    has_remote_images: bool,
    /// Names of its files.
    files: Vec<String>,
    /// What was wrong with its bytes.
    defects: Vec<Defect>,
}

async fn full(app: &App, (row, raw): (InboundRow, Vec<u8>)) -> Result<InboundFull> {
    let headers = shown::headers(&raw);
    let parsed = jobs::read(app, row.envelope_from.clone(), raw).await?.unwrap_or_default();
    Ok(InboundFull {
        mail: row.into(),
        headers: headers.into_iter().map(|(name, value)| HeaderOut { name, value }).collect(),
        text: parsed.said,
        quoted: parsed.quoted,
        html: parsed.html,
        has_remote_images: parsed.has_remote_images,
        files: parsed.files.into_iter().map(|file| file.name).collect(),
        defects: parsed.defects,
    })
}

/// Which mails to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InboundParams {
    /// Only those that stand so.
    state: Option<InboundState>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List mails that were taken, newest first; with `state=quarantined` those that wait for a person.
#[utoipa::path(get, path = "/api/v1/inbound", tag = "mail", params(InboundParams),
    responses((status = 200, description = "A page", body = Page<InboundOut>)))]
pub async fn list(app: Data<App>, params: Params<InboundParams>, request: HttpRequest) -> Result<HttpResponse> {
    let InboundParams { state, limit, cursor } = params.0;
    let before = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, state, before, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| (row.created_at.0.timestamp_micros(), row.id))?.map(InboundOut::from).respond(&request))
}

/// One mail, with its headers and its text.
#[utoipa::path(get, path = "/api/v1/inbound/{id}", tag = "mail", params(("id" = InboundMailId, Path)),
    responses((status = 200, description = "The mail", body = InboundFull)))]
pub async fn get(app: Data<App>, id: Id<InboundMailId>) -> Result<HttpResponse> {
    let found = app.db.read(move |conn| queries::whole(conn, id.0)).await?;
    Ok(Answer::ok(&full(&app, found).await?)?.into())
}

/// The mail that a message came as, with its headers and all of its text.
#[utoipa::path(get, path = "/api/v1/messages/{id}/original", tag = "mail", params(("id" = MessageId, Path)),
    responses((status = 200, description = "The mail", body = InboundFull)))]
pub async fn original(app: Data<App>, id: Id<MessageId>) -> Result<HttpResponse> {
    let found = app.db.read(move |conn| queries::original(conn, id.0)).await?;
    Ok(Answer::ok(&full(&app, found).await?)?.into())
}

/// The bytes of a mail, exactly as they came.
#[utoipa::path(get, path = "/api/v1/inbound/{id}/raw", tag = "mail", params(("id" = InboundMailId, Path)),
    responses((status = 200, description = "The bytes", content_type = "application/octet-stream",
        body = inline(crate::attachments::wire::FileBytes))))]
pub async fn raw(app: Data<App>, id: Id<InboundMailId>) -> Result<HttpResponse> {
    let (row, bytes) = app.db.read(move |conn| queries::whole(conn, id.0)).await?;
    // A browser must not take it apart.
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.eml\"", row.id)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(bytes))
}

/// Who decided about a mail that was held, and how.
fn decided(conn: &mut Conn, actor: Actor, row: &InboundRow, now: DateTime<Utc>) -> Result<()> {
    let before = json!({ "state": InboundState::Quarantined, "ticket_id": null });
    let after = json!({ "state": row.state.0, "ticket_id": row.ticket_id });
    audit::changed(conn, actor, ("inbound_mail", row.id.0), (&before, &after), now)
}

/// Where a mail goes that is released.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseIn {
    /// Onto this ticket; a new one where it is left out.
    ticket_id: Option<TicketId>,
}

/// Let a mail go on that is held: as a ticket of its own, or onto one that is there. Every clock starts when the mail came.
#[utoipa::path(post, path = "/api/v1/inbound/{id}/release", tag = "mail", request_body = ReleaseIn,
    params(("id" = InboundMailId, Path)), responses((status = 200, description = "Where it is now", body = InboundOut)))]
pub async fn release(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<InboundMailId>,
    post: Post<ReleaseIn>,
) -> Result<HttpResponse> {
    let (row, bytes) = app.db.read(move |conn| queries::whole(conn, id.0)).await?;
    let unreadable = || Error::conflict("unreadable", "nothing can be made of its bytes");
    let ready = jobs::prepare(&app, row.envelope_from, bytes, now).await?.ok_or_else(unreadable)?;
    let to = post.body.ticket_id.map_or(Release::NewTicket, Release::Onto);
    let desk = app.clone();
    post.once
        .run(&app, now, move |conn| {
            let row = commands_filing::release(conn, &desk.config, (id.0, to), &ready, now)?;
            decided(conn, who.0.actor(), &row, now)?;
            Answer::ok(&InboundOut::from(row))
        })
        .await
}

/// Say that a mail that is held is not wanted. Its bytes stay.
#[utoipa::path(post, path = "/api/v1/inbound/{id}/discard", tag = "mail", request_body = Nothing,
    params(("id" = InboundMailId, Path)), responses((status = 200, description = "Discarded", body = InboundOut)))]
pub async fn discard(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<InboundMailId>,
    post: Post<Nothing>,
) -> Result<HttpResponse> {
    post.once
        .run(&app, now, move |conn| {
            let row = commands_filing::discard(conn, id.0, now)?;
            decided(conn, who.0.actor(), &row, now)?;
            Answer::ok(&InboundOut::from(row))
        })
        .await
}

//! Files of chats: visitors hand them in at an address that is signed for their chat, and both ends fetch them at one that is signed
//! for the file, because a browser sends no token with a link.
use super::commands_files as commands;
use super::identity::{self, Door};
use super::wire::ChatPlaceOut;
use super::{queries, rooms, socket};
use crate::app::App;
use crate::attachments::incoming::{self, UPLOAD_WITHIN};
use crate::attachments::{queries as attachments, serve};
use crate::error::{Error, Result};
use crate::http::extract::{Id, Now, Params};
use crate::ids::{AttachmentId, ChatId, ClientMessageId, TokenId};
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt;
use serde::Deserialize;
use validator::Validate;

/// An address of a file is good for so long after the file came.
const GOOD_FOR: TimeDelta = TimeDelta::days(30);

/// Their addresses.
pub fn routes(config: &mut ServiceConfig) {
    let only_get = || async { Error::MethodNotAllowed("GET, HEAD".into()).error_response() };
    let only_post = || async { Error::MethodNotAllowed("POST".into()).error_response() };
    config.service(web::resource("/chat/{id}/files").route(web::post().to(upload)).default_service(web::to(only_post))).service(
        web::resource("/chat/files/{id}")
            .route(web::get().to(download))
            .route(web::head().to(download))
            .default_service(web::to(only_get)),
    );
}

/// What stands in the address of a file.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct FileParams {
    /// The signature.
    #[validate(length(max = 100))]
    key: String,
}

/// What stands in the address where files are handed in.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct UploadParams {
    /// The signature.
    #[validate(length(max = 100))]
    key: String,
    /// The name that the client gave the message.
    id: ClientMessageId,
}

/// A visitor's file: `multipart/form-data` with one part, from the site of the chat.
async fn upload(
    app: Data<App>,
    Now(now): Now,
    id: Id<ChatId>,
    params: Params<UploadParams>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let taken = take(&app, (id.0, params.0), &request, payload, now).await;
    let mut response = match taken {
        Ok(place) => HttpResponse::Ok().json(place),
        Err(error) => error.error_response(),
    };
    // The widget reads what became of it, on the sites that may have it.
    if let Ok(site) = socket::site(&app, &request)
        && let Ok(origin) = HeaderValue::from_str(&site.origin)
    {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("origin"));
    }
    response
}

async fn take(
    app: &Data<App>,
    (chat, asked): (ChatId, UploadParams),
    request: &HttpRequest,
    payload: Payload,
    now: DateTime<Utc>,
) -> Result<ChatPlaceOut> {
    let UploadParams { key, id } = asked;
    let visitor = match admit(app, (chat, &key), request).await {
        Ok(visitor) => visitor,
        Err(error) => {
            drain(payload, app.config.chat.file_size_max_bytes).await;
            return Err(error);
        }
    };
    let receiving = incoming::receive(app, (visitor, None), app.config.chat.file_size_max_bytes, request, payload, now);
    let file = tokio::time::timeout(UPLOAD_WITHIN, receiving).await.unwrap_or_else(|_| Err(incoming::too_slow()))?;
    let desk = app.clone();
    // Where it was there before, the bytes are swept.
    let placed = app.db.write(move |conn| commands::hand_in(conn, &desk.config, (chat, id), file, now)).await?;
    Ok(ChatPlaceOut { id, seq: placed.seq })
}

/// Whose file it will be, where one is taken.
async fn admit(app: &Data<App>, (chat, key): (ChatId, &str), request: &HttpRequest) -> Result<TokenId> {
    let site = socket::site(app, request)?.origin.clone();
    let address = socket::served(app, request)?;
    let own = rooms::key(app).await?;
    if !identity::is_sealed(&own, Door::Upload(chat), key) {
        return Err(Error::forbidden("bad_key", "this address is not signed by the desk"));
    }
    app.rooms.of_files.count(address, app.config.chat.files_per_minute_per_address)?;
    let desk = app.clone();
    app.db
        .read(move |conn| {
            let row = queries::find(conn, chat)?;
            if row.origin != site {
                return Err(Error::forbidden("origin_not_allowed", "this chat is of another site"));
            }
            commands::check(conn, &desk.config, &row)?;
            Ok(TokenId(row.visitor_id.0))
        })
        .await
}

/// Who still sends hears no answer: what is on its way is taken first, up to so much.
async fn drain(mut payload: Payload, most: usize) {
    let taking = async {
        let mut taken = 0;
        while let Some(Ok(bytes)) = payload.next().await
            && taken < most
        {
            taken += bytes.len();
        }
    };
    let _ = tokio::time::timeout(UPLOAD_WITHIN, taking).await;
}

/// The bytes of a file, to be saved.
async fn download(app: Data<App>, Now(now): Now, id: Id<AttachmentId>, params: Params<FileParams>) -> Result<HttpResponse> {
    let own = rooms::key(&app).await?;
    if !identity::is_sealed(&own, Door::File(id.0), &params.0.key) {
        return Err(Error::forbidden("bad_key", "this address is not signed by the desk"));
    }
    let row = app.db.read(move |conn| attachments::find(conn, id.0)).await?;
    if now >= row.created_at.0 + GOOD_FOR {
        return Err(Error::NotFound("file: its address has run out"));
    }
    serve::as_download(&app, row).await
}

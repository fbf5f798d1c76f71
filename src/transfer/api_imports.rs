//! `/imports`: files of organizations, contacts and tickets, worked off in the background.
use super::queries::{self, ErrorRow, ImportRow};
use super::{FileFormat, ImportState, TransferKind, commands, read};
use crate::app::App;
use crate::db::types::{Named, Time};
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::ids::ImportId;
use crate::timeline::ActorId;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A file to import.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportIn {
    /// What its rows are.
    kind: TransferKind,
    /// How it is written.
    format: FileFormat,
    /// The file, as large as a body may be; a longer one can be sent in parts.
    #[validate(length(min = 1))]
    #[schema(min_length = 1, examples("{\"external_id\":\"R-1\",\"name\":\"Nordwind\"}\n"))]
    body: String,
    /// True: every row is looked at, and nothing is kept.
    #[serde(default)]
    dry_run: bool,
    /// True: agents whom the desk does not know are made, barred, and so are teams.
    #[serde(default)]
    create_missing: bool,
}

/// An import and how far it is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportOut {
    id: ImportId,
    kind: TransferKind,
    format: FileFormat,
    dry_run: bool,
    create_missing: bool,
    state: ImportState,
    /// Rows of the file.
    total: i32,
    /// Rows that were looked at; the four below add up to it.
    done: i32,
    created: i32,
    changed: i32,
    unchanged: i32,
    /// Rows that were refused; `…/errors` says why.
    refused: i32,
    /// Why it was given up.
    error: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<ImportRow> for ImportOut {
    fn from(row: ImportRow) -> Self {
        let ImportRow {
            id,
            kind,
            format,
            dry_run,
            create_missing,
            state,
            actor: _,
            actor_id: _,
            total,
            done,
            created,
            changed,
            unchanged,
            refused,
            error,
            created_at,
            started_at,
            ended_at,
        } = row;
        Self {
            id,
            kind: kind.0,
            format: format.0,
            dry_run,
            create_missing,
            state: state.0,
            total,
            done,
            created,
            changed,
            unchanged,
            refused,
            error,
            created_at: created_at.0,
            started_at: started_at.map(|at| at.0),
            ended_at: ended_at.map(|at| at.0),
        }
    }
}

/// Something wrong with one row.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportErrorOut {
    /// Where the row begins, 1 for the first line of the file.
    line: i32,
    /// What the row is called, where it could be read.
    external_id: Option<String>,
    /// Which part of it; `row` for the whole.
    #[schema(examples("history[2].agent"))]
    field: String,
    /// A stable word for machines.
    #[schema(examples("unknown_agent"))]
    code: String,
    /// A sentence for people.
    message: String,
}

impl From<ErrorRow> for ImportErrorOut {
    fn from(row: ErrorRow) -> Self {
        let ErrorRow { import_id: _, line, number: _, external_id, field, code, message } = row;
        Self { line, external_id, field, code, message }
    }
}

/// Import a file. Good rows are taken in and bad ones reported by their line; the same file again changes nothing.
#[utoipa::path(post, path = "/api/v1/imports", tag = "transfer", request_body = ImportIn,
    responses((status = 201, description = "Queued", body = ImportOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<ImportIn>) -> Result<HttpResponse> {
    let ImportIn { kind, format, body, dry_run, create_missing } = post.body;
    let counted = actix_web::web::block(move || read::rows(kind, format, &body).map(|rows| (rows.len(), body))).await;
    let counted = counted.map_err(|_| Error::internal("the file could not be read"))?;
    let (total, body) = counted.map_err(|error| Error::Invalid(vec![error]))?;
    let actor = who.0.actor();
    let row = ImportRow {
        id: ImportId::new(),
        kind: Named(kind),
        format: Named(format),
        dry_run,
        create_missing,
        state: Named(ImportState::Waiting),
        actor: actor.kind().to_owned(),
        actor_id: actor.id().map(ActorId),
        total: i32::try_from(total).unwrap_or(i32::MAX),
        done: 0,
        created: 0,
        changed: 0,
        unchanged: 0,
        refused: 0,
        error: None,
        created_at: Time(now),
        started_at: None,
        ended_at: None,
    };
    let queued = post
        .once
        .run(&app, now, move |conn| {
            let made = ImportOut::from(commands::begin(conn, row, &body, now)?);
            Answer::created(format!("/api/v1/imports/{}", made.id), &made)
        })
        .await?;
    app.jobs_queued.notify_one();
    Ok(queued)
}

/// List imports, newest first.
#[utoipa::path(get, path = "/api/v1/imports", tag = "transfer", params(PageParams),
    responses((status = 200, description = "A page", body = Page<ImportOut>)))]
pub async fn list(app: Data<App>, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let before = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, before, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(ImportOut::from).respond(&request))
}

/// One import, and how far it is.
#[utoipa::path(get, path = "/api/v1/imports/{id}", tag = "transfer", params(("id" = ImportId, Path)),
    responses((status = 200, description = "The import", body = ImportOut)))]
pub async fn get(app: Data<App>, id: Id<ImportId>) -> Result<HttpResponse> {
    let import = app.db.read(move |conn| queries::find(conn, id.0)).await?;
    Ok(HttpResponse::Ok().json(ImportOut::from(import)))
}

/// What an import refused, by line.
#[utoipa::path(get, path = "/api/v1/imports/{id}/errors", tag = "transfer", params(("id" = ImportId, Path), PageParams),
    responses((status = 200, description = "A page", body = Page<ImportErrorOut>)))]
pub async fn errors(app: Data<App>, id: Id<ImportId>, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app
        .db
        .read(move |conn| {
            queries::find(conn, id.0)?;
            queries::errors(conn, id.0, after, i64::from(limit) + 1)
        })
        .await?;
    Ok(Page::of(rows, limit, |row| (row.line, row.number))?.map(ImportErrorOut::from).respond(&request))
}

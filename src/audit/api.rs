//! `GET /audit`.
use super::store::{self, ChangeRow, Filter};
use crate::Result;
use crate::app::App;
use crate::http::extract::Params;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::timeline::Kind;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use validator::Validate;

names! {
    /// What was done to a thing that admins keep.
    pub enum ChangeKind {
        /// It was made.
        Created = "created",
        /// It was changed.
        Changed = "changed",
        /// It was taken away for good.
        Removed = "removed",
    }
}

impl ChangeKind {
    fn event(self) -> Kind {
        match self {
            Self::Created => Kind::Created,
            Self::Changed => Kind::Changed,
            Self::Removed => Kind::Removed,
        }
    }
}

/// One change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AuditOut {
    /// Order of writing.
    id: i64,
    /// `created`, `changed` or `removed`.
    kind: Kind,
    /// What it was done to: `team`, `policy`, `token`.
    #[schema(examples("team"))]
    object: String,
    /// Which one.
    object_id: Option<Uuid>,
    /// `agent`, `machine` or `desk`.
    #[schema(examples("agent"))]
    actor: String,
    /// Which one; null for the desk itself and for its command line.
    actor_id: Option<Uuid>,
    /// What they are called today.
    actor_name: Option<String>,
    /// When.
    at: DateTime<Utc>,
    /// What it was, as far as it differs; null for a new thing.
    #[schema(value_type = Option<Object>)]
    before: serde_json::Value,
    /// What it became, as far as it differs; null for a removed thing.
    #[schema(value_type = Option<Object>)]
    after: serde_json::Value,
}

impl From<ChangeRow> for AuditOut {
    fn from(row: ChangeRow) -> Self {
        let ChangeRow { id, kind, actor, actor_id, at, data, object, object_id, agent_name, token_name } = row;
        let part = |name: &str| data.0.get(name).cloned().unwrap_or_default();
        Self {
            id,
            kind: kind.0,
            object: object.unwrap_or_default(),
            object_id: object_id.map(|id| id.0),
            actor,
            actor_id: actor_id.map(|id| id.0),
            actor_name: agent_name.or(token_name),
            at: at.0,
            before: part("before"),
            after: part("after"),
        }
    }
}

/// Which changes to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditParams {
    /// Only those by this agent or token.
    actor_id: Option<Uuid>,
    /// Only those of this kind of thing, such as `team`.
    #[validate(length(min = 1, max = 50))]
    #[param(min_length = 1, max_length = 50)]
    object: Option<String>,
    /// Only those of this one thing.
    object_id: Option<Uuid>,
    /// Only those of this kind.
    kind: Option<ChangeKind>,
    /// At or after this instant.
    from: Option<DateTime<Utc>>,
    /// Before this instant.
    to: Option<DateTime<Utc>>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Administrative changes, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditParams),
    responses((status = 200, description = "A page of changes", body = Page<AuditOut>)))]
pub async fn list(app: Data<App>, params: Params<AuditParams>, request: HttpRequest) -> Result<HttpResponse> {
    let AuditParams { actor_id, object, object_id, kind, from, to, limit, cursor } = params.0;
    let before = read_cursor::<i64>(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let filter = Filter { actor_id, object, object_id, kind: kind.map(ChangeKind::event), from, to };
    let rows = app.db.read(move |conn| store::list(conn, &filter, before, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(AuditOut::from).respond(&request))
}

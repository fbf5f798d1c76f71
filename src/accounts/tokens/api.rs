//! `/tokens`.
use super::{NewToken, TokenRow, store};
use crate::Result;
use crate::accounts::rights::Scope;
use crate::app::App;
use crate::audit;
use crate::error::Error;
use crate::http::auth::Who;
use crate::http::extract::{Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, TokenId};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// A token to make.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenIn {
    /// Whose; leave it out for `channel` and `import` tokens.
    agent_id: Option<AgentId>,
    /// What people call it.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Phone system"))]
    name: String,
    /// What it may be used for.
    #[validate(length(min = 1, max = 5))]
    #[schema(min_items = 1, max_items = 5)]
    scopes: Vec<Scope>,
    /// When it ends by itself; null for never.
    expires_at: Option<DateTime<Utc>>,
}

/// A token without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TokenOut {
    id: TokenId,
    agent_id: Option<AgentId>,
    name: String,
    scopes: Vec<Scope>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    /// To the minute.
    last_used_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl TryFrom<TokenRow> for TokenOut {
    type Error = Error;
    fn try_from(row: TokenRow) -> Result<Self> {
        let TokenRow { id, agent_id, name, scopes, expires_at, revoked_at, last_used_at, created_at } = row;
        Ok(Self {
            id,
            agent_id,
            name,
            scopes: store::scopes(&scopes)?,
            expires_at: expires_at.map(|at| at.0),
            revoked_at: revoked_at.map(|at| at.0),
            last_used_at: last_used_at.map(|at| at.0),
            created_at: created_at.0,
        })
    }
}

/// A new token with its secret, shown this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TokenMade {
    #[serde(flatten)]
    token: TokenOut,
    /// The secret: send it as `Authorization: Bearer …`. A retry with the same Idempotency-Key gets null.
    secret: Option<String>,
}

/// Which tokens to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TokenParams {
    /// Only those of this agent.
    agent_id: Option<AgentId>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Make a token. Its secret is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "accounts", request_body = TokenIn,
    responses((status = 201, description = "Made", body = TokenMade)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<TokenIn>) -> Result<HttpResponse> {
    let TokenIn { agent_id, name, scopes, expires_at } = post.body;
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Error::field("expires_at", "past", "must be in the future"));
    }
    let expires_at = expires_at.map(|at| at.trunc_subsecs(6));
    let new = NewToken { agent_id, name, scopes, expires_at };
    post.once
        .run(&app, now, move |conn| {
            let (row, secret) = store::create(conn, &new, now)?;
            let location = format!("/api/v1/tokens/{}", row.id);
            let token = TokenOut::try_from(row)?;
            audit::created(conn, who.0.actor(), ("token", token.id.0), &token, now)?;
            let mut made = TokenMade { token, secret: Some(secret.reveal().to_owned()) };
            let answer = Answer::created(location, &made)?;
            made.secret = None;
            answer.keep(&made)
        })
        .await
}

/// List tokens.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "accounts", params(TokenParams),
    responses((status = 200, description = "A page of tokens", body = Page<TokenOut>)))]
pub async fn list(app: Data<App>, params: Params<TokenParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let agent = params.0.agent_id;
    let rows = app.db.read(move |conn| store::list(conn, agent, after, i64::from(limit) + 1)).await?;
    let tokens = rows.into_iter().map(TokenOut::try_from).collect::<Result<Vec<_>>>()?;
    Ok(Page::of(tokens, limit, |token| token.id)?.respond(&request))
}

/// Revoke a token: at once on this node, within a second on all.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "accounts", params(("id" = TokenId, Path)),
    responses((status = 204, description = "Revoked")))]
pub async fn revoke(app: Data<App>, who: Who, Now(now): Now, id: Id<TokenId>) -> Result<HttpResponse> {
    app.db
        .write(move |conn| {
            if store::revoke(conn, id.0, now)? {
                let (before, after) = (json!({ "revoked_at": null }), json!({ "revoked_at": now }));
                audit::changed(conn, who.0.actor(), ("token", id.0.0), (&before, &after), now)?;
            }
            Ok(())
        })
        .await?;
    app.known.forget();
    Ok(Answer::nothing().into())
}

//! `/surveys/suppressions`.
use super::store::{self, SuppressionRow};
use crate::Result;
use crate::accounts::caller::Agent;
use crate::accounts::contacts::model::normal_email;
use crate::accounts::contacts::wire::EmailAddress;
use crate::app::App;
use crate::error::Error;
use crate::http::extract::{Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, SuppressionId};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// An address that is not asked.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SuppressionOut {
    id: SuppressionId,
    address: String,
    /// What the mail server, or a person, said.
    detail: String,
    created_at: DateTime<Utc>,
    /// Since when it is asked again; null while it is not.
    lifted_at: Option<DateTime<Utc>>,
    lifted_by: Option<AgentId>,
}

impl From<SuppressionRow> for SuppressionOut {
    fn from(row: SuppressionRow) -> Self {
        let SuppressionRow { id, address, detail, invitation_id: _, created_at, lifted_at, lifted_by } = row;
        Self { id, address, detail, created_at: created_at.0, lifted_at: lifted_at.map(|at| at.0), lifted_by }
    }
}

/// An address to suppress by hand: where a bounce came back later.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionIn {
    /// Which.
    #[validate(length(max = 254))]
    #[schema(value_type = EmailAddress)]
    address: String,
    /// Why, for people.
    #[serde(default)]
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000)]
    detail: String,
}

/// Which suppressions to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuppressionParams {
    /// Only this address.
    #[param(value_type = Option<EmailAddress>)]
    address: Option<String>,
    /// Only those that are, or are not, lifted.
    is_lifted: Option<bool>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

fn address(text: &str) -> Result<String> {
    normal_email(text).ok_or_else(|| Error::field("address", "email", "is not an e-mail address"))
}

/// Stop asking an address, because its mail came back.
#[utoipa::path(post, path = "/api/v1/surveys/suppressions", tag = "surveys", request_body = SuppressionIn,
    responses((status = 201, description = "Not asked from now on", body = SuppressionOut)))]
pub async fn create(app: Data<App>, Now(now): Now, post: Post<SuppressionIn>) -> Result<HttpResponse> {
    let SuppressionIn { address: text, detail } = post.body;
    let address = address(&text)?;
    post.once
        .run(&app, now, move |conn| {
            let known = || Error::conflict("suppressed_already", "this address is not asked already");
            let made = SuppressionOut::from(store::suppress(conn, address, detail, None, now)?.ok_or_else(known)?);
            Answer::created(format!("/api/v1/surveys/suppressions/{}", made.id), &made)
        })
        .await
}

/// List addresses that are not asked, or were not once, oldest first.
#[utoipa::path(get, path = "/api/v1/surveys/suppressions", tag = "surveys", params(SuppressionParams),
    responses((status = 200, description = "A page", body = Page<SuppressionOut>)))]
pub async fn list(app: Data<App>, params: Params<SuppressionParams>, request: HttpRequest) -> Result<HttpResponse> {
    let SuppressionParams { address: text, is_lifted, limit, cursor } = params.0;
    let address = text.as_deref().map(address).transpose()?;
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, (address, is_lifted), after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(SuppressionOut::from).respond(&request))
}

/// One suppression.
#[utoipa::path(get, path = "/api/v1/surveys/suppressions/{id}", tag = "surveys", params(("id" = SuppressionId, Path)),
    responses((status = 200, description = "The suppression", body = SuppressionOut)))]
pub async fn get(app: Data<App>, id: Id<SuppressionId>) -> Result<HttpResponse> {
    let row = app.db.read(move |conn| store::find(conn, id.0)).await?;
    Ok(HttpResponse::Ok().json(SuppressionOut::from(row)))
}

/// Ask an address again.
#[utoipa::path(delete, path = "/api/v1/surveys/suppressions/{id}", tag = "surveys", params(("id" = SuppressionId, Path)),
    responses((status = 204, description = "Asked again from the next close on")))]
pub async fn lift(app: Data<App>, agent: Agent, Now(now): Now, id: Id<SuppressionId>) -> Result<HttpResponse> {
    app.db.write(move |conn| store::lift(conn, id.0, agent.id(), now)).await?;
    Ok(Answer::nothing().into())
}

//! `/organizations/{id}/domains`: where the people of an organization write from.
use super::model;
use super::store::{self, DomainRow};
use crate::app::App;
use crate::audit;
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Id, Now, Params};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::ids::OrganizationId;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

/// A mail domain of an organization.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DomainOut {
    #[schema(examples("nordwind.example"))]
    domain: String,
    created_at: DateTime<Utc>,
}

impl From<DomainRow> for DomainOut {
    fn from(row: DomainRow) -> Self {
        let DomainRow { domain, organization_id: _, created_at } = row;
        Self { domain, created_at: created_at.0 }
    }
}

fn domain(request: &HttpRequest) -> Result<String> {
    let wrong = || Error::field("domain", "domain", "is not a domain such as nordwind.example");
    let domain = model::normal(request.match_info().get("domain").unwrap_or("")).ok_or_else(wrong)?;
    if model::is_free(&domain) {
        return Err(Error::field("domain", "free_mail", "anybody can have an address there"));
    }
    Ok(domain)
}

/// List the mail domains of an organization, by name.
#[utoipa::path(get, path = "/api/v1/organizations/{id}/domains", tag = "accounts",
    params(("id" = OrganizationId, Path), PageParams), responses((status = 200, description = "A page", body = Page<DomainOut>)))]
pub async fn list(
    app: Data<App>,
    id: Id<OrganizationId>,
    params: Params<PageParams>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, id.0, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.domain.clone())?.map(DomainOut::from).respond(&request))
}

/// Say that the people of an organization write from a domain: who does so for the first time belongs to it from then on.
#[utoipa::path(put, path = "/api/v1/organizations/{id}/domains/{domain}", tag = "accounts",
    params(("id" = OrganizationId, Path), ("domain" = String, Path, max_length = 253, example = "nordwind.example")),
    responses((status = 204, description = "It is the organization's")))]
pub async fn put(app: Data<App>, who: Who, Now(now): Now, id: Id<OrganizationId>, request: HttpRequest) -> Result<HttpResponse> {
    let domain = domain(&request)?;
    app.db
        .write(move |conn| {
            if store::put(conn, id.0, &domain, now)? {
                let (before, after) = (json!({ "domain": null }), json!({ "domain": domain }));
                audit::changed(conn, who.0.actor(), ("organization", id.0.0), (&before, &after), now)?;
            }
            Ok(())
        })
        .await?;
    Ok(Answer::nothing().into())
}

/// Take a mail domain away from an organization. Contacts stay where they are.
#[utoipa::path(delete, path = "/api/v1/organizations/{id}/domains/{domain}", tag = "accounts",
    params(("id" = OrganizationId, Path), ("domain" = String, Path, max_length = 253, example = "nordwind.example")),
    responses((status = 204, description = "It is not the organization's")))]
pub async fn remove(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<OrganizationId>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let domain = domain(&request)?;
    app.db
        .write(move |conn| {
            if store::remove(conn, id.0, &domain)? {
                let (before, after) = (json!({ "domain": domain }), json!({ "domain": null }));
                audit::changed(conn, who.0.actor(), ("organization", id.0.0), (&before, &after), now)?;
            }
            Ok(())
        })
        .await?;
    Ok(Answer::nothing().into())
}

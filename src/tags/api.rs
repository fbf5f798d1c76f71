//! `/tags`.
use super::store;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::tickets::wire::good_tags;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// Tags merged at once at the most.
const FROM_MAX: u64 = 50;

fn good_tag(tag: &str) -> Result<(), ValidationError> {
    good_tags(&[tag.to_owned()])
}

/// A tag and how many tickets have it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TagOut {
    #[schema(examples("transfer"))]
    tag: String,
    /// Tickets that have it.
    tickets: i64,
}

/// A tag to be called otherwise.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameIn {
    /// The tag as it is.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_length = 1, max_length = 50, examples("tranfer"))]
    from: String,
    /// What it is called from now on; a tag that is not used yet.
    #[validate(length(min = 1, max = 50), custom(function = "good_tag"))]
    #[schema(min_length = 1, max_length = 50, examples("transfer"))]
    to: String,
}

/// Tags that are to be one.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagMergeIn {
    /// The tags that go away.
    #[validate(length(min = 1, max = FROM_MAX))]
    #[schema(min_items = 1, max_items = 50)]
    from: Vec<String>,
    /// The tag that their tickets have instead.
    #[validate(length(min = 1, max = 50), custom(function = "good_tag"))]
    #[schema(min_length = 1, max_length = 50, examples("transfer"))]
    into: String,
}

/// What was done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RetaggedOut {
    /// The tag that there is now.
    tag: String,
    /// Tickets that were changed.
    changed: usize,
}

/// List the tags in use, in alphabetical order, with the number of tickets of each.
#[utoipa::path(get, path = "/api/v1/tags", tag = "tags", params(PageParams),
    responses((status = 200, description = "A page", body = Page<TagOut>)))]
pub async fn list(app: Data<App>, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, after, i64::from(limit) + 1)).await?;
    let page = Page::of(rows, limit, |(tag, _)| tag.clone())?;
    Ok(page.map(|(tag, tickets)| TagOut { tag, tickets }).respond(&request))
}

/// Call a tag otherwise, on all tickets and in saved views. A name that is used already is refused: that is a merge.
#[utoipa::path(post, path = "/api/v1/tags/rename", tag = "tags", request_body = RenameIn,
    responses((status = 200, description = "Renamed", body = RetaggedOut)))]
pub async fn rename(app: Data<App>, who: Who, Now(now): Now, post: Post<RenameIn>) -> Result<HttpResponse> {
    let RenameIn { from, to } = post.body;
    post.once
        .run(&app, now, move |conn| {
            if store::is_used(conn, &to)? {
                return Err(Error::conflict("tag_exists", "there is such a tag already: merge the two"));
            }
            let changed = store::replace(conn, &[from], &to, who.0.actor(), now)?;
            Answer::ok(&RetaggedOut { tag: to, changed })
        })
        .await
}

/// Make several tags one, on all tickets and in saved views.
#[utoipa::path(post, path = "/api/v1/tags/merge", tag = "tags", request_body = TagMergeIn,
    responses((status = 200, description = "Merged", body = RetaggedOut)))]
pub async fn merge(app: Data<App>, who: Who, Now(now): Now, post: Post<TagMergeIn>) -> Result<HttpResponse> {
    let TagMergeIn { mut from, into } = post.body;
    from.retain(|tag| *tag != into);
    from.sort_unstable();
    from.dedup();
    if from.is_empty() {
        return Err(Error::field("from", "one_of", "must name a tag other than the one that stays"));
    }
    post.once
        .run(&app, now, move |conn| {
            let changed = store::replace(conn, &from, &into, who.0.actor(), now)?;
            Answer::ok(&RetaggedOut { tag: into, changed })
        })
        .await
}

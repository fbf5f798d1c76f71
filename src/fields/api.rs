//! `/fields`.
use super::known;
use super::model::{FieldKind, is_key};
use super::store::{self, FieldRow};
use crate::app::App;
use crate::audit;
use crate::db::types::{Json, Named, Time};
use crate::error::{Error, Result};
use crate::http::auth::Who;

use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::http::patch::not_null;
use crate::ids::FieldId;
use crate::seen::Seen;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// Options of a choice at the most.
const OPTIONS_MAX: u64 = 200;
/// The longest option, in characters.
const OPTION_MAX: usize = 100;

fn good_key(key: &str) -> Result<(), ValidationError> {
    if is_key(key) {
        return Ok(());
    }
    let text = "must be 1 to 50 small letters, digits and underscores, and begin with a letter";
    Err(ValidationError::new("key").with_message(text.into()))
}

fn good_options(options: &[String]) -> Result<(), ValidationError> {
    let is_good = |option: &String| (1..=OPTION_MAX).contains(&option.chars().count()) && option.trim() == option;
    if !options.iter().all(is_good) {
        let text = format!("each option must be 1 to {OPTION_MAX} characters without spaces at its ends");
        return Err(ValidationError::new("option").with_message(text.into()));
    }
    let mut seen = std::collections::HashSet::new();
    if options.iter().all(|option| seen.insert(option)) {
        return Ok(());
    }
    Err(ValidationError::new("repeated").with_message("an option is named twice".into()))
}

/// A choice has options, and nothing else has.
fn check_options(kind: FieldKind, options: &[String]) -> Result<()> {
    match (kind, options.is_empty()) {
        (FieldKind::Choice, true) => Err(Error::field("options", "options", "a choice needs options")),
        (FieldKind::Text | FieldKind::Number | FieldKind::Boolean | FieldKind::Date, false) => {
            Err(Error::field("options", "options", "only a choice has options"))
        }
        _ => Ok(()),
    }
}

/// A field to make.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldIn {
    /// What machines call it, forever.
    #[validate(custom(function = "good_key"))]
    #[schema(pattern = "^[a-z][a-z0-9_]{0,49}$", examples("registry"))]
    key: String,
    /// What people call it.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Registry"))]
    label: String,
    /// What it holds, forever.
    #[serde(rename = "type")]
    kind: FieldKind,
    /// Whether a ticket can only be closed with a value.
    #[serde(default)]
    required_to_close: bool,
    /// What a choice is between.
    #[serde(default)]
    #[validate(length(max = OPTIONS_MAX), custom(function = "good_options"))]
    #[schema(max_items = 200)]
    options: Vec<String>,
    /// Its place among the others, lowest first.
    #[serde(default)]
    #[validate(range(min = 0, max = 100_000))]
    #[schema(minimum = 0, maximum = 100_000)]
    position: i32,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldPatch {
    /// What people call it.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    label: Option<String>,
    /// Whether a ticket can only be closed with a value.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    required_to_close: Option<bool>,
    /// What a choice is between, anew; tickets keep an option that went away.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = OPTIONS_MAX), custom(function = "good_options"))]
    #[schema(max_items = 200, nullable = false)]
    options: Option<Vec<String>>,
    /// Its place among the others, lowest first.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(range(min = 0, max = 100_000))]
    #[schema(minimum = 0, maximum = 100_000, nullable = false)]
    position: Option<i32>,
    /// Whether it is out of use: its values stay and can be emptied, and no new ones are taken.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    archived: Option<bool>,
}

/// A custom field.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FieldOut {
    id: FieldId,
    key: String,
    label: String,
    #[serde(rename = "type")]
    kind: FieldKind,
    required_to_close: bool,
    #[schema(value_type = Vec<String>)]
    options: serde_json::Value,
    position: i32,
    archived: bool,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<FieldRow> for FieldOut {
    fn from(row: FieldRow) -> Self {
        let FieldRow { key, id, label, kind, required_to_close, options, position, is_archived, version, created_at, updated_at } =
            row;
        Self {
            id,
            key,
            label,
            kind: kind.0,
            required_to_close,
            options: options.0,
            position,
            archived: is_archived,
            version,
            created_at: created_at.0,
            updated_at: updated_at.0,
        }
    }
}

fn answer(row: FieldRow) -> Result<Answer> {
    let version = row.version;
    Ok(Answer::ok(&FieldOut::from(row))?.version(version))
}

/// Make a custom field.
#[utoipa::path(post, path = "/api/v1/fields", tag = "fields", request_body = FieldIn,
    responses((status = 201, description = "Made", body = FieldOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<FieldIn>) -> Result<HttpResponse> {
    let FieldIn { key, label, kind, required_to_close, options, position } = post.body;
    check_options(kind, &options)?;
    let row = FieldRow {
        key,
        id: FieldId::new(),
        label,
        kind: Named(kind),
        required_to_close,
        options: Json::of(&options)?,
        position,
        is_archived: false,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
    };
    let made = post.once.run(&app, now, move |conn| {
        let made = FieldOut::from(store::insert(conn, row)?);
        audit::created(conn, who.0.actor(), ("field", made.id.0), &made, now)?;
        Ok(Answer::created(format!("/api/v1/fields/{}", made.id), &made)?.version(made.version))
    });
    let made = made.await;
    known::forget(&app.config);
    made
}

/// List custom fields, archived ones too, by position.
#[utoipa::path(get, path = "/api/v1/fields", tag = "fields", params(PageParams),
    responses((status = 200, description = "A page", body = Page<FieldOut>)))]
pub async fn list(app: Data<App>, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let found = app.db.read(move |conn| store::list(conn, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(found, limit, |row| (row.position, row.id))?.map(FieldOut::from).respond(&request))
}

/// One custom field.
#[utoipa::path(get, path = "/api/v1/fields/{id}", tag = "fields", params(("id" = FieldId, Path)),
    responses((status = 200, description = "The field", body = FieldOut)))]
pub async fn get(app: Data<App>, id: Id<FieldId>) -> Result<HttpResponse> {
    Ok(answer(app.db.read(move |conn| store::find(conn, id.0)).await?)?.into())
}

/// Change a custom field; its key and type stay what they are.
#[utoipa::path(patch, path = "/api/v1/fields/{id}", tag = "fields", request_body = FieldPatch,
    params(("id" = FieldId, Path)), responses((status = 200, description = "As it is now", body = FieldOut)))]
pub async fn change(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<FieldId>,
    seen: Seen,
    body: Body<FieldPatch>,
) -> Result<HttpResponse> {
    let FieldPatch { label, required_to_close, options, position, archived } = body.0;
    let changed = app.db.write(move |conn| {
        let before = FieldOut::from(store::find(conn, id.0)?);
        let after = store::update(conn, id.0, seen, now, |row| {
            if let Some(options) = options {
                check_options(row.kind.0, &options)?;
                row.options = Json::of(&options)?;
            }
            row.label = label.unwrap_or(std::mem::take(&mut row.label));
            row.required_to_close = required_to_close.unwrap_or(row.required_to_close);
            row.position = position.unwrap_or(row.position);
            row.is_archived = archived.unwrap_or(row.is_archived);
            Ok(())
        })?;
        audit::changed(conn, who.0.actor(), ("field", id.0.0), (&before, &FieldOut::from(after.clone())), now)?;
        Ok(after)
    });
    let changed = changed.await;
    known::forget(&app.config);
    Ok(answer(changed?)?.into())
}

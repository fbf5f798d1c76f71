//! `/contacts`.
use super::model::{normal_email, normal_list, normal_phone};
use super::store::{self, Contact, ContactRow, Filter, LANGUAGE_DEFAULT, NewContact};
use super::wire::{EmailAddress, PhoneNumber, ZoneName};
use crate::Result;
use crate::app::App;
use crate::audit;
use crate::db::types::Time;
use crate::error::Error;
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::http::patch::{Patch, not_null};
use crate::ids::{ContactId, OrganizationId};
use crate::seen::Seen;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// A contact to make.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactIn {
    /// The reseller account they belong to.
    organization_id: Option<OrganizationId>,
    /// What they are called.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Ada Lovelace"))]
    name: String,
    /// Their e-mail addresses, the one to write to first; kept in lower case. Nobody else may have one of them.
    #[serde(default)]
    #[validate(length(max = 10))]
    #[schema(value_type = Vec<EmailAddress>, max_items = 10)]
    emails: Vec<String>,
    /// Their phone numbers with country code (`+…` or `00…`); kept as E.164. Nobody else may have one of them.
    #[serde(default)]
    #[validate(length(max = 10))]
    #[schema(value_type = Vec<PhoneNumber>, max_items = 10)]
    phones: Vec<String>,
    /// Where they are.
    #[schema(value_type = Option<ZoneName>)]
    time_zone: Option<Tz>,
    /// Language tag (BCP 47).
    #[serde(default = "language_default")]
    #[validate(length(min = 2, max = 35), custom(function = language_tag))]
    #[schema(min_length = 2, max_length = 35, pattern = "^[A-Za-z0-9-]{2,35}$", default = "en", examples("pt-BR"))]
    language: String,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactPatch {
    /// The reseller account; null takes them out of it.
    #[serde(default)]
    #[schema(value_type = Option<OrganizationId>)]
    organization_id: Patch<OrganizationId>,
    /// What they are called.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// All their addresses: those that are not in the list are taken away.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 10))]
    #[schema(value_type = Option<Vec<EmailAddress>>, nullable = false, max_items = 10)]
    emails: Option<Vec<String>>,
    /// All their numbers: those that are not in the list are taken away.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 10))]
    #[schema(value_type = Option<Vec<PhoneNumber>>, nullable = false, max_items = 10)]
    phones: Option<Vec<String>>,
    /// Where they are; null for unknown.
    #[serde(default)]
    #[schema(value_type = Option<ZoneName>)]
    time_zone: Patch<Tz>,
    /// Language tag (BCP 47).
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(min = 2, max = 35), custom(function = language_tag))]
    #[schema(min_length = 2, max_length = 35, pattern = "^[A-Za-z0-9-]{2,35}$", nullable = false)]
    language: Option<String>,
    /// True: they get no more surveys.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    surveys_stopped: Option<bool>,
}

/// A contact.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ContactOut {
    id: ContactId,
    organization_id: Option<OrganizationId>,
    name: String,
    /// The one to write to first.
    emails: Vec<String>,
    /// As E.164.
    phones: Vec<String>,
    /// The name of an IANA time zone.
    time_zone: Option<String>,
    language: String,
    /// They get no more surveys.
    surveys_stopped: bool,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Contact> for ContactOut {
    fn from(contact: Contact) -> Self {
        let Contact { row, emails, phones } = contact;
        let ContactRow { id, organization_id, name, time_zone, language, surveys_stopped_at, version, created_at, updated_at } =
            row;
        Self {
            id,
            organization_id,
            name,
            emails,
            phones,
            time_zone,
            language,
            surveys_stopped: surveys_stopped_at.is_some(),
            version,
            created_at: created_at.0,
            updated_at: updated_at.0,
        }
    }
}

/// Which contacts to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ContactParams {
    /// Only the one with this e-mail address.
    #[param(value_type = Option<EmailAddress>)]
    email: Option<String>,
    /// Only the one with this phone number; its `+` is written `%2B` in a query, or `00`.
    #[param(value_type = Option<PhoneNumber>)]
    phone: Option<String>,
    /// Only those of this organization.
    organization_id: Option<OrganizationId>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

fn language_default() -> String {
    LANGUAGE_DEFAULT.to_owned()
}

fn language_tag(tag: &str) -> Result<(), ValidationError> {
    if tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Ok(());
    }
    Err(ValidationError::new("language").with_message("may hold only letters a to z, digits and hyphens".into()))
}

fn not_an_address(field: &str) -> Error {
    Error::field(field, "email", "is not an e-mail address")
}

fn not_a_number(field: &str) -> Error {
    Error::field(field, "phone", "is not a phone number with its country code, such as +14165550100 (in a query: %2B for +)")
}

fn read_emails(emails: &[String]) -> Result<Vec<String>> {
    normal_list(emails, normal_email).map_err(|index| not_an_address(&format!("emails[{index}]")))
}

fn read_phones(phones: &[String]) -> Result<Vec<String>> {
    normal_list(phones, normal_phone).map_err(|index| not_a_number(&format!("phones[{index}]")))
}

/// Make a contact.
#[utoipa::path(post, path = "/api/v1/contacts", tag = "accounts", request_body = ContactIn,
    responses((status = 201, description = "Made", body = ContactOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<ContactIn>) -> Result<HttpResponse> {
    let ContactIn { organization_id, name, emails, phones, time_zone, language } = post.body;
    let new = NewContact {
        organization_id,
        name,
        time_zone: time_zone.map(|zone| zone.name().to_owned()),
        language,
        emails: read_emails(&emails)?,
        phones: read_phones(&phones)?,
    };
    post.once
        .run(&app, now, move |conn| {
            let made = ContactOut::from(store::insert(conn, new, now)?);
            audit::created(conn, who.0.actor(), ("contact", made.id.0), &made, now)?;
            Ok(Answer::created(format!("/api/v1/contacts/{}", made.id), &made)?.version(made.version))
        })
        .await
}

/// List contacts, oldest first.
#[utoipa::path(get, path = "/api/v1/contacts", tag = "accounts", params(ContactParams),
    responses((status = 200, description = "A page", body = Page<ContactOut>)))]
pub async fn list(app: Data<App>, params: Params<ContactParams>, request: HttpRequest) -> Result<HttpResponse> {
    let ContactParams { email, phone, organization_id, limit, cursor } = params.0;
    let filter = Filter {
        email: email.map(|text| normal_email(&text).ok_or_else(|| not_an_address("email"))).transpose()?,
        phone: phone.map(|text| normal_phone(&text).ok_or_else(|| not_a_number("phone"))).transpose()?,
        organization_id,
    };
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let contacts = app.db.read(move |conn| store::list(conn, filter, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(contacts, limit, |contact| contact.row.id)?.map(ContactOut::from).respond(&request))
}

/// One contact.
#[utoipa::path(get, path = "/api/v1/contacts/{id}", tag = "accounts", params(("id" = ContactId, Path)),
    responses((status = 200, description = "The contact", body = ContactOut)))]
pub async fn get(app: Data<App>, id: Id<ContactId>) -> Result<HttpResponse> {
    let contact = app.db.read(move |conn| store::find(conn, id.0)).await?;
    let version = contact.row.version;
    Ok(Answer::ok(&ContactOut::from(contact))?.version(version).into())
}

/// Change a contact.
#[utoipa::path(patch, path = "/api/v1/contacts/{id}", tag = "accounts", request_body = ContactPatch,
    params(("id" = ContactId, Path)), responses((status = 200, description = "As it is now", body = ContactOut)))]
pub async fn change(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<ContactId>,
    seen: Seen,
    body: Body<ContactPatch>,
) -> Result<HttpResponse> {
    let patch = body.0;
    let emails = patch.emails.as_deref().map(read_emails).transpose()?;
    let phones = patch.phones.as_deref().map(read_phones).transpose()?;
    let contact = app
        .db
        .write(move |conn| {
            let mut before = None;
            let contact = store::update(conn, id.0, seen, now, |contact| {
                before = Some(ContactOut::from(contact.clone()));
                contact.emails = emails.unwrap_or(std::mem::take(&mut contact.emails));
                contact.phones = phones.unwrap_or(std::mem::take(&mut contact.phones));
                patch.apply(&mut contact.row, now);
            })?;
            let after = ContactOut::from(contact);
            audit::changed(conn, who.0.actor(), ("contact", id.0.0), (&before, &after), now)?;
            Ok(after)
        })
        .await?;
    Ok(Answer::ok(&contact)?.version(contact.version).into())
}

impl ContactPatch {
    /// Carries out all but the lists.
    fn apply(self, row: &mut ContactRow, now: DateTime<Utc>) {
        let Self { organization_id, name, emails: _, phones: _, time_zone, language, surveys_stopped } = self;
        organization_id.apply(&mut row.organization_id);
        row.name = name.unwrap_or(std::mem::take(&mut row.name));
        match time_zone {
            Patch::Keep => {}
            Patch::Clear => row.time_zone = None,
            Patch::Set(zone) => row.time_zone = Some(zone.name().to_owned()),
        }
        row.language = language.unwrap_or(std::mem::take(&mut row.language));
        row.surveys_stopped_at = match surveys_stopped {
            None => row.surveys_stopped_at,
            // Who stopped earlier stopped then.
            Some(true) => row.surveys_stopped_at.or(Some(Time(now))),
            Some(false) => None,
        };
    }
}

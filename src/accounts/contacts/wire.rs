//! How OpenAPI describes an address, a number and a time zone: exactly what is accepted, for every slice that takes one. Pure.
use super::model::EMAIL_MAX;
use chrono_tz::TZ_VARIANTS;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// What [`super::model::normal_email`] accepts; host names beyond ASCII are accepted besides.
const EMAIL: &str = concat!(
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$"
);
/// What [`super::model::normal_phone`] accepts.
const PHONE: &str = r"^[ .()-]*(\+|0[ .()-]*0)[ .()-]*[1-9]([ .()-]*[0-9]){6,14}[ .()-]*$";

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

/// An e-mail address.
pub struct EmailAddress;

impl PartialSchema for EmailAddress {
    fn schema() -> RefOr<Schema> {
        let described = text("An e-mail address; kept in lower case.").examples(["ada@example.com"]);
        let format = SchemaFormat::KnownFormat(KnownFormat::Email);
        described.format(Some(format)).max_length(Some(EMAIL_MAX)).pattern(Some(EMAIL)).into()
    }
}

impl ToSchema for EmailAddress {}

/// A phone number.
pub struct PhoneNumber;

impl PartialSchema for PhoneNumber {
    fn schema() -> RefOr<Schema> {
        let described = text("A phone number with its country code, `+…` or `00…`; kept as E.164.");
        described.pattern(Some(PHONE)).examples(["+1 416 555-0100"]).into()
    }
}

impl ToSchema for PhoneNumber {}

/// The name of a time zone.
pub struct ZoneName;

impl PartialSchema for ZoneName {
    fn schema() -> RefOr<Schema> {
        let names = TZ_VARIANTS.iter().map(|zone| zone.name());
        text("The name of an IANA time zone.").enum_values(Some(names)).examples(["Europe/Berlin"]).into()
    }
}

impl ToSchema for ZoneName {}

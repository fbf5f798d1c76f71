//! Column types that mean the same on both databases: ids, JSON, instants, names.
use super::{Conn, MultiBackend};
use crate::names::Name;
use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, HasSqlType, SqlType, Text};
use diesel::sqlite::Sqlite;
use std::io::Write;

/// Passes a column type through to whichever database is connected.
macro_rules! on_both {
    ($sql:ty, $rust:ty $(, $param:ident)?) => {
        impl $(<$param: $crate::names::Name>)? ToSql<$sql, MultiBackend> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(IsNull::No)
            }
        }
    };
}

/// SQL type of an id: `uuid` on PostgreSQL, a 16-byte BLOB on SQLite.
#[derive(SqlType, QueryId, Clone, Copy, Default, Debug)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Uid;

impl HasSqlType<Uid> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Uid>(lookup)
    }
}

/// Writes a UUID for PostgreSQL.
pub fn uuid_to_pg(id: &uuid::Uuid, out: &mut Output<'_, '_, Pg>) -> serialize::Result {
    out.write_all(id.as_bytes())?;
    Ok(IsNull::No)
}

/// Reads a UUID from SQLite.
pub fn uuid_from_sqlite(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<uuid::Uuid> {
    let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
    Ok(uuid::Uuid::from_slice(&bytes)?)
}

/// Makes a typed id usable as a [`Uid`] column on both databases.
macro_rules! uid_column {
    ($name:ident) => {
        const _: () = {
            use diesel::backend::Backend;
            use diesel::deserialize::{self, FromSql};
            use diesel::serialize::{self, IsNull, Output, ToSql};
            use $crate::db::MultiBackend;
            use $crate::db::types::Uid;

            impl ToSql<Uid, diesel::pg::Pg> for $name {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::pg::Pg>) -> serialize::Result {
                    $crate::db::types::uuid_to_pg(&self.0, out)
                }
            }
            impl FromSql<Uid, diesel::pg::Pg> for $name {
                fn from_sql(value: diesel::pg::PgValue<'_>) -> deserialize::Result<Self> {
                    Ok(Self(uuid::Uuid::from_slice(value.as_bytes())?))
                }
            }
            impl ToSql<Uid, diesel::sqlite::Sqlite> for $name {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::sqlite::Sqlite>) -> serialize::Result {
                    out.set_value(&self.0.as_bytes()[..]);
                    Ok(IsNull::No)
                }
            }
            impl FromSql<Uid, diesel::sqlite::Sqlite> for $name {
                fn from_sql(value: <diesel::sqlite::Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                    $crate::db::types::uuid_from_sqlite(value).map(Self)
                }
            }
            impl ToSql<Uid, MultiBackend> for $name {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                    out.set_value((Uid, self));
                    Ok(IsNull::No)
                }
            }
            impl FromSql<Uid, MultiBackend> for $name {
                fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                    value.from_sql::<Self, Uid>()
                }
            }
        };
    };
}
pub(crate) use uid_column;

/// SQL type of a JSON document: `jsonb` on PostgreSQL, TEXT on SQLite.
#[derive(SqlType, QueryId, Clone, Copy, Default, Debug)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct JsonDoc;

impl HasSqlType<JsonDoc> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<JsonDoc>(lookup)
    }
}

/// A JSON document in a column.
#[derive(Clone, PartialEq, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = JsonDoc)]
pub struct Json(pub serde_json::Value);

impl Json {
    /// The document for a value that always has one (our own structs).
    pub fn of(value: &impl serde::Serialize) -> crate::Result<Self> {
        Ok(Self(serde_json::to_value(value)?))
    }

    /// The value that the document stands for.
    pub fn to<T: serde::de::DeserializeOwned>(self) -> crate::Result<T> {
        Ok(serde_json::from_value(self.0)?)
    }
}

impl ToSql<JsonDoc, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[1])?; // jsonb's format version
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
impl FromSql<JsonDoc, Pg> for Json {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let bytes = value.as_bytes().get(1..).ok_or("an empty jsonb value")?;
        Ok(Self(serde_json::from_slice(bytes)?))
    }
}
impl ToSql<JsonDoc, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
impl FromSql<JsonDoc, Sqlite> for Json {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}
on_both!(JsonDoc, Json);
impl FromSql<JsonDoc, MultiBackend> for Json {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, JsonDoc>()
    }
}

/// A JSON document in a column as its text, for what is parsed only where the text is new.
#[derive(Clone, PartialEq, Debug, FromSqlRow)]
pub struct JsonText(pub String);

impl FromSql<JsonDoc, Pg> for JsonText {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let bytes = value.as_bytes().get(1..).ok_or("an empty jsonb value")?;
        Ok(Self(std::str::from_utf8(bytes)?.to_owned()))
    }
}
impl FromSql<JsonDoc, Sqlite> for JsonText {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <String as FromSql<Text, Sqlite>>::from_sql(value).map(Self)
    }
}

/// An instant in a column: whole microseconds since 1970 (BIGINT).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = BigInt)]
pub struct Time(pub DateTime<Utc>);

impl Time {
    fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }
}
impl ToSql<BigInt, Pg> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.micros().to_be_bytes())?;
        Ok(IsNull::No)
    }
}
impl ToSql<BigInt, Sqlite> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.micros());
        Ok(IsNull::No)
    }
}
on_both!(BigInt, Time);
impl<DB: Backend> FromSql<BigInt, DB> for Time
where
    i64: FromSql<BigInt, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_sql(value)?;
        let at = DateTime::from_timestamp_micros(micros).ok_or("an instant out of range")?;
        Ok(Self(at))
    }
}

/// A name in a TEXT column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Named<T: Name>(pub T);

impl<T: Name> ToSql<Text, Pg> for Named<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.text().as_bytes())?;
        Ok(IsNull::No)
    }
}
impl<T: Name> ToSql<Text, Sqlite> for Named<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.text());
        Ok(IsNull::No)
    }
}
on_both!(Text, Named<T>, T);
impl<T: Name, DB: Backend> FromSql<Text, DB> for Named<T>
where
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(String::from_sql(value)?.parse()?))
    }
}

/// Which database a connection speaks to.
impl Conn {
    /// The name for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Conn::Pg(_) => "postgres",
            Conn::Sqlite(_) => "sqlite",
        }
    }
}

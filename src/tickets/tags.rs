//! The tags of a ticket as its row repeats them.
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::sql_types::Text;

/// Tags in alphabetical order, as a JSON array.
#[derive(Debug, Clone, FromSqlRow)]
pub(super) struct TagList(pub(super) Vec<String>);

impl<DB: Backend> FromSql<Text, DB> for TagList
where
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        match String::from_sql(value)?.as_str() {
            "[]" => Ok(Self(Vec::new())),
            text => Ok(Self(serde_json::from_str(text)?)),
        }
    }
}

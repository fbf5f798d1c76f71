//! The tags of a ticket as one value of its row, so that a page of tickets needs no query of its own for them. Sorting them here
//! costs less than in the database.
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::Sqlite;

/// Selects the tags of the ticket of the same row, in any order, as a JSON array; null or `[]` where it has none.
#[derive(Clone, Copy, Debug, QueryId)]
pub(super) struct TagsOf;

/// What [`TagsOf`] selects, in alphabetical order.
#[derive(Debug, Default, FromSqlRow)]
pub(super) struct TagList(pub(super) Vec<String>);

impl Expression for TagsOf {
    type SqlType = Nullable<Text>;
}
impl<G> ValidGrouping<G> for TagsOf {
    type IsAggregate = is_aggregate::Never;
}
impl<QS> AppearsOnTable<QS> for TagsOf {}
impl<QS> SelectableExpression<QS> for TagsOf {}

impl QueryFragment<Sqlite> for TagsOf {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("(SELECT json_group_array(tag) FROM ticket_tags WHERE ticket_tags.ticket_id = tickets.id)");
        Ok(())
    }
}
impl QueryFragment<Pg> for TagsOf {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(SELECT json_agg(tag)::text FROM ticket_tags WHERE ticket_tags.ticket_id = tickets.id)");
        Ok(())
    }
}

impl<DB: Backend> FromSql<Nullable<Text>, DB> for TagList
where
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        match String::from_sql(value)?.as_str() {
            "[]" => Ok(Self::default()),
            text => {
                let mut tags: Vec<String> = serde_json::from_str(text)?;
                tags.sort_unstable();
                Ok(Self(tags))
            }
        }
    }

    fn from_nullable_sql(value: Option<DB::RawValue<'_>>) -> deserialize::Result<Self> {
        value.map_or_else(|| Ok(Self::default()), Self::from_sql)
    }
}

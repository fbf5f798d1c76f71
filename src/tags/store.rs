//! Tags as sets of rows: every statement here works on all tickets at once.
use crate::db::{
    Conn,
    schema::ticket_tags,
    types::{Named, Time, Uid},
};
use crate::error::{Error, Result};
use crate::timeline::{Actor, ActorId, Kind};
use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

/// Runs one statement on either database. `$1` is the list of tags, as `{among}`; further binds follow.
macro_rules! run {
    ($conn:expr, $tags:expr, $sql:expr $(, $kind:ty => $value:expr)* $(,)?) => {{
        let sql: &str = $sql;
        match &mut *$conn {
            Conn::Pg(conn) => {
                let sql = sql.replace("{among}", "= ANY($1)").replace("{object}", "jsonb_build_object");
                diesel::sql_query(sql).bind::<Array<Text>, _>($tags)$(.bind::<$kind, _>($value))*.execute(conn)
            }
            Conn::Sqlite(conn) => {
                let sql = sql.replace("{among}", "IN (SELECT value FROM json_each($1))").replace("{object}", "json_object");
                // SQLite counts `$2` as it comes, and `?2` as the second.
                let sql = (1..=6).fold(sql, |sql, n| sql.replace(&format!("${n}"), &format!("?{n}")));
                diesel::sql_query(sql).bind::<Text, _>(serde_json::to_string($tags)?)$(.bind::<$kind, _>($value))*.execute(conn)
            }
        }
    }};
}

/// A page of tags after `after`, in alphabetical order, with the number of tickets of each. One query on an index.
pub(super) fn list(conn: &mut Conn, after: Option<String>, limit: i64) -> Result<Vec<(String, i64)>> {
    let mut query = ticket_tags::table
        .group_by(ticket_tags::tag)
        .select((ticket_tags::tag, count_star()))
        .order(ticket_tags::tag)
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(ticket_tags::tag.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Whether any ticket has the tag. One look at an index.
pub(super) fn is_used(conn: &mut Conn, tag: &str) -> Result<bool> {
    let found: Option<String> =
        ticket_tags::table.filter(ticket_tags::tag.eq(tag)).select(ticket_tags::tag).first(conn).optional()?;
    Ok(found.is_some())
}

/// Tickets that have one of the tags `from` have `into` instead; says how many tickets changed. Six statements however many.
/// Each ticket gets a new version (whoever edits its tags now must look again) and one event a tag.
pub(super) fn replace(conn: &mut Conn, from: &[String], into: &str, actor: Actor, now: DateTime<Utc>) -> Result<usize> {
    let having = "SELECT ticket_id FROM ticket_tags WHERE tag {among}";
    if let Conn::Pg(_) = conn {
        // In the one order in which everybody locks many tickets.
        let lock = format!("SELECT count(*) FROM (SELECT 1 FROM tickets WHERE id IN ({having}) ORDER BY id FOR UPDATE) t");
        run!(conn, from, &lock)?;
    }
    run!(
        conn,
        from,
        "INSERT INTO events (ticket_id, kind, actor, actor_id, at, data)
         SELECT ticket_id, $2, $3, $4, $5, {object}('before', tag, 'after', CAST($6 AS TEXT))
         FROM ticket_tags WHERE tag {among} ORDER BY ticket_id, tag",
        Text => Named(Kind::TagRenamed),
        Text => actor.kind(),
        Nullable<Uid> => actor.id().map(ActorId),
        BigInt => Time(now),
        Text => into,
    )?;
    run!(
        conn,
        from,
        "INSERT INTO ticket_tags (ticket_id, tag)
         SELECT DISTINCT ticket_id, CAST($2 AS TEXT) FROM ticket_tags WHERE tag {among} ON CONFLICT DO NOTHING",
        Text => into,
    )?;
    // The rows of the tickets repeat what is left.
    let left = "FROM ticket_tags WHERE ticket_id = tickets.id AND NOT tag {among}";
    let tags = match conn {
        Conn::Pg(_) => format!("SELECT json_agg(tag ORDER BY tag COLLATE \"C\")::text {left}"),
        Conn::Sqlite(_) => format!("SELECT json_group_array(tag ORDER BY tag) {left}"),
    };
    let changed = run!(conn, from, &format!("UPDATE tickets SET version = version + 1, tags = ({tags}) WHERE id IN ({having})"))?;
    if changed == 0 {
        return Err(Error::field("from", "unknown_tag", "no ticket has this tag"));
    }
    run!(conn, from, "DELETE FROM ticket_tags WHERE tag {among}")?;
    // Views that ask for the old tag ask for the new one.
    let views = match conn {
        Conn::Pg(_) => {
            "UPDATE saved_views SET filter = jsonb_set(filter, '{tag}', to_jsonb(CAST($2 AS TEXT))), version = version + 1
             WHERE filter->>'tag' {among}"
        }
        Conn::Sqlite(_) => {
            "UPDATE saved_views SET filter = json_set(filter, '$.tag', CAST($2 AS TEXT)), version = version + 1
             WHERE json_extract(filter, '$.tag') {among}"
        }
    };
    run!(conn, from, views, Text => into)?;
    Ok(changed)
}

//! Who types, for nodes that have the other side: told apart by their instants, and thrown away soon.
use super::model::ChatSide;
use crate::Result;
use crate::db::ext::OnConflictExt;
use crate::db::schema::chat_typing;
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::each;
use crate::ids::ChatId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Who types where, and since when.
pub type Typed = (ChatId, ChatSide, DateTime<Utc>);

/// Notes that somebody types. One statement.
pub fn note(conn: &mut Conn, chat: ChatId, side: ChatSide, now: DateTime<Utc>) -> Result<()> {
    let row = (chat_typing::chat_id.eq(chat), chat_typing::side.eq(Named(side)), chat_typing::at.eq(Time(now)));
    let replace = "(chat_id, side) DO UPDATE SET at = excluded.at";
    each!(conn, conn => OnConflictExt::on_conflict(diesel::insert_into(chat_typing::table).values(row), replace).execute(conn))?;
    Ok(())
}

/// All that is noted: at the most two rows for each chat of the last minute. One query.
pub fn all(conn: &mut Conn) -> Result<Vec<Typed>> {
    let rows: Vec<(ChatId, Named<ChatSide>, Time)> =
        chat_typing::table.select((chat_typing::chat_id, chat_typing::side, chat_typing::at)).load(conn)?;
    Ok(rows.into_iter().map(|(chat, side, at)| (chat, side.0, at.0)).collect())
}

/// Throws away what was noted before an instant. One delete.
pub fn forget(conn: &mut Conn, before: DateTime<Utc>) -> Result<()> {
    diesel::delete(chat_typing::table.filter(chat_typing::at.lt(Time(before)))).execute(conn)?;
    Ok(())
}

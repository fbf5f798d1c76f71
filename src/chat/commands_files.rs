//! The verb of files in chats: a visitor hands one in, and it is a message of its own.
use super::commands::{self, Placed, Said, Speaker};
use super::model::{ChatSide, ChatState};
use super::queries;
use super::store::{self, ChatRow};
use crate::attachments::commands as attachments;
use crate::attachments::queries::FileRow;
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{ChatId, ClientMessageId};
use chrono::{DateTime, Utc};

/// Whether a visitor may hand a file in now. Two queries.
pub fn check(conn: &mut Conn, config: &Config, row: &ChatRow) -> Result<()> {
    if config.chat.file_size_max_bytes == 0 {
        return Err(Error::forbidden("no_files", "files are not taken in chats"));
    }
    match row.state.0 {
        ChatState::Active => {}
        // Strangers fill no disk before a person has looked at them.
        ChatState::Waiting => return Err(Error::conflict("not_accepted", "files are taken once somebody is there")),
        ChatState::Missed | ChatState::Abandoned | ChatState::Left | ChatState::Ended => {
            return Err(Error::conflict("chat_over", "this chat is over"));
        }
    }
    if queries::visitor(conn, row.visitor_id)?.is_some_and(|visitor| visitor.blocked_at.is_some()) {
        return Err(Error::forbidden("blocked", "this visitor is not served"));
    }
    if queries::files_of_visitor(conn, row.id)? >= i64::from(config.chat.files_max) {
        return Err(Error::conflict("too_many_files", format!("a chat takes {} files at the most", config.chat.files_max)));
    }
    Ok(())
}

/// The bytes of a visitor's file are in the store: it becomes a message that says its name. The same client's id again is the same.
pub fn hand_in(
    conn: &mut Conn,
    config: &Config,
    (id, client): (ChatId, ClientMessageId),
    file: FileRow,
    now: DateTime<Utc>,
) -> Result<Placed> {
    let row = store::lock(conn, id)?;
    if let Some(place) = store::place_of(conn, id, ChatSide::Visitor, client)? {
        return Ok(Placed { seq: place.seq, is_new: false });
    }
    check(conn, config, &row)?;
    let said = Said { id: client, body: file.file_name.clone(), files: vec![file.id] };
    attachments::hand_in(conn, file)?;
    commands::say(conn, config, (id, Speaker::Visitor), said, now)
}

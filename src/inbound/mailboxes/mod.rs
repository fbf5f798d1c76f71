//! Mailboxes: the addresses that people write to, each with its team and the way in that its mails take.
pub mod api;
mod store;
mod wire_sending;

pub use store::{Imap, ImapTls, MailboxKind, MailboxRow, WatchRow};
pub use store::{among, failed, find, hold, imap_active, let_go, looked, of_address, of_team, take_up};

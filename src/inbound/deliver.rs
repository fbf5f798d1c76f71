//! `deskbell deliver`: a mail on standard input, from the pipe of a local mail server. It needs no running desk.
use super::commands::{self, Arrived, Coming, Envelope};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, Result};
use std::io::Read;
use std::sync::Arc;

/// How it ended; the words of sysexits.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// It is on the disk.
    Taken,
    /// No mailbox has this address.
    NoUser,
    /// It is larger than the desk takes.
    TooLarge,
}

impl Delivered {
    /// What the mail server is told: `EX_NOUSER` and `EX_DATAERR` are final.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Taken => 0,
            Self::NoUser => 67,
            Self::TooLarge => 65,
        }
    }
}

/// `EX_TEMPFAIL`: the mail server keeps the mail and tries again.
pub const TRY_AGAIN: u8 = 75;

/// Reads a mail to its end and takes it.
pub fn deliver(config: &Config, envelope: &Envelope, input: impl Read) -> Result<Delivered> {
    let size_max = config.inbound.size_max_bytes;
    let mut raw = Vec::new();
    let unreadable = |error: std::io::Error| Error::Unavailable(format!("standard input: {error}"));
    input.take(size_max as u64 + 1).read_to_end(&mut raw).map_err(unreadable)?;
    if raw.len() > size_max {
        return Ok(Delivered::TooLarge);
    }
    let url = config.database_url();
    // SQLite would make an empty file of a wrong path.
    if !crate::db::is_postgres(&url) && !std::path::Path::new(&url).exists() {
        return Err(Error::Unavailable("there is no database yet".to_owned()));
    }
    let now = Clock::System.now();
    let mail = Arc::new(Arrived::new(raw, now));
    Conn::open(&url)?.write(|conn| match commands::mailbox_of(conn, &envelope.to)? {
        Some(mailbox) => {
            let coming = Coming { mailbox: mailbox.id, envelope: envelope.clone(), mail };
            commands::accept_each(conn, [&coming], now, now).map(|_| Delivered::Taken)
        }
        None => Ok(Delivered::NoUser),
    })
}

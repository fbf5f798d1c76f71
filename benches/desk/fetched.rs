//! Mails fetched by IMAP: a real dovecot with a full folder, and how fast the desk has all of it on its disk.
use super::intake::{ADDRESS, mail, mailbox, taken};
use super::process::{Letters, desk, wait_until};
use super::{Failure, note};
use deskbell::db::Conn;
use deskbell::inbound::mailboxes::{Imap, ImapTls};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

#[path = "../../tests/it/support/dovecot.rs"]
#[expect(clippy::unwrap_used, dead_code, reason = "written for the tests")]
mod dovecot;
#[path = "../../tests/it/support/process.rs"]
mod process;

/// What is stored when the clock starts: connecting, logging in and the first search are not counted.
const UNCOUNTED: i64 = 100;

/// Puts mails into the folder of a server.
fn fill(dovecot: &dovecot::Dovecot, mails: u64) -> Result<(), Failure> {
    let home = dovecot.certificate.parent().ok_or("no folder")?.join("home");
    for part in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(home.join("mail").join(part))?;
    }
    for number in 0..mails {
        std::fs::write(home.join(format!("mail/new/1700000000.M{number:07}P1.bench")), mail(number))?;
    }
    let mut owner = std::ffi::OsString::from("--reference=");
    owner.push(&home);
    match Command::new("chown").arg("-R").arg(owner).arg(home.join("mail")).status()?.success() {
        true => Ok(()),
        false => Err("the folder could not be given to dovecot".into()),
    }
}

/// Mails a second that the desk fetched and stored, of `mails` in a folder.
pub fn by_imap(url: &str, folder: &Path, mails: u64) -> Result<f64, Failure> {
    let dovecot = dovecot::Dovecot::start(None);
    fill(&dovecot, mails)?;
    let imap = Imap {
        host: "127.0.0.1".to_owned(),
        port: dovecot.port,
        tls: ImapTls::None,
        user: dovecot::USER.to_owned(),
        password: dovecot::PASSWORD.to_owned(),
        folder: "INBOX".to_owned(),
        done_folder: None,
    };
    mailbox(url, Some(imap))?;
    let server = desk(url, folder, Letters::Written)?;
    let mut conn = Conn::open(url)?;
    let (mut first, mut last) = (None, (Instant::now(), 0));
    let wanted = i64::try_from(mails)?;
    wait_until(|| {
        let Ok(count) = taken(&mut conn) else { return false };
        last = (Instant::now(), count);
        if first.is_none() && count >= UNCOUNTED {
            first = Some(last);
        }
        count >= wanted
    })
    .map_err(|error| format!("{error}: {} mails of {ADDRESS} came: {}", last.1, dovecot.log()))?;
    drop(server);
    let (from, before) = first.ok_or("no mail came")?;
    let per_second = (last.1 - before) as f64 / last.0.duration_since(from).as_secs_f64();
    note(&format!("fetched {} mails: {per_second:.0} mails/s", last.1 - before));
    Ok(per_second)
}

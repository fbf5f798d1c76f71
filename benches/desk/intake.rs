//! Mails taken in by LMTP, and the floor: the same bytes written as rows and nothing around them.
use super::Failure;
use super::desk::Spans;
use super::dialect::Dialect;
use super::process::wait_until;
use deskbell::clock::Clock;
use deskbell::db::types::{Json, Named, Time};
use deskbell::db::{
    Conn,
    schema::{inbound_mails, mailboxes},
};
use deskbell::ids::MailboxId;
use deskbell::inbound::mailboxes::{Imap, MailboxKind, MailboxRow};
use deskbell::inbound::{keys, queries::InboundState};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Connections of mail servers.
const CONNECTIONS: u64 = 16;
/// Rows in one transaction of the floor on SQLite, where the desk puts together what waits.
const PER_TRANSACTION: u64 = 64;
/// Sizes of mails, so that their mean is 20 KB.
const SIZES_KB: [usize; 5] = [2, 8, 16, 24, 50];
/// Who gets all of them.
pub const ADDRESS: &str = "support@bench.example";

/// A mail that no other one is the same as.
pub fn mail(number: u64) -> Vec<u8> {
    let size = SIZES_KB[number as usize % SIZES_KB.len()] * 1_024;
    let mut mail = format!(
        "From: Ana <ana{}@nordwind.example>\r\nTo: {ADDRESS}\r\nSubject: Mail {number}\r\nMessage-ID: <{number}@nordwind.example>\r\n\r\n",
        number % 1_000
    );
    while mail.len() + 80 < size {
        mail.push_str("The transfer of nordwind.example does not move, and nobody here knows why. \r\n");
    }
    mail.into_bytes()
}

/// Makes the mailbox in a database that no desk works on yet: fetched from where there is a server, handed over where there is none.
pub fn mailbox(url: &str, imap: Option<Imap>) -> Result<(), Failure> {
    let (mut conn, now) = (Conn::open(url)?, Clock::System.now());
    keys::draw(&mut conn, now)?;
    let row = MailboxRow {
        id: MailboxId::new(),
        address: ADDRESS.to_owned(),
        team_id: None,
        from_name: String::new(),
        kind: Named(if imap.is_some() { MailboxKind::Imap } else { MailboxKind::Lmtp }),
        imap: imap.as_ref().map(Json::of).transpose()?,
        is_active: true,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
        smtp: None,
        dkim: None,
    };
    diesel::insert_into(mailboxes::table).values(&row).execute(&mut conn)?;
    Ok(())
}

/// Mails that are on the disk.
pub fn taken(conn: &mut Conn) -> Result<i64, Failure> {
    Ok(inbound_mails::table.count().get_result(conn)?)
}

/// Mails a second that are filed after a rush, while none come: none where all were filed at once.
pub fn filed(url: &str, spans: Spans) -> Result<Option<f64>, Failure> {
    let mut conn = Conn::open(url)?;
    let mut waiting = || -> Result<i64, Failure> {
        let waits = inbound_mails::state.eq(Named(InboundState::Waiting));
        Ok(inbound_mails::table.filter(waits).count().get_result(&mut conn)?)
    };
    let before = waiting()?;
    // The rush ebbs.
    wait_until(|| waiting().is_ok_and(|now| now < before || now == 0))?;
    let (from, before) = (Instant::now(), waiting()?);
    std::thread::sleep(spans.measure);
    let (after, took) = (waiting()?, from.elapsed());
    Ok((after > 0).then(|| (before - after) as f64 / took.as_secs_f64()))
}

/// Runs `work` on each of some threads until the time is over; how often it was done a second, without the warm-up. `work` says how
/// much it did.
fn rate<W: FnMut() -> Result<u64, Failure>>(
    spans: Spans,
    threads: u64,
    start: impl Fn(u64) -> Result<W, Failure> + Sync,
) -> Result<f64, Failure> {
    let from = Instant::now() + spans.warm_up;
    let to = from + spans.measure;
    let one = |thread: u64| -> Result<u64, String> {
        let mut work = start(thread).map_err(|error| error.to_string())?;
        let mut done = 0;
        loop {
            let now = work().map_err(|error| error.to_string())?;
            match Instant::now() {
                at if at >= to => return Ok(done),
                at if at >= from => done += now,
                _ => {}
            }
        }
    };
    let one = &one;
    let done = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || one(thread))).collect();
        running.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?).sum::<Result<u64, String>>()
    })?;
    Ok(done as f64 / spans.measure.as_secs_f64())
}

/// One connection of a mail server.
struct Talk(BufReader<TcpStream>);

impl Talk {
    fn to(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_nodelay(true)?;
        let mut talk = Self(BufReader::new(stream));
        talk.hear("220")?;
        talk.say(b"LHLO bench.example\r\n")?;
        talk.hear("250")?;
        Ok(talk)
    }

    fn say(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.0.get_mut().write_all(bytes)?)
    }

    fn hear(&mut self, code: &str) -> Result<(), Failure> {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line)?;
            if !line.starts_with(code) {
                return Err(format!("{line:?} instead of {code}").into());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }

    fn hand_over(&mut self, mail: &[u8]) -> Result<(), Failure> {
        self.say(format!("MAIL FROM:<ana@nordwind.example>\r\nRCPT TO:<{ADDRESS}>\r\nDATA\r\n").as_bytes())?;
        for code in ["250", "250", "354"] {
            self.hear(code)?;
        }
        self.say(&[mail, b".\r\n"].concat())?;
        self.hear("250")
    }
}

/// Mails a second that the desk has taken, durably.
pub fn by_lmtp(address: SocketAddr, spans: Spans) -> Result<f64, Failure> {
    rate(spans, CONNECTIONS, |thread| {
        let (mut talk, mut number) = (Talk::to(address)?, thread);
        Ok(move || {
            talk.hand_over(&mail(number))?;
            number += CONNECTIONS;
            Ok(1)
        })
    })
}

/// The floor: rows a second with the same bytes, as durable. On SQLite one writer puts many into a transaction, as the desk does.
pub fn floor(url: &str, dialect: Dialect, spans: Spans) -> Result<f64, Failure> {
    let (bytes, threads, together) = match dialect {
        Dialect::Sqlite => ("BLOB", 1, PER_TRANSACTION),
        Dialect::Postgres => ("BYTEA", CONNECTIONS, 1),
    };
    Conn::open(url)?.batch_execute(&format!("CREATE TABLE floor_raws (id BIGINT PRIMARY KEY, bytes {bytes} NOT NULL)"))?;
    let insert = match dialect {
        Dialect::Sqlite => "INSERT INTO floor_raws (id, bytes) VALUES (?, ?)",
        Dialect::Postgres => "INSERT INTO floor_raws (id, bytes) VALUES ($1, $2)",
    };
    rate(spans, threads, |thread| {
        let (mut conn, mut number) = (Conn::open(url)?, thread);
        Ok(move || {
            conn.transaction::<_, diesel::result::Error, _>(|conn| {
                for _ in 0..together {
                    let row = diesel::sql_query(insert).bind::<BigInt, _>(number as i64).bind::<Binary, _>(mail(number));
                    row.execute(conn)?;
                    number += threads;
                }
                Ok(())
            })?;
            Ok(together)
        })
    })
}

//! LMTP (RFC 2033): a mail server hands mails over, on a port or a unix socket; each recipient gets an answer of its own, and 250
//! only when the mail is on the disk.
use super::commands::{self, Arrived, Coming, Envelope};
use super::smtp_words::{Data as Bytes, Word, word};
use super::taking;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::MailboxId;
use actix_web::web::Data;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Bytes of a line at the most; RFC 5321 asks for 512 and leaves room for parameters.
const LINE_MAX: usize = 4_096;
/// Recipients of one mail at the most (RFC 5321, 4.5.3.1.8).
const RECIPIENTS_MAX: usize = 100;
/// Bytes that are read at once.
const BUFFER_BYTES: usize = 32 * 1024;
/// Commands that make no sense, until the connection is closed.
const WRONG_MAX: usize = 50;

/// Where mails are handed over.
pub enum Listener {
    /// A port.
    Tcp(TcpListener),
    /// A socket in the file system.
    Unix(UnixListener, PathBuf),
}

impl Listener {
    /// By the setting: `127.0.0.1:2424`, or `unix:/run/deskbell/lmtp`; none where it is empty. Must be called inside the runtime.
    pub async fn bind(setting: &str) -> io::Result<Option<Self>> {
        let Some(path) = setting.strip_prefix("unix:") else {
            return match setting {
                "" => Ok(None),
                address => Ok(Some(Self::Tcp(TcpListener::bind(address).await?))),
            };
        };
        let path = PathBuf::from(path);
        // A desk that was killed leaves its socket behind; one that runs answers on it.
        if path.exists() && UnixStream::connect(&path).await.is_err() {
            std::fs::remove_file(&path)?;
        }
        Ok(Some(Self::Unix(UnixListener::bind(&path)?, path)))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Takes mails until `stop` is told; a mail that is being handed over is taken to its end.
pub async fn run(app: Data<App>, listener: Listener, stop: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(app.config.inbound.lmtp_connections_max));
    // They end with this function, when every session has its answer.
    let mut storing = JoinSet::new();
    for _ in 0..taking::STORING {
        storing.spawn(taking::store_queued(app.clone()));
    }
    let mut sessions = JoinSet::new();
    let mut told = stop.clone();
    while !*told.borrow() {
        let accepted = tokio::select! {
            _ = told.changed() => break,
            Some(_) = sessions.join_next() => continue,
            accepted = accept(&listener) => accepted,
        };
        let (reader, writer) = match accepted {
            Ok(halves) => halves,
            Err(error) => {
                tracing::warn!(%error, "an LMTP connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (app, room, stop) = (app.clone(), room.clone(), stop.clone());
        sessions.spawn(async move {
            let turn = room.try_acquire();
            let session = Session {
                app: &app,
                reader: BufReader::with_capacity(BUFFER_BYTES, reader),
                writer: BufWriter::new(writer),
                patience: Duration::from_secs(app.config.inbound.lmtp_timeout_seconds),
                greeted: false,
                mail: None,
            };
            if let Err(error) = session.serve(turn.is_ok(), stop).await {
                tracing::debug!(%error, "an LMTP connection ended");
            }
        });
    }
    while sessions.join_next().await.is_some() {}
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

async fn accept(listener: &Listener) -> io::Result<(Reader, Writer)> {
    Ok(match listener {
        Listener::Tcp(listener) => {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (reader, writer) = stream.into_split();
            (Box::new(reader), Box::new(writer))
        }
        Listener::Unix(listener, _) => {
            let (reader, writer) = listener.accept().await?.0.into_split();
            (Box::new(reader), Box::new(writer))
        }
    })
}

/// A mail whose bytes have not come yet.
struct Pending {
    from: String,
    to: Vec<(MailboxId, String)>,
}

struct Session<'a> {
    app: &'a Data<App>,
    reader: BufReader<Reader>,
    writer: BufWriter<Writer>,
    patience: Duration,
    greeted: bool,
    mail: Option<Pending>,
}

/// What a line turned out to be.
enum Line {
    Whole(Vec<u8>),
    TooLong,
    /// The other side hung up.
    End,
}

fn late(_: tokio::time::error::Elapsed) -> io::Error {
    io::Error::from(io::ErrorKind::TimedOut)
}

impl Session<'_> {
    async fn serve(mut self, has_room: bool, mut stop: watch::Receiver<bool>) -> io::Result<()> {
        if !has_room {
            self.say("421 4.3.2 too many connections, come back later").await?;
            return self.flush().await;
        }
        self.say("220 Deskbell LMTP").await?;
        let mut wrong = 0;
        loop {
            // Commands may come in one go (RFC 2920): answers wait for the last of them.
            if self.reader.buffer().is_empty() {
                self.flush().await?;
            }
            let line = tokio::select! {
                biased;
                line = read_line(&mut self.reader, self.patience) => line,
                _ = stop.changed() => {
                    self.say("421 4.3.2 the desk is stopping, come back later").await?;
                    return self.flush().await;
                }
            };
            let word = match line {
                Ok(Line::Whole(line)) => match std::str::from_utf8(&line) {
                    Ok(line) => word(line),
                    Err(_) => Word::Unknown,
                },
                Ok(Line::TooLong) => Word::Wrong("500 5.5.2 the line is too long"),
                Ok(Line::End) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    self.say("421 4.4.2 nothing came for too long").await?;
                    return self.flush().await;
                }
                Err(error) => return Err(error),
            };
            if matches!(word, Word::Unknown | Word::Wrong(_)) {
                wrong += 1;
            }
            if wrong > WRONG_MAX {
                self.say("421 4.7.0 too many commands that make no sense").await?;
                return self.flush().await;
            }
            if word == Word::Quit {
                self.say("221 2.0.0 bye").await?;
                return self.flush().await;
            }
            self.answer(word).await?;
        }
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        timeout(self.patience, async {
            self.writer.write_all(line.as_bytes()).await?;
            self.writer.write_all(b"\r\n").await
        })
        .await
        .map_err(late)?
    }

    async fn flush(&mut self) -> io::Result<()> {
        timeout(self.patience, self.writer.flush()).await.map_err(late)?
    }

    async fn answer(&mut self, word: Word) -> io::Result<()> {
        match word {
            Word::Lhlo(_) => {
                (self.greeted, self.mail) = (true, None);
                for line in ["250-Deskbell", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES"] {
                    self.say(line).await?;
                }
                let size = format!("250 SIZE {}", self.app.config.inbound.size_max_bytes);
                self.say(&size).await
            }
            Word::Mail { from, size_bytes } => {
                let answer = if !self.greeted {
                    "503 5.5.1 say LHLO first"
                } else if self.mail.is_some() {
                    "503 5.5.1 a mail has begun already"
                } else if size_bytes.is_some_and(|size| size > self.app.config.inbound.size_max_bytes as u64) {
                    TOO_LARGE
                } else {
                    self.mail = Some(Pending { from, to: Vec::new() });
                    "250 2.1.0 ok"
                };
                self.say(answer).await
            }
            Word::Rcpt(to) => {
                let answer = self.rcpt(to).await;
                self.say(answer).await
            }
            Word::Data => match self.mail.take_if(|mail| !mail.to.is_empty()) {
                Some(mail) => self.data(mail).await,
                None => self.say("503 5.5.1 nobody would get it").await,
            },
            Word::Rset => {
                self.mail = None;
                self.say("250 2.0.0 ok").await
            }
            Word::Noop => self.say("250 2.0.0 ok").await,
            Word::Vrfy => self.say("252 2.5.2 send it and see").await,
            Word::Unknown => self.say("500 5.5.1 this command is not known here").await,
            Word::Wrong(answer) => self.say(answer).await,
            Word::Quit => Ok(()),
        }
    }

    async fn rcpt(&mut self, to: String) -> &'static str {
        let Some(mail) = &mut self.mail else { return "503 5.5.1 say MAIL first" };
        if mail.to.len() >= RECIPIENTS_MAX {
            return "452 4.5.3 too many recipients";
        }
        let asked = to.clone();
        match self.app.db.glance(move |conn| commands::mailbox_of(conn, &asked)).await {
            Ok(Some(mailbox)) => {
                mail.to.push((mailbox.id, to));
                "250 2.1.5 ok"
            }
            Ok(None) => "550 5.1.1 nobody of this address is here",
            Err(error) => not_now(&error),
        }
    }

    /// Reads the bytes of a mail, stores them, and answers once for each recipient.
    async fn data(&mut self, mail: Pending) -> io::Result<()> {
        self.say("354 go on; end with a dot on a line of its own").await?;
        self.flush().await?;
        let mut bytes = Bytes::new(self.app.config.inbound.size_max_bytes);
        loop {
            let piece = timeout(self.patience, self.reader.fill_buf()).await.map_err(late)??;
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let (end, length) = (bytes.take(piece), piece.len());
            self.reader.consume(end.unwrap_or(length));
            if end.is_some() {
                break;
            }
        }
        let count = mail.to.len();
        let answer = match bytes.whole() {
            Some(raw) => match take(self.app, mail, raw).await {
                Ok(()) => "250 2.0.0 it is on the disk",
                Err(error) => not_now(&error),
            },
            None => TOO_LARGE,
        };
        for _ in 0..count {
            self.say(answer).await?;
        }
        Ok(())
    }
}

const TOO_LARGE: &str = "552 5.3.4 the mail is too large";

fn not_now(error: &Error) -> &'static str {
    tracing::warn!(%error, "a mail could not be taken now");
    "451 4.3.0 the desk cannot take it now, come back later"
}

/// All recipients in one transaction: all of them get it, or none.
async fn take(app: &Data<App>, mail: Pending, raw: Vec<u8>) -> Result<()> {
    let arrived = Arc::new(Arrived::new(raw, app.clock.now()));
    let each = |(mailbox, to)| {
        let envelope = Envelope { from: Some(mail.from.clone()), to };
        Coming { mailbox, envelope, mail: arrived.clone() }
    };
    taking::take(app, mail.to.into_iter().map(each).collect()).await
}

/// A line without its end. May be dropped between two bytes and called again: what was read of a line is lost only with the
/// connection, which ends then.
async fn read_line(reader: &mut BufReader<Reader>, patience: Duration) -> io::Result<Line> {
    let (mut line, mut is_too_long) = (Vec::new(), false);
    loop {
        let piece = timeout(patience, reader.fill_buf()).await.map_err(late)??;
        if piece.is_empty() {
            return Ok(Line::End);
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(piece.len());
        if line.len() + taken > LINE_MAX {
            is_too_long = true;
            line.clear();
        } else if !is_too_long {
            line.extend_from_slice(piece.get(..taken).unwrap_or_default());
        }
        reader.consume(end.map_or(taken, |end| end + 1));
        if end.is_some() {
            return Ok(if is_too_long { Line::TooLong } else { Line::Whole(line) });
        }
    }
}

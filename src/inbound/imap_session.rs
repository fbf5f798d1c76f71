//! One connection to an IMAP server: log in, search, fetch, mark or move, wait. Every answer has to come in time.
use super::mailboxes::{Imap, ImapTls};
use crate::error::{Error, Result};
use async_imap::extensions::idle::IdleResponse;
use async_imap::{Client, Session};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// IDLE is begun anew so often: a server may hang up after 29 minutes of it (RFC 2177).
const IDLE_WITHIN: Duration = Duration::from_secs(9 * 60);

trait Stream: AsyncRead + AsyncWrite + Unpin + Debug + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Debug + Send> Stream for T {}

/// Which mails of a folder are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mails {
    /// Those with higher numbers than this.
    After(u32),
    /// Those that came on this day or later.
    Since(NaiveDate),
    /// Those that nobody has read.
    Unseen,
}

impl Mails {
    fn query(&self) -> String {
        match self {
            Self::After(uid) => format!("UID {}:*", u64::from(*uid) + 1),
            Self::Since(on) => format!("SINCE {}", on.format("%d-%b-%Y")),
            Self::Unseen => "UNSEEN".to_owned(),
        }
    }
}

/// How large a mail is, and when the server got it.
pub struct Size {
    /// In bytes.
    pub bytes: u64,
    /// INTERNALDATE.
    pub received_at: Option<DateTime<Utc>>,
}

/// What the server can do beyond IMAP4rev1.
#[derive(Clone, Copy)]
struct Skills {
    idle: bool,
    moving: bool,
    uidplus: bool,
}

/// A connection with its folder opened.
pub struct Server {
    session: Session<Box<dyn Stream>>,
    skills: Skills,
    validity: i64,
    patience: Duration,
}

fn away(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(format!("IMAP: {error}"))
}

fn joined(uids: &[u32]) -> String {
    uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

async fn within<T, E: std::fmt::Display>(patience: Duration, work: impl Future<Output = Result<T, E>>) -> Result<T> {
    match tokio::time::timeout(patience, work).await {
        Ok(done) => done.map_err(away),
        Err(_) => Err(away("the server did not answer in time")),
    }
}

fn connector(ca_file: &Path) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if !ca_file.as_os_str().is_empty() {
        let wrong = |error: &dyn std::fmt::Display| Error::internal(format!("inbound.imap_ca_file: {error}"));
        for certificate in CertificateDer::pem_file_iter(ca_file).map_err(|error| wrong(&error))? {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn greeting<T: AsyncRead + AsyncWrite + Unpin + Debug + Send>(client: &mut Client<T>) -> Result<()> {
    match client.read_response().await.map_err(away)? {
        Some(_) => Ok(()),
        None => Err(away("the server hung up")),
    }
}

/// A connection on which nobody has logged in yet.
async fn open(imap: &Imap, ca_file: &Path) -> Result<Client<Box<dyn Stream>>> {
    let tcp = TcpStream::connect((imap.host.as_str(), imap.port)).await.map_err(away)?;
    tcp.set_nodelay(true).map_err(away)?;
    let name = ServerName::try_from(imap.host.clone()).map_err(away);
    match imap.tls {
        ImapTls::None => {
            let mut client = Client::new(Box::new(tcp) as Box<dyn Stream>);
            greeting(&mut client).await?;
            Ok(client)
        }
        ImapTls::Tls => {
            let tls = connector(ca_file)?.connect(name?, tcp).await.map_err(away)?;
            let mut client = Client::new(Box::new(tls) as Box<dyn Stream>);
            greeting(&mut client).await?;
            Ok(client)
        }
        ImapTls::Starttls => {
            let mut plain = Client::new(tcp);
            greeting(&mut plain).await?;
            plain.run_command_and_check_ok("STARTTLS", None).await.map_err(away)?;
            let tls = connector(ca_file)?.connect(name?, plain.into_inner()).await.map_err(away)?;
            Ok(Client::new(Box::new(tls) as Box<dyn Stream>))
        }
    }
}

impl Server {
    /// Connects, logs in and opens the folder.
    pub async fn connect(imap: &Imap, timeout_seconds: u64, ca_file: &Path) -> Result<Self> {
        let patience = Duration::from_secs(timeout_seconds);
        within(patience, async {
            let client = open(imap, ca_file).await?;
            let mut session = client.login(&imap.user, &imap.password).await.map_err(|(error, _)| away(error))?;
            let can = session.capabilities().await.map_err(away)?;
            let skills = Skills { idle: can.has_str("IDLE"), moving: can.has_str("MOVE"), uidplus: can.has_str("UIDPLUS") };
            let folder = session.select(&imap.folder).await.map_err(away)?;
            let validity = i64::from(folder.uid_validity.ok_or_else(|| away("the server numbers no mails"))?);
            Ok::<_, Error>(Self { session, skills, validity, patience })
        })
        .await
    }

    /// UIDVALIDITY: where it changes, all mails have new numbers.
    pub fn validity(&self) -> i64 {
        self.validity
    }

    /// Numbers of the mails that are wanted, in no order.
    pub async fn search(&mut self, wanted: &Mails) -> Result<Vec<u32>> {
        let found = within(self.patience, self.session.uid_search(wanted.query())).await?;
        // `n:*` names the last mail also where its number is lower than n.
        let is_wanted = |uid: &u32| !matches!(wanted, Mails::After(known) if uid <= known);
        Ok(found.into_iter().filter(is_wanted).collect())
    }

    /// Those of some mails that are there, in the order of the server.
    async fn fetch<T>(
        &mut self,
        uids: &[u32],
        what: &str,
        read: impl Fn(&async_imap::types::Fetch) -> Option<T>,
    ) -> Result<Vec<(u32, T)>> {
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let session = &mut self.session;
        within(self.patience, async {
            let mut answers = session.uid_fetch(joined(uids), what).await?;
            let mut found = Vec::with_capacity(uids.len());
            while let Some(answer) = answers.try_next().await? {
                // A server may tell of other mails at any time.
                if let Some(uid) = answer.uid.filter(|uid| uids.contains(uid))
                    && let Some(value) = read(&answer)
                {
                    found.push((uid, value));
                }
            }
            Ok::<_, async_imap::error::Error>(found)
        })
        .await
    }

    /// How large some mails are, and when they came.
    pub async fn sizes(&mut self, uids: &[u32]) -> Result<Vec<(u32, Size)>> {
        self.fetch(uids, "(UID RFC822.SIZE INTERNALDATE)", |answer| {
            let received_at = answer.internal_date().map(|at| at.to_utc());
            answer.size.map(|bytes| Size { bytes: u64::from(bytes), received_at })
        })
        .await
    }

    /// The bytes of mails; they do not count as read by that.
    pub async fn whole(&mut self, uids: &[u32]) -> Result<Vec<(u32, Vec<u8>)>> {
        self.fetch(uids, "(UID BODY.PEEK[])", |answer| answer.body().map(<[u8]>::to_vec)).await
    }

    /// Their headers alone.
    pub async fn headers(&mut self, uids: &[u32]) -> Result<Vec<(u32, Vec<u8>)>> {
        self.fetch(uids, "(UID BODY.PEEK[HEADER])", |answer| answer.header().map(<[u8]>::to_vec)).await
    }

    async fn mark(&mut self, uids: &str, flag: &str) -> Result<()> {
        let session = &mut self.session;
        within(self.patience, async {
            let mut answers = session.uid_store(uids, format!("+FLAGS.SILENT ({flag})")).await?;
            while answers.try_next().await?.is_some() {}
            Ok::<_, async_imap::error::Error>(())
        })
        .await
    }

    /// These mails are on our disk: they are moved, or marked as seen.
    pub async fn done(&mut self, uids: &[u32], folder: Option<&str>) -> Result<()> {
        if uids.is_empty() {
            return Ok(());
        }
        let uids = joined(uids);
        let Some(folder) = folder else { return self.mark(&uids, "\\Seen").await };
        if self.skills.moving {
            return within(self.patience, self.session.uid_mv(&uids, folder)).await;
        }
        within(self.patience, self.session.uid_copy(&uids, folder)).await?;
        self.mark(&uids, "\\Deleted").await?;
        if self.skills.uidplus {
            let session = &mut self.session;
            within(self.patience, async {
                let gone = session.uid_expunge(&uids).await?;
                let _: Vec<u32> = gone.try_collect().await?;
                Ok::<_, async_imap::error::Error>(())
            })
            .await?;
        }
        Ok(())
    }

    /// Waits until the server tells of something, `poll` is over where it tells nothing by itself, or `interrupted` ends, whose
    /// end comes back.
    pub async fn wait(self, poll: Duration, interrupted: impl Future<Output = Result<()>>) -> Result<(Self, Result<()>)> {
        let Self { mut session, skills, validity, patience } = self;
        if !skills.idle {
            let ended = tokio::select! {
                () = tokio::time::sleep(poll) => Ok(()),
                ended = interrupted => ended,
            };
            within(patience, session.noop()).await?;
            return Ok((Self { session, skills, validity, patience }, ended));
        }
        let mut idle = session.idle();
        within(patience, idle.init()).await?;
        let ended = {
            let (told, _interrupt) = idle.wait_with_timeout(IDLE_WITHIN);
            tokio::select! {
                told = told => match told.map_err(away)? {
                    IdleResponse::NewData(_) | IdleResponse::Timeout | IdleResponse::ManualInterrupt => Ok(()),
                },
                ended = interrupted => ended,
            }
        };
        let session = within(patience, idle.done()).await?;
        Ok((Self { session, skills, validity, patience }, ended))
    }

    /// Says good-bye; nobody minds where that fails.
    pub async fn bye(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(2), self.session.logout()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_asks_for_what_is_wanted() {
        let on = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap_or_default();
        for (mails, query) in [(Mails::After(7), "UID 8:*"), (Mails::Since(on), "SINCE 01-Jun-2026"), (Mails::Unseen, "UNSEEN")] {
            assert_eq!(mails.query(), query);
        }
    }
}

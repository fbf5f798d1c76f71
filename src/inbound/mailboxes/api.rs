//! `/mailboxes`: the addresses that people write to.
use super::store::{self, Imap, ImapTls, MailboxKind, MailboxRow, WatchRow};
use super::wire_sending::{DkimIn, DkimOut, SmtpIn, SmtpOut, kept_dkim, kept_smtp};
use crate::accounts::contacts::model::normal_email;
use crate::accounts::contacts::wire::EmailAddress;
use crate::app::App;
use crate::audit;
use crate::db::types::{Json, Named, Time};
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::http::patch::{Patch, not_null};
use crate::ids::{MailboxId, TeamId};
use crate::seen::Seen;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// Where mails are fetched from.
#[derive(Debug, Clone, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImapIn {
    /// The server.
    #[validate(length(min = 1, max = 253), custom(function = "plain"))]
    #[schema(min_length = 1, max_length = 253, pattern = "^[!-~]+$", examples("imap.example.com"))]
    host: String,
    /// Its port: 993 for `tls`, 143 for the others, as a rule.
    #[validate(range(min = 1))]
    #[schema(minimum = 1, maximum = 65535)]
    port: u16,
    /// How the connection is protected.
    #[serde(default = "tls")]
    tls: ImapTls,
    /// Who logs in.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    user: String,
    /// With this password, which is never shown again. In a PATCH the old one stays where it is left out.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    password: Option<String>,
    /// The folder that is fetched from.
    #[serde(default = "inbox")]
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    folder: String,
    /// The folder that a mail is moved to when it was taken. Without one it is marked as seen and stays.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    done_folder: Option<String>,
}

pub(super) fn plain(text: &str) -> Result<(), ValidationError> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(()) } else { Err(ValidationError::new("host")) }
}

fn tls() -> ImapTls {
    ImapTls::Tls
}

fn inbox() -> String {
    "INBOX".to_owned()
}

fn yes() -> bool {
    true
}

/// A mailbox to make.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailboxIn {
    /// The address; mails to it with a `+` part belong to it too. It has no `+` part itself.
    #[validate(length(max = 254))]
    #[schema(value_type = EmailAddress)]
    address: String,
    /// The team that its tickets go to.
    team_id: Option<TeamId>,
    /// The name that answers from it carry; the desk's own where it is left out.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    from_name: String,
    /// The way in that its mails take.
    kind: MailboxKind,
    /// Needed where `kind` is `imap`, and refused elsewhere.
    #[validate(nested)]
    imap: Option<ImapIn>,
    /// The server that takes its letters; the desk's own where it is left out.
    smtp: Option<SmtpIn>,
    /// In whose name its letters are signed; the desk's own where it is left out.
    dkim: Option<DkimIn>,
    /// Whether mails are taken.
    #[serde(default = "yes")]
    active: bool,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailboxPatch {
    /// The team that its tickets go to; null for none.
    #[serde(default)]
    #[schema(value_type = Option<TeamId>)]
    team_id: Patch<TeamId>,
    /// The name that answers from it carry.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 200))]
    #[schema(max_length = 200, nullable = false)]
    from_name: Option<String>,
    /// All settings of IMAP anew, but for a password that is left out.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    imap: Option<ImapIn>,
    /// All settings of SMTP anew, but for a password that is left out; null for the desk's own.
    #[serde(default)]
    #[schema(value_type = Option<SmtpIn>)]
    smtp: Patch<SmtpIn>,
    /// In whose name its letters are signed; null for the desk's own.
    #[serde(default)]
    #[schema(value_type = Option<DkimIn>)]
    dkim: Patch<DkimIn>,
    /// Whether mails are taken.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    active: Option<bool>,
}

/// Where mails are fetched from; the password is not shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImapOut {
    host: String,
    port: u16,
    tls: ImapTls,
    user: String,
    folder: String,
    done_folder: Option<String>,
    /// When the desk last looked at it without trouble.
    looked_at: Option<DateTime<Utc>>,
    /// Since when every look fails; null while it works.
    failing_since: Option<DateTime<Utc>>,
    /// What went wrong last.
    last_error: Option<String>,
}

/// A mailbox.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MailboxOut {
    id: MailboxId,
    address: String,
    team_id: Option<TeamId>,
    from_name: String,
    kind: MailboxKind,
    imap: Option<ImapOut>,
    smtp: Option<SmtpOut>,
    dkim: Option<DkimOut>,
    active: bool,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl MailboxOut {
    fn of(row: MailboxRow, watch: Option<WatchRow>) -> Result<Self> {
        let imap = row.imap()?.map(|imap| {
            let Imap { host, port, tls, user, password: _, folder, done_folder } = imap;
            let (looked_at, failing_since, last_error) =
                watch.map_or((None, None, None), |watch| (watch.looked_at, watch.failing_since, watch.last_error));
            let time = |at: Option<Time>| at.map(|at| at.0);
            let (looked_at, failing_since) = (time(looked_at), time(failing_since));
            ImapOut { host, port, tls, user, folder, done_folder, looked_at, failing_since, last_error }
        });
        let (smtp, dkim) = (row.smtp()?.map(SmtpOut::from), row.dkim()?.map(DkimOut::from));
        let MailboxRow {
            id,
            address,
            team_id,
            from_name,
            kind,
            imap: _,
            is_active,
            version,
            created_at,
            updated_at,
            smtp: _,
            dkim: _,
        } = row;
        let (kind, active) = (kind.0, is_active);
        let (created_at, updated_at) = (created_at.0, updated_at.0);
        Ok(Self { id, address, team_id, from_name, kind, imap, smtp, dkim, active, version, created_at, updated_at })
    }
}

/// The settings as they are kept; `old` gives the password that is left out.
fn kept(imap: Option<ImapIn>, kind: MailboxKind, old: Option<Imap>) -> Result<Option<Json>> {
    match (kind, imap) {
        (MailboxKind::Lmtp, None) => Ok(None),
        (MailboxKind::Lmtp, Some(_)) => Err(Error::field("imap", "not_imap", "is for mailboxes of the kind imap alone")),
        (MailboxKind::Imap, None) => Err(Error::field("imap", "missing", "a mailbox of the kind imap needs it")),
        (MailboxKind::Imap, Some(imap)) => {
            let ImapIn { host, port, tls, user, password, folder, done_folder } = imap;
            let missing = || Error::field("imap.password", "missing", "must be given");
            let password = password.or(old.map(|old| old.password)).ok_or_else(missing)?;
            let texts = [&user, &password, &folder, done_folder.as_ref().unwrap_or(&folder)];
            if texts.iter().any(|text| text.contains(|c: char| c.is_control())) {
                return Err(Error::field("imap", "control_character", "must not contain control characters"));
            }
            if done_folder.as_ref() == Some(&folder) {
                return Err(Error::field("imap.done_folder", "same_folder", "must not be the folder that is fetched from"));
            }
            Ok(Some(Json::of(&Imap { host, port, tls, user, password, folder, done_folder })?))
        }
    }
}

/// Make a mailbox.
#[utoipa::path(post, path = "/api/v1/mailboxes", tag = "mail", request_body = MailboxIn,
    responses((status = 201, description = "Made", body = MailboxOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<MailboxIn>) -> Result<HttpResponse> {
    let MailboxIn { address, team_id, from_name, kind, imap, smtp, dkim, active } = post.body;
    let address = normal_email(&address).ok_or_else(|| Error::field("address", "email", "is not an e-mail address"))?;
    if address.split('@').next().is_some_and(|local| local.contains('+')) {
        return Err(Error::field("address", "plus", "must have no + part"));
    }
    let dkim = kept_dkim(dkim, &address, &app.config.mail)?;
    let row = MailboxRow {
        id: MailboxId::new(),
        address,
        team_id,
        from_name,
        kind: Named(kind),
        imap: kept(imap, kind, None)?,
        is_active: active,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
        smtp: kept_smtp(smtp, None)?,
        dkim,
    };
    post.once
        .run(&app, now, move |conn| {
            store::insert(conn, &row)?;
            let made = MailboxOut::of(row, None)?;
            audit::created(conn, who.0.actor(), ("mailbox", made.id.0), &made, now)?;
            Ok(Answer::created(format!("/api/v1/mailboxes/{}", made.id), &made)?.version(made.version))
        })
        .await
}

/// List mailboxes, oldest first.
#[utoipa::path(get, path = "/api/v1/mailboxes", tag = "mail", params(PageParams),
    responses((status = 200, description = "A page", body = Page<MailboxOut>)))]
pub async fn list(app: Data<App>, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, after, i64::from(limit) + 1)).await?;
    let mailboxes = rows.into_iter().map(|(row, watch)| MailboxOut::of(row, watch)).collect::<Result<Vec<_>>>()?;
    Ok(Page::of(mailboxes, limit, |mailbox| mailbox.id)?.respond(&request))
}

/// One mailbox.
#[utoipa::path(get, path = "/api/v1/mailboxes/{id}", tag = "mail", params(("id" = MailboxId, Path)),
    responses((status = 200, description = "The mailbox", body = MailboxOut)))]
pub async fn get(app: Data<App>, id: Id<MailboxId>) -> Result<HttpResponse> {
    let (row, watch) = app.db.read(move |conn| store::find(conn, id.0)).await?;
    let mailbox = MailboxOut::of(row, watch)?;
    Ok(Answer::ok(&mailbox)?.version(mailbox.version).into())
}

/// Change a mailbox. Its address and kind stay; one that is no longer wanted is switched off.
#[utoipa::path(patch, path = "/api/v1/mailboxes/{id}", tag = "mail", request_body = MailboxPatch,
    params(("id" = MailboxId, Path)), responses((status = 200, description = "As it is now", body = MailboxOut)))]
pub async fn change(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<MailboxId>,
    seen: Seen,
    body: Body<MailboxPatch>,
) -> Result<HttpResponse> {
    let MailboxPatch { team_id, from_name, imap, smtp, dkim, active } = body.0;
    let settings = app.config.mail.clone();
    let mailbox = app
        .db
        .write(move |conn| {
            let (before, after) = store::update(conn, id.0, seen, now, |row| {
                team_id.apply(&mut row.team_id);
                row.from_name = from_name.unwrap_or(std::mem::take(&mut row.from_name));
                if imap.is_some() {
                    row.imap = kept(imap, row.kind.0, row.imap()?)?;
                }
                row.smtp = match smtp {
                    Patch::Keep => row.smtp.take(),
                    Patch::Clear => None,
                    Patch::Set(smtp) => kept_smtp(Some(smtp), row.smtp()?)?,
                };
                row.dkim = match dkim {
                    Patch::Keep => row.dkim.take(),
                    Patch::Clear => None,
                    Patch::Set(dkim) => kept_dkim(Some(dkim), &row.address, &settings)?,
                };
                row.is_active = active.unwrap_or(row.is_active);
                Ok(())
            })?;
            let (before, after) = (MailboxOut::of(before, None)?, MailboxOut::of(after, None)?);
            audit::changed(conn, who.0.actor(), ("mailbox", id.0.0), (&before, &after), now)?;
            Ok(after)
        })
        .await?;
    Ok(Answer::ok(&mailbox)?.version(mailbox.version).into())
}

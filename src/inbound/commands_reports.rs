//! What follows from a report about a letter of ours (RFC 3464), or from its refusal.
use super::commands_filing::{Became, clean};
use super::model::{Consequence, Parsed, Recipient};
use super::queries::{self, Sent};
use super::route::{HoldReason, Letter};
use super::wire::BounceOut;
use crate::accounts::contacts::model::normal_email;
use crate::config::Config;
use crate::db::{Conn, types::Json};
use crate::error::Result;
use crate::ids::{InvitationId, MailId, MessageId};
use crate::mail::{MailKind, notices, outbox};
use crate::surveys::{self, suppressions};
use crate::tickets::commands_mail;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// Characters of what a mail server said.
const DETAIL_MAX: usize = 1_000;

/// A mail server reports of a letter of ours. A late one is still on its way. Whoever saw a letter can write a report about it:
/// what no signed address proves is shown, closes no address, and gives no letter up.
pub(super) fn came_back(
    conn: &mut Conn,
    config: &Config,
    sent: &Sent,
    letter: Letter,
    parsed: &Parsed,
    now: DateTime<Utc>,
) -> Result<Became> {
    let recipients = parsed.bounce.iter().flat_map(|bounce| &bounce.recipients);
    let worst = recipients.min_by_key(|recipient| match recipient.consequence() {
        Consequence::SuppressAddress => 0,
        Consequence::FailLetter => 1,
        Consequence::Count => 2,
        Consequence::Nothing => 3,
    });
    let Some(worst) = worst else { return Ok(Became::Held(HoldReason::ForeignReport.as_str())) };
    if worst.consequence() == Consequence::Nothing {
        return Ok(Became::Nothing("delivery_report", sent.ticket_id));
    }
    follow(conn, config, (sent, letter.is_proven), worst, now)?;
    // Where a copy came back, the letter itself did not.
    let is_whole = sent.about(&worst.final_recipient) == sent.recipient;
    if letter.is_proven && is_whole && worst.consequence() != Consequence::Count {
        outbox::came_back(conn, sent.id, &said(worst))?;
        if sent.kind.0 == MailKind::Survey {
            surveys::commands::came_back(conn, sent.subject_id.0, now)?;
        }
    }
    Ok(Became::Nothing("bounce", sent.ticket_id))
}

/// A mail server refused a letter of ours at once, which is as good as a report that nobody can forge.
pub fn refused(conn: &mut Conn, config: &Config, mail: MailId, report: &Recipient, now: DateTime<Utc>) -> Result<()> {
    match queries::letter(conn, mail.0)? {
        Some(sent) => follow(conn, config, (&sent, true), report, now),
        None => Ok(()),
    }
}

fn detail(report: &Recipient) -> String {
    clean(&crate::mail::one_line(report.diagnostic.as_deref().unwrap_or_default()), DETAIL_MAX)
}

fn said(report: &Recipient) -> String {
    format!("{} {}", report.status_text(), detail(report)).trim().to_owned()
}

/// What follows from a letter that did not arrive, however the desk heard of it: 5.1.x closes the address to surveys, any other 5.x
/// is told to the admins, and the ticket shows it beside the message.
fn follow(
    conn: &mut Conn,
    config: &Config,
    (sent, is_proven): (&Sent, bool),
    report: &Recipient,
    now: DateTime<Utc>,
) -> Result<()> {
    let (consequence, about) = (report.consequence(), sent.about(&report.final_recipient));
    match consequence {
        Consequence::SuppressAddress if is_proven => {
            let address = normal_email(&about).unwrap_or_else(|| about.clone());
            let invitation = (sent.kind.0 == MailKind::Survey).then_some(InvitationId(sent.subject_id.0));
            if let Some(made) = suppressions::suppress(conn, address, said(report), invitation, now)? {
                let data = json!({ "suppression_id": made.id });
                timeline::record(conn, sent.ticket_id, Kind::AddressBounced, Actor::Desk, now, data)?;
            }
        }
        Consequence::FailLetter if is_proven && matches!(sent.kind.0, MailKind::Reply | MailKind::Survey) => {
            notices::undelivered(conn, config, (sent.ticket_id, &about, &said(report)), now)?;
        }
        _ => {}
    }
    let is_permanent = consequence != Consequence::Count;
    let (status, detail) = (report.status_text(), detail(report));
    let bounce = BounceOut { address: about, is_permanent, status, detail, reported_at: now };
    let bounce = Json::of(&bounce)?.0;
    match sent.kind.0 {
        MailKind::Reply => commands_mail::bounced(conn, MessageId(sent.subject_id.0), bounce, now).map(|_| ()),
        MailKind::Survey => timeline::record(conn, sent.ticket_id, Kind::MailBounced, Actor::Desk, now, bounce),
        MailKind::Acknowledgement | MailKind::Notice => Ok(()),
    }
}

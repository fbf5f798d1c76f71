//! What follows from a report about a letter of ours (RFC 3464).
use super::commands_filing::{Became, clean};
use super::model::{Consequence, Parsed};
use super::queries::Sent;
use super::route::{HoldReason, Letter};
use super::wire::BounceOut;
use crate::accounts::contacts::model::normal_email;
use crate::db::{Conn, types::Json};
use crate::error::Result;
use crate::ids::MessageId;
use crate::mail::MailKind;
use crate::surveys::{self, suppressions};
use crate::tickets::commands_mail;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// Characters of what a mail server said.
const DETAIL_MAX: usize = 1_000;

/// A mail server reports of a letter of ours. A late one is still on its way. Whoever saw a letter can write a report about it:
/// what no signed address proves is shown, and closes no address.
pub(super) fn came_back(conn: &mut Conn, sent: &Sent, letter: Letter, parsed: &Parsed, now: DateTime<Utc>) -> Result<Became> {
    let recipients = parsed.bounce.iter().flat_map(|bounce| &bounce.recipients);
    let worst = recipients.min_by_key(|recipient| match recipient.consequence() {
        Consequence::SuppressAddress => 0,
        Consequence::FailLetter => 1,
        Consequence::Count => 2,
        Consequence::Nothing => 3,
    });
    let Some(worst) = worst else { return Ok(Became::Held(HoldReason::ForeignReport.as_str())) };
    let consequence = worst.consequence();
    if consequence == Consequence::Nothing {
        return Ok(Became::Nothing("delivery_report", sent.ticket_id));
    }
    let detail = clean(&crate::mail::one_line(worst.diagnostic.as_deref().unwrap_or_default()), DETAIL_MAX);
    let status = worst.status_text();
    if consequence == Consequence::SuppressAddress && letter.is_proven {
        let said = format!("{status} {detail}").trim().to_owned();
        let address = normal_email(&sent.recipient).unwrap_or_else(|| sent.recipient.clone());
        if let Some(made) = suppressions::suppress(conn, address, said, None, now)? {
            let data = json!({ "suppression_id": made.id });
            timeline::record(conn, sent.ticket_id, Kind::AddressBounced, Actor::Desk, now, data)?;
        }
    }
    let is_permanent = consequence != Consequence::Count;
    let bounce = BounceOut { address: sent.recipient.clone(), is_permanent, status, detail, reported_at: now };
    let bounce = Json::of(&bounce)?.0;
    match sent.kind.0 {
        MailKind::Reply => {
            commands_mail::bounced(conn, MessageId(sent.subject_id.0), bounce, now)?;
        }
        MailKind::Survey => {
            if is_permanent && letter.is_proven {
                surveys::commands::came_back(conn, sent.subject_id.0, now)?;
            }
            timeline::record(conn, sent.ticket_id, Kind::MailBounced, Actor::Desk, now, bounce)?;
        }
    }
    Ok(Became::Nothing("bounce", sent.ticket_id))
}

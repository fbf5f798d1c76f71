//! Reports about delivery (RFC 3464, RFC 6533), read by the letter: what is not one is not guessed at. Pure.
use super::head::{Header, Of, read as read_header};
use super::mime::Part;
use super::model::{Action, Bounce, Defect, Defects, Recipient};
use super::people::{address, ids};
use super::words::{decoded, one_line};

/// Recipients of one report that are read.
const RECIPIENTS_MAX: usize = 1_000;
/// A diagnostic past this is cut.
const DIAGNOSTIC_MAX_CHARS: usize = 1_000;
/// Bytes of the returned letter that are looked at for its Message-ID.
const RETURNED_MAX_BYTES: usize = 64 * 1024;

/// The report in a mail, if it is one.
pub(super) fn read(root: &Part<'_>, defects: &mut Defects) -> Option<Bounce> {
    let is_delivery = root.parameter("report-type").is_some_and(|kind| kind.eq_ignore_ascii_case("delivery-status"));
    if root.media_type != "multipart/report" || !is_delivery {
        return None;
    }
    let bounce = report(root, defects);
    if bounce.is_none() {
        defects.note(Defect::BrokenReport);
    }
    bounce
}

fn report(root: &Part<'_>, defects: &mut Defects) -> Option<Bounce> {
    let is_status =
        |part: &&Part<'_>| matches!(part.media_type.as_str(), "message/delivery-status" | "message/global-delivery-status");
    let status = root.children.iter().find(is_status)?;
    let body = status.decoded(defects).into_owned();
    let mut groups = groups(&body);
    let of_the_letter = groups.next()?;
    let recipients: Option<Vec<Recipient>> = groups.take(RECIPIENTS_MAX).map(|group| recipient(&group, defects)).collect();
    let recipients = recipients.filter(|recipients| !recipients.is_empty())?;
    let reporter = of_the_letter.first("reporting-mta")?;
    Some(Bounce {
        recipients,
        message_id: returned(root, defects),
        envelope_id: of_the_letter.first("original-envelope-id").map(one_line).filter(|id| !id.is_empty()),
        reporter: Some(typed(reporter).1),
    })
}

/// Groups of fields, parted by blank lines.
fn groups(body: &[u8]) -> impl Iterator<Item = Header> + '_ {
    let mut rest = body;
    std::iter::from_fn(move || {
        while let Some(after) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
            rest = after;
        }
        if rest.trim_ascii().is_empty() {
            return None;
        }
        let before = rest.len();
        // What is wrong in here is told by the report not being one.
        let (header, after) = read_header(rest, Of::Mail, &mut Defects::default());
        rest = after;
        (rest.len() < before && !header.is_empty()).then_some(header)
    })
}

/// `type; value` of a field.
fn typed(field: &str) -> (String, String) {
    let (kind, value) = field.split_once(';').unwrap_or(("", field));
    (kind.trim().to_ascii_lowercase(), one_line(value))
}

fn mail_address(field: &str) -> Option<String> {
    let (kind, value) = typed(field);
    let value = value.trim_matches(['<', '>', ' ']);
    matches!(kind.as_str(), "rfc822" | "utf-8").then(|| address(value)).flatten()
}

fn recipient(group: &Header, defects: &mut Defects) -> Option<Recipient> {
    let action = group.first("action")?.split([' ', '(']).next().unwrap_or_default().to_ascii_lowercase();
    Some(Recipient {
        final_recipient: mail_address(group.first("final-recipient")?)?,
        original_recipient: group.first("original-recipient").and_then(mail_address),
        action: action.parse().ok()?,
        status: status(group.first("status")?)?,
        diagnostic: group.first("diagnostic-code").map(|field| diagnostic(field, defects)).filter(|text| !text.is_empty()),
    })
    .filter(is_consistent)
}

/// A status of success cannot be a failure, nor the other way around.
fn is_consistent(recipient: &Recipient) -> bool {
    match recipient.action {
        Action::Failed => matches!(recipient.status.0, 4 | 5),
        Action::Delayed => recipient.status.0 == 4,
        Action::Delivered | Action::Relayed | Action::Expanded => recipient.status.0 == 2,
    }
}

fn diagnostic(field: &str, defects: &mut Defects) -> String {
    decoded(&typed(field).1, defects).chars().take(DIAGNOSTIC_MAX_CHARS).collect()
}

/// `5.1.1`, perhaps with a comment behind.
fn status(field: &str) -> Option<(u16, u16, u16)> {
    let code = field.split([' ', '(']).next()?;
    let mut numbers = code.split('.').map(|number| (number.len() <= 3).then(|| number.parse::<u16>().ok()).flatten());
    let status = (numbers.next()??, numbers.next()??, numbers.next()??);
    (numbers.next().is_none() && matches!(status.0, 2 | 4 | 5)).then_some(status)
}

/// Message-ID of the letter that came back, or of its header.
fn returned(root: &Part<'_>, defects: &mut Defects) -> Option<String> {
    let kinds = ["message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"];
    let part = root.children.iter().find(|part| kinds.contains(&part.media_type.as_str()))?;
    let bytes = part.decoded(defects);
    let (header, _) =
        read_header(bytes.get(..bytes.len().min(RETURNED_MAX_BYTES)).unwrap_or_default(), Of::Mail, &mut Defects::default());
    ids(&header, "message-id").into_iter().next()
}

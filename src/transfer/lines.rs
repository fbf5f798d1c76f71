//! The rows of files, as they are read and written. Pure.
use crate::error::FieldError;
use crate::tickets::model::{Channel, Direction, Priority, Status};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// Entries of one ticket's history at the most.
const HISTORY_MAX: u64 = 5_000;
/// Longest text of a message, in characters.
const BODY_MAX: u64 = 100_000;

fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

fn is_false(value: &bool) -> bool {
    !value
}

/// An organization.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct OrganizationLine {
    #[validate(length(min = 1, max = 200))]
    pub external_id: String,
    #[validate(length(min = 1, max = 200))]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 100))]
    pub account: Option<String>,
}

/// A contact.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ContactLine {
    #[validate(length(min = 1, max = 200))]
    pub external_id: String,
    /// External id of an organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[validate(length(min = 1, max = 200))]
    pub name: String,
    #[serde(default, skip_serializing_if = "is_empty")]
    #[validate(length(max = 10))]
    pub emails: Vec<String>,
    #[serde(default, skip_serializing_if = "is_empty")]
    #[validate(length(max = 10))]
    pub phones: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Tz>,
    #[serde(default = "english")]
    #[validate(length(min = 2, max = 35), custom(function = "language_tag"))]
    pub language: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub surveys_stopped: bool,
}

fn english() -> String {
    "en".to_owned()
}

fn language_tag(tag: &str) -> Result<(), ValidationError> {
    if tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Ok(());
    }
    Err(ValidationError::new("language").with_message("may hold only letters a to z, digits and hyphens".into()))
}

names! {
    /// What happened to a ticket.
    pub enum What {
        /// The contact wrote; a closed ticket is open again.
        ContactWrote = "contact_wrote",
        /// An agent replied in public.
        Replied = "replied",
        /// An agent wrote a note.
        Noted = "noted",
        /// An agent picked the call or chat up.
        PickedUp = "picked_up",
        /// An agent set a status other than closed.
        StatusSet = "status_set",
        /// An agent closed it.
        Closed = "closed",
        /// An agent opened it again.
        Reopened = "reopened",
    }
}

/// One entry of a ticket's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub at: DateTime<Utc>,
    pub what: What,
    /// Mail address of the agent who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = BODY_MAX))]
    pub body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 250), custom(function = "crate::tickets::wire::message_id"))]
    pub mail_message_id: Option<String>,
}

/// A ticket with its history.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct TicketLine {
    #[validate(length(min = 1, max = 200))]
    pub external_id: String,
    /// External id of a contact; else `email` or `phone` finds or makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The name for a contact that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 200))]
    pub name: Option<String>,
    /// External id of an organization; the contact's where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    pub channel: Channel,
    #[serde(default = "inbound")]
    pub direction: Direction,
    #[validate(length(min = 1, max = 300))]
    pub subject: String,
    #[serde(default = "normal")]
    pub priority: Priority,
    /// Name of a team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Mail address of the agent who is responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    #[serde(default, skip_serializing_if = "is_empty")]
    #[validate(length(max = 50), custom(function = "crate::tickets::wire::good_tags"))]
    pub tags: Vec<String>,
    /// When the desk got it: every clock starts here.
    pub received_at: DateTime<Utc>,
    /// A call or chat that was written down by hand: its pickup is not measured.
    #[serde(default, skip_serializing_if = "is_false")]
    pub entered_by_hand: bool,
    /// What the contact wrote first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = BODY_MAX))]
    pub body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 250), custom(function = "crate::tickets::wire::message_id"))]
    pub mail_message_id: Option<String>,
    /// What happened then, in its order.
    #[serde(default, skip_serializing_if = "is_empty")]
    #[validate(length(max = HISTORY_MAX), nested)]
    pub history: Vec<Entry>,
}

fn inbound() -> Direction {
    Direction::Inbound
}

fn normal() -> Priority {
    Priority::Normal
}

impl TicketLine {
    /// What no single field shows: who asks, and a history that fits together and lies in the past.
    pub fn errors(&self, now: DateTime<Utc>) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut refuse = |field: String, code: &str, message: &str| errors.push(FieldError::new(field, code, message));
        if [&self.contact, &self.email, &self.phone].iter().filter(|way| way.is_some()).count() != 1 {
            refuse("contact".into(), "one_of", "must have exactly one of contact, email and phone");
        }
        if self.received_at > now {
            refuse("received_at".into(), "future", "must not be in the future");
        }
        if self.received_at.timestamp() < 0 {
            refuse("received_at".into(), "range", "must not be before 1970");
        }
        if self.mail_message_id.is_some() && self.body.is_none() {
            refuse("mail_message_id".into(), "no_body", "needs a body that it is the id of");
        }
        let mut before = self.received_at;
        for (index, entry) in self.history.iter().enumerate() {
            let mut wrong = |field: &str, code: &str, message: &str| refuse(format!("history[{index}].{field}"), code, message);
            if entry.at > now {
                wrong("at", "future", "must not be in the future");
            }
            // A mail can have come in before what was done while it was on its way to the desk.
            let earliest = if entry.what == What::ContactWrote { self.received_at } else { before };
            if entry.at < earliest {
                wrong("at", "order", "must not be before what stands above it");
            }
            before = before.max(entry.at);
            let has_body = matches!(entry.what, What::ContactWrote | What::Replied | What::Noted);
            for (field, is_there, is_wanted) in [
                ("agent", entry.agent.is_some(), entry.what != What::ContactWrote),
                ("body", entry.body.is_some(), has_body),
                ("status", entry.status.is_some(), entry.what == What::StatusSet),
            ] {
                match (is_there, is_wanted) {
                    (false, true) => wrong(field, "missing", "is needed for this kind of entry"),
                    (true, false) => wrong(field, "unwanted", "does not belong to this kind of entry"),
                    _ => {}
                }
            }
            if entry.mail_message_id.is_some() && !matches!(entry.what, What::ContactWrote | What::Replied) {
                wrong("mail_message_id", "unwanted", "does not belong to this kind of entry");
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(change: impl FnOnce(&mut Value), expected: &[&str]) {
        let mut line = json!({
            "external_id": "T-1", "email": "ana@nordwind.example", "channel": "email", "subject": "S", "received_at": "2026-01-01T10:00:00Z",
            "history": [
                { "at": "2026-01-01T11:00:00Z", "what": "replied", "agent": "amir@desk.example", "body": "Hi" },
                { "at": "2026-01-01T12:00:00Z", "what": "closed", "agent": "amir@desk.example" },
            ],
        });
        change(&mut line);
        let line: TicketLine = serde_json::from_value(line).expect("a line");
        let now = "2026-02-01T00:00:00Z".parse().expect("an instant");
        let found: Vec<String> = line.errors(now).into_iter().map(|error| format!("{} {}", error.field, error.code)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_history_fits_together() {
        check(|_| {}, &[]);
        check(|line| line["contact"] = json!("C-1"), &["contact one_of"]);
        check(|line| line["email"] = Value::Null, &["contact one_of"]);
        check(|line| line["received_at"] = json!("2026-01-01T11:30:00Z"), &["history[0].at order"]);
        check(
            |line| line["received_at"] = json!("2027-01-01T11:30:00Z"),
            &["received_at future", "history[0].at order", "history[1].at order"],
        );
        check(|line| line["history"][1]["at"] = json!("2026-01-01T10:30:00Z"), &["history[1].at order"]);
        check(|line| line["history"][1]["at"] = json!("2026-03-01T10:30:00Z"), &["history[1].at future"]);
        check(|line| line["history"][0]["agent"] = Value::Null, &["history[0].agent missing"]);
        check(|line| line["history"][0]["body"] = Value::Null, &["history[0].body missing"]);
        check(|line| line["history"][1]["body"] = json!("x"), &["history[1].body unwanted"]);
        check(|line| line["history"][1]["status"] = json!("open"), &["history[1].status unwanted"]);
        check(|line| line["history"][1]["what"] = json!("status_set"), &["history[1].status missing"]);
        check(|line| line["history"][1] = json!({ "at": "2026-01-01T10:30:00Z", "what": "contact_wrote", "body": "late" }), &[]);
        check(|line| line["mail_message_id"] = json!("<1@x>"), &["mail_message_id no_body"]);
    }
}

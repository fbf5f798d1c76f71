//! Tickets as JSON.
use super::commands::Whole;
use super::model::{Channel, Direction, Priority, Status, Ticket};
use super::queries::Listed;
use super::related::wire::{LinkOut, MergedOut};
use super::search::{queries::Found, wire::MatchedOut};
use super::store::{MessageKind, MessageRow};
use super::wire_promises::{ClockOut, PromiseOut};
use crate::accounts::contacts::wire::{EmailAddress, PhoneNumber};
use crate::attachments::wire::AttachmentOut;
use crate::fields::model::Values;
use crate::fields::wire::FieldValue;
use crate::ids::{AgentId, AttachmentId, ContactId, MessageId, OrganizationId, TeamId, TicketId};
use crate::inbound::wire::BounceOut;
use crate::instant;
use crate::sla::ClockRow;
use crate::sla::model::Summary;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// Longest text of a message, in characters.
pub(super) const BODY_MAX: u64 = 100_000;
/// Tags of a ticket at the most.
const TAGS_MAX: u64 = 50;
/// Longest tag, in characters.
const TAG_MAX: usize = 50;

/// Values in one request at the most.
const FIELDS_MAX: usize = 100;

fn few(values: &Values) -> Result<(), ValidationError> {
    if values.len() <= FIELDS_MAX { Ok(()) } else { Err(ValidationError::new("length")) }
}

/// Tags are 1 to 50 characters without spaces at the ends.
pub fn good_tags(tags: &[String]) -> Result<(), ValidationError> {
    let good = |tag: &String| (1..=TAG_MAX).contains(&tag.chars().count()) && tag.trim() == tag;
    if tags.iter().all(good) {
        return Ok(());
    }
    Err(ValidationError::new("tag").with_message("each tag must be 1 to 50 characters without spaces at its ends".into()))
}

/// A Message-ID is visible ASCII in angle brackets; anything else could break into our own headers.
pub fn message_id(id: &str) -> Result<(), ValidationError> {
    let inner = id.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or("");
    if !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>') {
        return Ok(());
    }
    Err(ValidationError::new("message_id")
        .with_message("must be visible ASCII in angle brackets, such as <4711@example.com>".into()))
}

/// Who asks for help: exactly one of the three.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FromIn {
    /// A contact that exists.
    pub contact_id: Option<ContactId>,
    /// A mail address; its contact is found, or made.
    #[validate(length(max = 254))]
    #[schema(value_type = Option<EmailAddress>)]
    pub email: Option<String>,
    /// A number in international form; its contact is found, or made.
    #[validate(length(max = 40))]
    #[schema(value_type = Option<PhoneNumber>)]
    pub phone: Option<String>,
    /// The name for a new contact.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
}

/// A ticket to open.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketIn {
    /// How it came.
    pub channel: Channel,
    /// Who began; `outbound` where the desk writes first.
    #[serde(default = "inbound")]
    pub direction: Direction,
    /// What it is about.
    #[validate(length(min = 1, max = 300))]
    #[schema(min_length = 1, max_length = 300, examples("Domain transfer is stuck"))]
    pub subject: String,
    /// What the contact wrote or said.
    #[validate(length(min = 1, max = BODY_MAX))]
    #[schema(min_length = 1, max_length = 100_000)]
    pub body: Option<String>,
    /// Who asks.
    #[validate(nested)]
    pub from: FromIn,
    /// Files that were handed in before and wait for this message: they need a `body`.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(value_type = HashSet<AttachmentId>, max_items = 100)]
    pub attachments: Vec<AttachmentId>,
    /// How urgent it is.
    #[serde(default = "normal")]
    pub priority: Priority,
    /// Whose it is; the contact's organization where it is left out.
    pub organization_id: Option<OrganizationId>,
    /// Which team is responsible.
    pub team_id: Option<TeamId>,
    /// Who is responsible.
    pub assignee_id: Option<AgentId>,
    /// Values of custom fields by their keys.
    #[serde(default)]
    #[validate(custom(function = "few"))]
    #[schema(value_type = HashMap<String, FieldValue>)]
    pub fields: Values,
    /// Tags.
    #[serde(default)]
    #[validate(length(max = TAGS_MAX), custom(function = "good_tags"))]
    #[schema(max_items = 50)]
    pub tags: Vec<String>,
    /// When the desk got it: only for tokens with the scope `channel` or `import`.
    pub received_at: Option<DateTime<Utc>>,
    /// The mail's own Message-ID, so that replies thread.
    #[validate(length(max = 250), custom(function = "message_id"))]
    #[schema(max_length = 250, pattern = "^<[!-;=?-~]+>$", examples("<4711@nordwind.example>"))]
    pub mail_message_id: Option<String>,
}

fn inbound() -> Direction {
    Direction::Inbound
}

fn normal() -> Priority {
    Priority::Normal
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketPatch {
    /// What it is about.
    #[serde(default, deserialize_with = "crate::http::patch::not_null")]
    #[validate(length(min = 1, max = 300))]
    #[schema(min_length = 1, max_length = 300, nullable = false)]
    pub subject: Option<String>,
    /// How urgent it is.
    #[serde(default, deserialize_with = "crate::http::patch::not_null")]
    #[schema(nullable = false)]
    pub priority: Option<Priority>,
    /// `open`, `pending` (pauses) or `on_hold`; closing is `POST …/closure`.
    #[serde(default, deserialize_with = "crate::http::patch::not_null")]
    #[schema(nullable = false)]
    pub status: Option<Status>,
    /// All tags, anew.
    #[serde(default, deserialize_with = "crate::http::patch::not_null")]
    #[validate(length(max = TAGS_MAX), custom(function = "good_tags"))]
    #[schema(max_items = 50, nullable = false)]
    pub tags: Option<Vec<String>>,
    /// Values of custom fields by their keys; null empties one, and what is left out stays.
    #[serde(default)]
    #[validate(custom(function = "few"))]
    #[schema(value_type = HashMap<String, FieldValue>)]
    pub fields: Values,
}

/// A ticket.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TicketOut {
    id: TicketId,
    /// The number people use: #1042.
    #[schema(examples(1042))]
    number: i64,
    subject: String,
    channel: Channel,
    direction: Direction,
    status: Status,
    priority: Priority,
    contact_id: ContactId,
    organization_id: Option<OrganizationId>,
    team_id: Option<TeamId>,
    assignee_id: Option<AgentId>,
    /// The closed ticket that this one carries on.
    follows_id: Option<TicketId>,
    /// The ticket that this one was merged into: what is written here goes there.
    merged_into_id: Option<TicketId>,
    tags: Vec<String>,
    /// When the desk got it; every clock starts here.
    #[serde(serialize_with = "instant::serialize")]
    received_at: DateTime<Utc>,
    #[serde(serialize_with = "instant::serialize")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "instant::serialize")]
    updated_at: DateTime<Utc>,
    #[serde(serialize_with = "instant::option::serialize")]
    picked_up_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "instant::option::serialize")]
    closed_at: Option<DateTime<Utc>>,
    /// How often it was closed.
    close_count: i32,
    /// Values of custom fields by their keys; those without a value are left out.
    #[schema(value_type = HashMap<String, FieldValue>)]
    fields: Values,
    /// For `If-Match`.
    version: i32,
    promise: PromiseOut,
    /// Each promise by itself; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    clocks: Option<Vec<ClockOut>>,
    /// Only in answers to `q`: where it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    matched: Option<MatchedOut>,
}

impl TicketOut {
    /// The ticket as it stands at `now`.
    pub fn at(ticket: Ticket, promises: &Summary, clocks: Option<&[ClockRow]>, now: DateTime<Utc>) -> Self {
        let Ticket {
            id,
            number,
            subject,
            channel,
            direction,
            status,
            priority,
            contact_id,
            organization_id,
            team_id,
            assignee_id,
            follows_id,
            received_at,
            created_at,
            updated_at,
            picked_up_at,
            closed_at,
            close_count,
            version,
            relations: _,
            merged_into_id,
            fields,
            tags,
        } = ticket;
        let clocks = clocks.map(|clocks| clocks.iter().map(|row| ClockOut::at(row, now)).collect());
        Self {
            id,
            number,
            subject,
            channel,
            direction,
            status,
            priority,
            contact_id,
            organization_id,
            team_id,
            assignee_id,
            follows_id,
            merged_into_id,
            tags,
            received_at,
            created_at,
            updated_at,
            picked_up_at,
            closed_at,
            close_count,
            fields,
            version,
            promise: PromiseOut::at(promises, now),
            clocks,
            matched: None,
        }
    }

    /// A ticket that was looked for.
    pub fn found(found: Found, now: DateTime<Utc>) -> Self {
        let Found { listed, matched } = found;
        Self { matched: Some(matched.into()), ..Self::listed(listed, now) }
    }

    /// What a verb left behind.
    pub fn of(whole: Whole, now: DateTime<Utc>) -> Self {
        Self::at(whole.ticket, &whole.clocks.summary(), Some(whole.clocks.rows()), now)
    }

    /// As a line of a list.
    pub fn listed(row: Listed, now: DateTime<Utc>) -> Self {
        Self::at(row.ticket, &row.promises, None, now)
    }

    /// Its id.
    pub fn id(&self) -> TicketId {
        self.id
    }

    /// Its version.
    pub fn version(&self) -> i32 {
        self.version
    }
}

/// A message of a ticket.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MessageOut {
    id: MessageId,
    kind: MessageKind,
    agent_id: Option<AgentId>,
    contact_id: Option<ContactId>,
    body: String,
    /// Message-ID of the mail that it came or went as.
    mail_message_id: Option<String>,
    attachments: Vec<AttachmentOut>,
    /// Only where the letter that it went as came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bounce: Option<BounceOut>,
    /// Who had a copy of the reply; left out where nobody had.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cc: Option<Vec<String>>,
    /// Only where a reply was taken back: it is a note since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    undone_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "instant::serialize")]
    at: DateTime<Utc>,
    /// The merged ticket that it was written on; left out where that is this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    from_ticket_id: Option<TicketId>,
}

/// What is known of a reply's letter.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "fields of a message")]
pub struct Sent {
    pub bounce: Option<BounceOut>,
    pub cc: Option<Vec<String>>,
    pub undone_at: Option<DateTime<Utc>>,
}

impl MessageOut {
    /// A message with its files, as a ticket shows it.
    pub fn on(shown_on: TicketId, row: MessageRow, attachments: Vec<AttachmentOut>, sent: Sent) -> Self {
        let Sent { bounce, cc, undone_at } = sent;
        let MessageRow { id, ticket_id, kind, agent_id, contact_id, body, mail_message_id, at } = row;
        let from_ticket_id = (ticket_id != shown_on).then_some(ticket_id);
        let (kind, at) = (kind.0, at.0);
        Self { id, kind, agent_id, contact_id, body, mail_message_id, attachments, bounce, cc, undone_at, at, from_ticket_id }
    }
}

/// How a close ended for the survey.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SurveyOut {
    /// Which close: 1 for the first.
    pub close_number: i32,
    /// The named outcome.
    pub outcome: crate::surveys::model::Outcome,
    /// When the invitation is or was due.
    pub due_at: DateTime<Utc>,
    /// When it was mailed.
    pub sent_at: Option<DateTime<Utc>>,
    /// The score, once answered.
    pub score: Option<i32>,
}

/// A ticket with everything on it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TicketFull {
    /// The ticket.
    #[serde(flatten)]
    pub ticket: TicketOut,
    /// Name of the contact.
    pub contact_name: String,
    /// Messages, oldest first, at most the newest 1,000.
    pub messages: Vec<MessageOut>,
    /// The survey of each close.
    pub surveys: Vec<SurveyOut>,
    /// Links to other tickets.
    pub links: Vec<LinkOut>,
    /// What was merged into it; its messages are among those above.
    pub merged: Vec<MergedOut>,
}

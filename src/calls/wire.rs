//! Calls as JSON.
use super::commands::CallbackResult;
use super::model::{CallEvent, CallOutcome, CallState, Doubt};
use super::store::{CallEventRow, CallRow};
use crate::accounts::contacts::wire::PhoneNumber;
use crate::ids::{AgentId, CallId, ContactId, TeamId, TicketId};
use crate::tickets::model::Direction;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// Longest address of a recording, in characters.
const URL_MAX: usize = 2_000;

/// A recording is shown to people as a link: only web addresses.
fn web_address(url: &str) -> Result<(), ValidationError> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web && url.len() <= URL_MAX && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(ValidationError::new("url")
        .with_message("must be an http or https address of at most 2000 visible ASCII characters".into()))
}

/// Texts from a phone system may not break lines of a log or a header.
fn plain(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(ValidationError::new("text").with_message("must not be blank or hold control characters".into()));
    }
    Ok(())
}

fn inbound() -> Direction {
    Direction::Inbound
}

/// One thing that happened to a call. The same content again changes nothing; any order is right.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallEventIn {
    /// The phone system's own name of the call.
    #[validate(length(min = 1, max = 200), custom(function = plain))]
    #[schema(min_length = 1, max_length = 200, pattern = r"^[!-~]([ -~]*[!-~])?$", examples("pbx-1-20260610-0042"))]
    pub call_id: String,
    /// What happened.
    pub event: CallEvent,
    /// When it happened, by the phone system's clock.
    pub occurred_at: DateTime<Utc>,
    /// `outbound` where the desk calls.
    #[serde(default = "inbound")]
    pub direction: Direction,
    /// The caller's number: international, or national of the desk's home; anything else is a withheld number.
    #[validate(length(min = 1, max = 200), custom(function = plain))]
    #[schema(min_length = 1, max_length = 200, pattern = r"^[!-~]([ -~]*[!-~])?$", examples("+14165550100"))]
    pub from: Option<String>,
    /// The number that was called.
    #[validate(length(min = 1, max = 200), custom(function = plain))]
    #[schema(min_length = 1, max_length = 200, pattern = r"^[!-~]([ -~]*[!-~])?$", examples("+14165550199"))]
    pub to: Option<String>,
    /// The agent: an id, a mail address or the agent's own number. Whoever the desk does not know is kept and named a doubt.
    #[validate(length(min = 1, max = 254), custom(function = plain))]
    #[schema(min_length = 1, max_length = 254, pattern = r"^[!-~]([ -~]*[!-~])?$", examples("grace@desk.example"))]
    pub agent: Option<String>,
    /// The queue: the id or the exact name of a team.
    #[validate(length(min = 1, max = 200), custom(function = plain))]
    #[schema(min_length = 1, max_length = 200, pattern = r"^[!-~]([ -~]*[!-~])?$", examples("Reseller Support"))]
    pub queue: Option<String>,
    /// Where the sound is.
    #[validate(custom(function = web_address))]
    #[schema(max_length = 2000, pattern = r"^https?://[!-~]*$", examples("https://pbx.example/recordings/42.wav"))]
    pub recording_url: Option<String>,
    /// What was said.
    #[validate(length(min = 1, max = 20_000))]
    #[schema(min_length = 1, max_length = 20_000, examples("Hello, please call me back."))]
    pub transcript: Option<String>,
}

/// A call.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CallOut {
    id: CallId,
    /// The phone system's own name of it.
    call_id: String,
    direction: Direction,
    state: CallState,
    /// How it went; null while nobody can say.
    outcome: Option<CallOutcome>,
    /// Whether the desk was open when it rang, so that somebody was promised; null where no ring is known.
    promised: Option<bool>,
    /// The caller's number (E.164); null where it is withheld.
    from: Option<String>,
    /// The number that was called (E.164).
    to: Option<String>,
    queue: Option<String>,
    team_id: Option<TeamId>,
    /// Who has it, or had it last.
    agent_id: Option<AgentId>,
    contact_id: Option<ContactId>,
    /// The ticket that it belongs to.
    ticket_id: Option<TicketId>,
    /// The ticket that it opened, which keeps its promise to pick up.
    opened_ticket_id: Option<TicketId>,
    /// The earliest instant that is known of it.
    at: DateTime<Utc>,
    rang_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
    voicemail_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    /// Seconds from the ring until an agent answered, or until the caller hung up or reached a recorder.
    wait_seconds: Option<i64>,
    /// Seconds from the answer to the end.
    talk_seconds: Option<i64>,
    recording_url: Option<String>,
    transcript: Option<String>,
    /// What about the reports cannot be, or is not known.
    doubts: Vec<Doubt>,
}

impl From<CallRow> for CallOut {
    fn from(row: CallRow) -> Self {
        let doubts = row.doubts();
        let CallRow {
            id,
            external_id,
            direction,
            state,
            outcome,
            is_promised,
            from_number,
            to_number,
            queue,
            team_id,
            agent_id,
            contact_id,
            ticket_id,
            rang_ticket_id,
            pickup_clock_id: _,
            callback_clock_id: _,
            at,
            rang_at,
            answered_at,
            voicemail_at,
            ended_at,
            wait_seconds,
            talk_seconds,
            recording_url,
            transcript,
            doubts: _,
            created_at: _,
            updated_at: _,
        } = row;
        Self {
            id,
            call_id: external_id,
            direction: direction.0,
            state: state.0,
            outcome: outcome.map(|outcome| outcome.0),
            promised: is_promised,
            from: from_number,
            to: to_number,
            queue,
            team_id,
            agent_id,
            contact_id,
            ticket_id,
            opened_ticket_id: rang_ticket_id,
            at: at.0,
            rang_at: rang_at.map(|at| at.0),
            answered_at: answered_at.map(|at| at.0),
            voicemail_at: voicemail_at.map(|at| at.0),
            ended_at: ended_at.map(|at| at.0),
            wait_seconds,
            talk_seconds,
            recording_url,
            transcript,
            doubts,
        }
    }
}

/// One event as it was received.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CallEventOut {
    event: CallEvent,
    direction: Direction,
    /// When it says that it happened.
    occurred_at: DateTime<Utc>,
    /// When the desk got it.
    received_at: DateTime<Utc>,
    /// As it was written.
    from: Option<String>,
    /// As it was written.
    to: Option<String>,
    /// As it was written.
    agent: Option<String>,
    /// The agent of the desk that is meant.
    agent_id: Option<AgentId>,
    queue: Option<String>,
    recording_url: Option<String>,
    transcript: Option<String>,
}

impl From<CallEventRow> for CallEventOut {
    fn from(row: CallEventRow) -> Self {
        let CallEventRow {
            call_id: _,
            digest: _,
            kind,
            direction,
            occurred_at,
            received_at,
            token_id: _,
            from_text,
            to_text,
            agent_text,
            agent_id,
            queue,
            recording_url,
            transcript,
        } = row;
        Self {
            event: kind.0,
            direction: direction.0,
            occurred_at: occurred_at.0,
            received_at: received_at.0,
            from: from_text,
            to: to_text,
            agent: agent_text,
            agent_id,
            queue,
            recording_url,
            transcript,
        }
    }
}

/// A call with its events.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CallFull {
    /// The call.
    #[serde(flatten)]
    pub call: CallOut,
    /// What was reported, by its own time.
    pub events: Vec<CallEventOut>,
}

/// Where a call belongs.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallTicketIn {
    /// A ticket of the same contact.
    pub ticket_id: TicketId,
}

/// How calling back went.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackIn {
    /// What came of it; `no_answer` stops no clock.
    pub result: CallbackResult,
    /// What is worth knowing.
    #[validate(length(min = 1, max = 2_000))]
    #[schema(min_length = 1, max_length = 2_000)]
    pub note: Option<String>,
}

/// The number that rings for an agent.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentPhoneIn {
    /// With its country code.
    #[schema(value_type = PhoneNumber)]
    pub number: String,
}

/// The number that rings for an agent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AgentPhoneOut {
    /// Whose.
    pub agent_id: AgentId,
    /// E.164.
    pub number: String,
}

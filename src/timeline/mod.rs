//! Events: one line of history each. History, live stream and webhooks hang off these rows.
mod announced;
pub mod api;
pub mod horizon;
mod store;

pub use announced::{Announced, announced};
pub use store::{ActorId, EventRow, Told, of_kinds, of_ticket, record, tell};

use crate::ids::{AgentId, ContactId, TokenId};
use uuid::Uuid;

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A person of the staff.
    Agent(AgentId),
    /// A phone system, mail gate, widget or importer.
    Machine(TokenId),
    /// The contact, by mail or on a survey page.
    Contact(ContactId),
    /// The desk itself: alarms, jobs, set-up.
    Desk,
}

impl Actor {
    /// The kind of actor as it is stored.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Agent(_) => "agent",
            Self::Machine(_) => "machine",
            Self::Contact(_) => "contact",
            Self::Desk => "desk",
        }
    }

    /// Which one.
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::Agent(id) => Some(id.0),
            Self::Machine(id) => Some(id.0),
            Self::Contact(id) => Some(id.0),
            Self::Desk => None,
        }
    }
}

names! {
    /// What happened.
    pub enum Kind {
        /// A ticket came in or was opened.
        TicketReceived = "ticket_received",
        /// A contact wrote.
        ContactWrote = "contact_wrote",
        /// An agent replied in public.
        AgentReplied = "agent_replied",
        /// An agent wrote a note.
        NoteAdded = "note_added",
        /// A tag is called otherwise, on all tickets.
        TagRenamed = "tag_renamed",
        /// Files belong to a message now.
        FilesAttached = "files_attached",
        /// A call or chat was picked up.
        PickedUp = "picked_up",
        /// Another agent, or none, is responsible.
        Assigned = "assigned",
        /// Another team is responsible.
        HandedOver = "handed_over",
        /// Subject, priority, status or tags changed.
        TicketChanged = "ticket_changed",
        /// Closed.
        TicketClosed = "ticket_closed",
        /// Open again.
        TicketReopened = "ticket_reopened",
        /// A ticket was merged into another; on both.
        TicketMerged = "ticket_merged",
        /// A merge was undone; on both.
        TicketUnmerged = "ticket_unmerged",
        /// Two tickets were linked; on both.
        TicketLinked = "ticket_linked",
        /// A link was taken away; on both.
        TicketUnlinked = "ticket_unlinked",
        /// A promise began to run, or was found not to be one.
        ClockStarted = "clock_started",
        /// A clock stands still.
        ClockPaused = "clock_paused",
        /// A clock runs again.
        ClockResumed = "clock_resumed",
        /// What was promised was done.
        ClockReached = "clock_reached",
        /// The warning share of the time is used.
        ClockWarned = "clock_warned",
        /// The time is used up: the promise is broken.
        ClockBreached = "clock_breached",
        /// A promise was laid out anew: another target, or other hours.
        ClockMoved = "clock_moved",
        /// People were told of a warning or a breach.
        AlertTold = "alert_told",
        /// Somebody sees to a warning or a breach.
        AlertAcknowledged = "alert_acknowledged",
        /// How an invitation to a survey ended.
        SurveyOutcome = "survey_outcome",
        /// How the reminder of an invitation ended.
        ReminderOutcome = "reminder_outcome",
        /// The mail server refused the contact's address for good.
        AddressBounced = "address_bounced",
        /// A contact answered, or changed the answer.
        SurveyAnswered = "survey_answered",
        /// A review was claimed, given back or finished.
        ReviewChanged = "review_changed",
        /// A suspicious answer was confirmed or rejected.
        AnswerDecided = "answer_decided",
        /// A follow-up was opened, given to somebody, tried or ended.
        FollowupChanged = "followup_changed",
        /// A contact wants no more surveys.
        SurveysStopped = "surveys_stopped",
        /// A machine of the contact's answered by mail.
        MachineWrote = "machine_wrote",
        /// A mail names another ticket, on which its sender may not write.
        LinkSuggested = "link_suggested",
        /// A contact answered a survey in words, by mail.
        SurveyAnsweredByMail = "survey_answered_by_mail",
        /// The letter of a reply came back.
        MailBounced = "mail_bounced",
        /// An outgoing letter was given up for now.
        MailParked = "mail_parked",
        /// Something that admins keep was made.
        Created = "created",
        /// It was changed.
        Changed = "changed",
        /// It was taken away for good.
        Removed = "removed",
        /// A phone system reported something about a call.
        CallReported = "call_reported",
        /// An agent moved a call to another ticket.
        CallMoved = "call_moved",
        /// Somebody called the contact back, or tried to.
        CalledBack = "called_back",
        /// What a phone system told late put a clock right; what was written before stays.
        ClockCorrected = "clock_corrected",
        /// An agent is available, away or offline.
        PresenceChanged = "presence_changed",
        /// The desk is open and nobody is available.
        StaffingAlarm = "staffing_alarm",
        /// Somebody sees to that.
        StaffingAcknowledged = "staffing_acknowledged",
        /// Somebody is available again, or the desk is closed.
        StaffingRestored = "staffing_restored",
        /// A visitor asked for a chat.
        ChatAsked = "chat_asked",
        /// Agents are asked to take a chat.
        ChatOffered = "chat_offered",
        /// Agents need not take it any more.
        ChatOfferEnded = "chat_offer_ended",
        /// An agent took a chat.
        ChatAccepted = "chat_accepted",
        /// Nobody took a chat in time: the visitor can leave a message.
        ChatMissed = "chat_missed",
        /// The visitor went away while waiting.
        ChatAbandoned = "chat_abandoned",
        /// The visitor left a message and an address instead.
        ChatMessageLeft = "chat_message_left",
        /// A visitor told an address, and is a contact who is known.
        ChatContactKnown = "chat_contact_known",
        /// A chat is over.
        ChatEnded = "chat_ended",
    }
}

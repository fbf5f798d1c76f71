//! Where a mail belongs, from what it says and what the desk knows about it. Pure.
use super::model::Parsed;
use crate::ids::TicketId;
use uuid::Uuid;

/// What the desk looked up for a mail.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// The ticket of a valid token in the address that took it.
    pub by_token: Option<TicketId>,
    /// Tickets of messages of ours that it answers ([`Parsed::answered`]), the nearest first.
    pub by_thread: Vec<TicketId>,
    /// The ticket of the number in its subject ([`ticket_number`]).
    pub by_subject: Option<TicketId>,
    /// Those of the tickets above that its author ([`Parsed::author`]) takes part in.
    pub takes_part_in: Vec<TicketId>,
    /// The survey whose address it was sent to, or whose letter its contact answers, and the ticket it asked about, if any.
    pub survey: Option<(Uuid, Option<TicketId>)>,
    /// Whose letter came back, by the address of a valid MAC or else by its Message-ID.
    pub letter: Option<Letter>,
    /// Whether its author is an agent.
    pub is_from_agent: bool,
    /// Whether its author is one of the desk's own mailboxes.
    pub is_from_mailbox: bool,
    /// What is known of its origin.
    pub origin: Origin,
    /// Whether it is longer than is taken.
    pub is_oversized: bool,
    /// Whether it went through the mailbox that took it before ([`Parsed::delivered_to`]).
    pub is_going_round: bool,
}

/// A letter of ours that a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// Invitation or letter.
    pub id: Uuid,
    /// Whether a MAC of ours proves it; else anybody who saw the letter may have written the report.
    pub is_proven: bool,
}

names! {
    /// What is known of a mail's origin.
    pub enum Origin {
        /// Nothing was checked, or neither SPF nor DKIM passes for the author's domain.
        Unproven = "unproven",
        /// SPF or DKIM passes for the author's domain.
        Aligned = "aligned",
        /// It came from a relay that checks its senders.
        TrustedRelay = "trusted_relay",
        /// The author's domain says that such mail is not its own (DMARC).
        Refuted = "refuted",
    }
}

#[expect(clippy::derivable_impls, reason = "the set is made by a macro")]
impl Default for Origin {
    fn default() -> Self {
        Self::Unproven
    }
}

names! {
    /// As whom a mail speaks.
    pub enum By {
        /// A contact, known or new.
        Contact = "contact",
        /// The agent of that address.
        Agent = "agent",
    }
}

names! {
    /// Why a mail waits for a person.
    pub enum HoldReason {
        /// It is longer than is taken.
        Oversized = "oversized",
        /// This desk wrote it.
        OurOwn = "our_own",
        /// It came back to where it was.
        Loop = "loop",
        /// It reports about a letter that is none of ours.
        ForeignReport = "foreign_report",
        /// A filter called it spam.
        Spam = "spam",
        /// The author's domain disowns it.
        DmarcFailed = "dmarc_failed",
        /// Nobody can be named as its author.
        NoSender = "no_sender",
        /// It says it is by an agent, with nothing to prove it.
        UnprovenAgent = "unproven_agent",
        /// It is by an agent, and for no ticket.
        AgentWithoutTicket = "agent_without_ticket",
    }
}

/// Where a mail belongs.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It goes on with a ticket.
    Reply {
        /// Which.
        ticket: TicketId,
        /// As whom.
        by: By,
    },
    /// It begins a ticket.
    NewTicket {
        /// The ticket that it may belong to, which its author takes no part in.
        suggested: Option<TicketId>,
    },
    /// It answers a survey in words: for the review queue, and not counted.
    SurveyReply {
        /// The invitation.
        invitation: Uuid,
        /// The ticket that it asked about; a relationship survey has none.
        ticket: Option<TicketId>,
    },
    /// A person decides.
    Hold(HoldReason),
    /// A machine wrote it: it is shown, and changes nothing.
    Automatic {
        /// On that ticket, or else beside all.
        ticket: Option<TicketId>,
    },
    /// It reports what became of a letter of ours ([`Parsed::bounce`]).
    Bounce(Letter),
}

/// The rule.
pub fn route(parsed: &Parsed, known: &Known) -> Verdict {
    if known.is_oversized {
        return Verdict::Hold(HoldReason::Oversized);
    }
    if parsed.is_our_own || known.is_from_mailbox {
        return Verdict::Hold(HoldReason::OurOwn);
    }
    if known.is_going_round {
        return Verdict::Hold(HoldReason::Loop);
    }
    if parsed.bounce.is_some() {
        return known.letter.map_or(Verdict::Hold(HoldReason::ForeignReport), Verdict::Bounce);
    }
    if known.origin == Origin::Refuted {
        return Verdict::Hold(HoldReason::DmarcFailed);
    }
    if parsed.is_spam {
        return Verdict::Hold(HoldReason::Spam);
    }
    if parsed.machine.is_some() {
        let answered = known.by_token.or(known.survey.and_then(|(_, ticket)| ticket)).or(known.by_thread.first().copied());
        return Verdict::Automatic { ticket: answered };
    }
    if parsed.author().is_none() {
        return Verdict::Hold(HoldReason::NoSender);
    }
    if known.is_from_agent {
        return by_agent(parsed, known);
    }
    if let Some((invitation, ticket)) = known.survey {
        return Verdict::SurveyReply { invitation, ticket };
    }
    by_contact(known)
}

/// An agent is believed with a token and a proof of origin, both.
fn by_agent(parsed: &Parsed, known: &Known) -> Verdict {
    // With several authors, what passes for one domain says nothing about the agent.
    let is_proven = match known.origin {
        Origin::Aligned => parsed.from.len() == 1,
        Origin::TrustedRelay => true,
        Origin::Unproven | Origin::Refuted => false,
    };
    match known.by_token {
        Some(ticket) if is_proven => Verdict::Reply { ticket, by: By::Agent },
        None if is_proven => Verdict::Hold(HoldReason::AgentWithoutTicket),
        _ => Verdict::Hold(HoldReason::UnprovenAgent),
    }
}

/// A contact is believed with a token, or as one who takes part.
fn by_contact(known: &Known) -> Verdict {
    let takes_part = |ticket: &&TicketId| known.takes_part_in.contains(ticket);
    let named = || known.by_thread.iter().chain(&known.by_subject);
    match known.by_token.or_else(|| named().find(takes_part).copied()) {
        Some(ticket) => Verdict::Reply { ticket, by: By::Contact },
        None => Verdict::NewTicket { suggested: named().next().copied() },
    }
}

/// The number of a ticket in a subject: `[#1042]` as our letters have it, else the first `#1042` that stands alone.
pub fn ticket_number(subject: &str) -> Option<i64> {
    let number = |from: &str, end: &str| {
        let digits = from.len() - from.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = from.split_at(digits);
        let is_alone = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
        number.parse::<i64>().ok().filter(|number| *number > 0 && rest.starts_with(end) && is_alone)
    };
    let marked = subject.match_indices("[#").find_map(|(at, mark)| number(subject.get(at + mark.len()..)?, "]"));
    marked.or_else(|| {
        subject.match_indices('#').find_map(|(at, mark)| {
            let is_word = subject.get(..at)?.ends_with(|c: char| c.is_alphanumeric() || c == '&');
            number(subject.get(at + mark.len()..)?, "").filter(|_| !is_word)
        })
    })
}

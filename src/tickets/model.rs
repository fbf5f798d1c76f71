//! The life cycle of a ticket: one table of what may happen in which state. Pure.
use crate::fields::model::Values;
use crate::ids::{AgentId, ContactId, OrganizationId, TeamId, TicketId};
use chrono::{DateTime, TimeDelta, Utc};

names! {
    /// How a ticket came.
    pub enum Channel {
        /// A call.
        Phone = "phone",
        /// A mail.
        Email = "email",
        /// A live chat.
        Chat = "chat",
        /// A form.
        Web = "web",
    }
}

names! {
    /// Who began.
    pub enum Direction {
        /// The contact.
        Inbound = "inbound",
        /// The desk.
        Outbound = "outbound",
    }
}

names! {
    /// Where a ticket stands.
    pub enum Status {
        /// The desk is to act.
        Open = "open",
        /// The contact is to act.
        Pending = "pending",
        /// A third party is to act.
        OnHold = "on_hold",
        /// Done.
        Closed = "closed",
    }
}

names! {
    /// How urgent a ticket is.
    pub enum Priority {
        /// Can wait.
        Low = "low",
        /// As usual.
        Normal = "normal",
        /// Soon.
        High = "high",
        /// Now, around the clock.
        Critical = "critical",
    }
}

/// What can happen to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The contact wrote.
    ContactWrites,
    /// An agent replies, notes, assigns, hands over or edits.
    Work,
    /// An agent picks the call or chat up.
    PickUp,
    /// An agent sets a status other than closed.
    SetStatus(Status),
    /// An agent closes.
    Close,
    /// An agent opens it again.
    Reopen,
}

/// Why an action is not possible: a stable word and a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub &'static str, pub &'static str);

const CLOSED: Refused = Refused("ticket_closed", "the ticket is closed: reopen it first");
const MERGED: Refused = Refused("ticket_merged", "it was merged into another ticket: work on that one, or unmerge it first");
const NOT_CLOSED: Refused = Refused("not_closed", "the ticket is not closed");
const BY_CLOSURE: Refused = Refused("close_by_closure", "closing is a verb of its own: POST /tickets/{id}/closure");

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Ticket {
    pub id: TicketId,
    pub number: i64,
    pub subject: String,
    pub channel: Channel,
    pub direction: Direction,
    pub status: Status,
    pub priority: Priority,
    pub contact_id: ContactId,
    pub organization_id: Option<OrganizationId>,
    pub team_id: Option<TeamId>,
    pub assignee_id: Option<AgentId>,
    pub follows_id: Option<TicketId>,
    pub received_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub picked_up_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub close_count: i32,
    pub version: i32,
    /// Whether it has links or merged tickets: bits of `related::queries`.
    pub relations: i32,
    pub merged_into_id: Option<TicketId>,
    pub fields: Values,
    /// In alphabetical order.
    pub tags: Vec<String>,
}

/// The status after an action, or why it is refused.
pub fn after(status: Status, action: Action) -> Result<Status, Refused> {
    match (status, action) {
        (Status::Open | Status::Pending | Status::OnHold | Status::Closed, Action::ContactWrites) => Ok(Status::Open),
        (Status::Open | Status::Pending | Status::OnHold, Action::Work | Action::PickUp) => Ok(status),
        (Status::Open | Status::Pending | Status::OnHold, Action::SetStatus(Status::Closed)) => Err(BY_CLOSURE),
        (
            Status::Open | Status::Pending | Status::OnHold,
            Action::SetStatus(to @ (Status::Open | Status::Pending | Status::OnHold)),
        ) => Ok(to),
        (Status::Open | Status::Pending | Status::OnHold, Action::Close) => Ok(Status::Closed),
        (Status::Open | Status::Pending | Status::OnHold, Action::Reopen) => Err(NOT_CLOSED),
        (Status::Closed, Action::Work | Action::PickUp | Action::SetStatus(_) | Action::Close) => Err(CLOSED),
        (Status::Closed, Action::Reopen) => Ok(Status::Open),
    }
}

impl Ticket {
    /// Carries an action out.
    pub fn apply(&mut self, action: Action, now: DateTime<Utc>) -> Result<(), Refused> {
        if self.merged_into_id.is_some() {
            return Err(MERGED);
        }
        if action == Action::PickUp {
            if !matches!(self.channel, Channel::Phone | Channel::Chat) || self.direction == Direction::Outbound {
                return Err(Refused("nothing_to_pick_up", "only a call or a chat that came in can be picked up"));
            }
            if self.picked_up_at.is_some() {
                return Err(Refused("already_picked_up", "somebody picked this up already"));
            }
        }
        let to = after(self.status, action)?;
        if action == Action::PickUp {
            self.picked_up_at = Some(now);
        }
        if to == Status::Closed {
            self.closed_at = Some(now);
            self.close_count += 1;
        } else if self.status == Status::Closed {
            self.closed_at = None;
        }
        self.status = to;
        self.updated_at = now;
        Ok(())
    }

    /// Whether what the contact writes at `at` still belongs to this ticket, or opens a new one.
    pub fn takes_reply(&self, at: DateTime<Utc>, reopen_window_days: u32) -> bool {
        let window = TimeDelta::days(i64::from(reopen_window_days));
        self.closed_at.is_none_or(|closed| at <= closed + window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_life_cycle() {
        let actions = [
            Action::ContactWrites,
            Action::Work,
            Action::PickUp,
            Action::SetStatus(Status::Open),
            Action::SetStatus(Status::Pending),
            Action::SetStatus(Status::OnHold),
            Action::SetStatus(Status::Closed),
            Action::Close,
            Action::Reopen,
        ];
        let table: Vec<String> = Status::ALL
            .iter()
            .map(|status| {
                let cells = actions.map(|action| after(*status, action).map_or_else(|refused| refused.0, Status::as_str));
                format!("{status}: {}", cells.join(" "))
            })
            .collect();
        assert_eq!(
            table,
            [
                "open: open open open open pending on_hold close_by_closure closed not_closed",
                "pending: open pending pending open pending on_hold close_by_closure closed not_closed",
                "on_hold: open on_hold on_hold open pending on_hold close_by_closure closed not_closed",
                "closed: open ticket_closed ticket_closed ticket_closed ticket_closed ticket_closed ticket_closed ticket_closed open",
            ]
        );
    }
}

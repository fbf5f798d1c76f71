//! Which tickets can be merged, when the one that stays was received, and which links there are. Pure.
use crate::ids::TicketId;
use crate::tickets::model::{Refused, Status};
use chrono::{DateTime, Utc};

names! {
    /// How a ticket stands to another.
    pub enum LinkKind {
        /// They have to do with each other.
        Related = "related",
        /// The other one is the cause.
        CausedBy = "caused_by",
        /// The other one asks for the same.
        Duplicate = "duplicate",
        /// It carries the other one on.
        FollowUp = "follow_up",
    }
}

names! {
    /// Which end of a link one is looking from.
    pub enum Side {
        /// The link was set on this ticket.
        Outgoing = "outgoing",
        /// It was set on the other one.
        Incoming = "incoming",
    }
}

/// What a merge looks at in a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub id: TicketId,
    /// Where it stands.
    pub status: Status,
    /// It was merged into another one.
    pub is_merged: bool,
    /// Others were merged into it.
    pub has_merged: bool,
}

/// Whether `from` can be merged into `into`. One step only: no chains, and so no circles.
pub fn may_merge(from: Part, into: Part) -> Result<(), Refused> {
    if from.id == into.id {
        Err(Refused("same_ticket", "a ticket cannot be merged into itself"))
    } else if from.is_merged {
        Err(Refused("ticket_merged", "it was merged into another ticket: unmerge it first"))
    } else if into.is_merged {
        Err(Refused("target_merged", "the other ticket was merged into one itself: merge into that one"))
    } else if from.has_merged {
        Err(Refused("has_merged", "others were merged into it: merge the other way round, or unmerge them first"))
    } else if into.status == Status::Closed && from.status != Status::Closed {
        Err(Refused("target_closed", "the other ticket is closed: what is still asked would be lost; reopen it first"))
    } else {
        Ok(())
    }
}

/// When a ticket was received, with those that are merged into it: the earliest.
pub fn received_at(own: DateTime<Utc>, merged: impl IntoIterator<Item = DateTime<Utc>>) -> DateTime<Utc> {
    merged.into_iter().fold(own, DateTime::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn what_can_be_merged() {
        let part = |number: u128, text: &str| Part {
            id: TicketId(Uuid::from_u128(number)),
            status: if text.contains("closed") { Status::Closed } else { Status::Open },
            is_merged: text.contains("merged"),
            has_merged: text.contains("has"),
        };
        let kinds = ["open", "closed", "closed merged", "open has", "closed has"];
        let table: Vec<String> = kinds
            .iter()
            .map(|from| {
                let cells = kinds.map(|into| may_merge(part(1, from), part(2, into)).map_or_else(|no| no.0, |()| "ok"));
                format!("{from}: {}", cells.join(" "))
            })
            .collect();
        assert_eq!(
            table,
            [
                "open: ok target_closed target_merged ok target_closed",
                "closed: ok ok target_merged ok ok",
                "closed merged: ticket_merged ticket_merged ticket_merged ticket_merged ticket_merged",
                "open has: has_merged has_merged target_merged has_merged has_merged",
                "closed has: has_merged has_merged target_merged has_merged has_merged",
            ]
        );
        assert_eq!(may_merge(part(1, "open"), part(1, "open")).err().map(|no| no.0), Some("same_ticket"));
    }

    #[test]
    fn the_earliest_receipt_counts() {
        let at = |hour: i64| DateTime::from_timestamp(hour * 3600, 0).expect("an instant");
        assert_eq!(received_at(at(5), []), at(5));
        assert_eq!(received_at(at(5), [at(7), at(3), at(4)]), at(3));
    }
}

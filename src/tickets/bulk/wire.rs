//! Bulk changes as JSON.
use super::commands::{Act, Item};
use crate::error::Error;
use crate::http::extract::Nothing;
use crate::http::respond::Problem;
use crate::ids::TicketId;
use crate::seen::Seen;
use crate::tickets::model::{Priority, Status};
use crate::tickets::wire_verbs::{AssigneeIn, HandOverIn};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError, ValidationErrors};

/// Tickets of one request at the most.
const ITEMS_MAX: usize = 100;

/// Many tickets, and what is done to each.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkIn {
    /// In this order; a ticket may come more than once.
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<ItemIn>,
}

impl Validate for BulkIn {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = ValidationErrors::new();
        if !(1..=ITEMS_MAX).contains(&self.items.len()) {
            errors.add("items", ValidationError::new("length").with_message(format!("must be 1 to {ITEMS_MAX} tickets").into()));
        } else if self.items.iter().any(|item| item.action.count() != 1) {
            errors.add("items", ValidationError::new("one_of").with_message("each action must have exactly one field".into()));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// One ticket.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ItemIn {
    /// Which.
    ticket_id: TicketId,
    /// As `If-Match`: refused where it is no longer the current version.
    version: Option<i32>,
    /// What is done to it.
    action: ActionIn,
}

/// What is done to a ticket: exactly one of these.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ActionIn {
    /// Make someone, or nobody, responsible.
    assign: Option<AssigneeIn>,
    /// Hand it to a team, or to none.
    team: Option<HandOverIn>,
    /// Make it more or less urgent.
    priority: Option<Priority>,
    /// `open`, `pending` or `on_hold`.
    status: Option<Status>,
    /// Add these tags.
    add_tags: Option<Vec<String>>,
    /// Take these tags away.
    remove_tags: Option<Vec<String>>,
    /// Close it.
    close: Option<Nothing>,
}

impl ActionIn {
    /// What is asked for; there must be one.
    fn count(&self) -> usize {
        let Self { assign, team, priority, status, add_tags, remove_tags, close } = self;
        let is_there = [
            assign.is_some(),
            team.is_some(),
            priority.is_some(),
            status.is_some(),
            add_tags.is_some(),
            remove_tags.is_some(),
            close.is_some(),
        ];
        is_there.into_iter().filter(|is| *is).count()
    }

    fn into_act(self) -> Act {
        let Self { assign, team, priority, status, add_tags, remove_tags, close: _ } = self;
        let assign = assign.map(|to| Act::Assign(to.agent_id));
        let team = team.map(|to| Act::HandOver(to.team_id));
        let tags = add_tags.map(Act::AddTags).or(remove_tags.map(Act::RemoveTags));
        let named = assign.or(team).or(priority.map(Act::Prioritize)).or(status.map(Act::SetStatus)).or(tags);
        named.unwrap_or(Act::Close)
    }
}

impl BulkIn {
    /// As the verbs take them.
    pub fn into_items(self) -> Vec<Item> {
        let item = |ItemIn { ticket_id, version, action }| Item { id: ticket_id, seen: Seen(version), act: action.into_act() };
        self.items.into_iter().map(item).collect()
    }
}

/// What became of all.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BulkOut {
    /// How many were done.
    done: usize,
    /// How many were refused.
    refused: usize,
    /// In the order of the items.
    results: Vec<ResultOut>,
}

/// What became of one ticket.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ResultOut {
    ticket_id: TicketId,
    /// Its version now; null where it was refused.
    version: Option<i32>,
    /// Why it was refused, as the single request would have been answered; null where it was done.
    problem: Option<Problem>,
}

impl BulkOut {
    /// The results beside their tickets.
    pub fn of(ids: Vec<TicketId>, results: Vec<Result<i32, Error>>) -> Self {
        let done = results.iter().filter(|result| result.is_ok()).count();
        let refused = results.len() - done;
        let results = ids.into_iter().zip(results).map(|(ticket_id, result)| match result {
            Ok(version) => ResultOut { ticket_id, version: Some(version), problem: None },
            Err(error) => ResultOut { ticket_id, version: None, problem: Some(Problem::of(&error)) },
        });
        Self { done, refused, results: results.collect() }
    }
}

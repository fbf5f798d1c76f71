//! What happened in 90 days: every ticket, and every step of it in the order of time. Pure.
use super::dice::Dice;
use super::people::{self, AgentIx, Contact, TeamIx};
use super::script;
use super::topics::{Case, TOPICS, Topic};
use super::words::LABELS;
use crate::calendar::hours::{Hours, Span};
use crate::tickets::model::{Channel, Priority, Status};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// The past that is told.
pub(super) const DAYS: i64 = 90;
/// Tickets in it.
pub(super) const TICKETS: usize = 3_000;
/// Of these, how many came by each channel.
const SHARES: [(Channel, usize); 3] = [(Channel::Email, 1_350), (Channel::Phone, 1_050), (Channel::Chat, 600)];
/// Where the desk is.
pub(super) const ZONE: Tz = chrono_tz::America::Toronto;

/// How often tickets come on each weekday, from Monday on.
const WEEK: [u32; 7] = [22, 21, 20, 20, 18, 8, 6];
/// How often calls come in each local hour: some before and after the desk's own hours.
const PHONE_DAY: [u32; 24] = [0, 0, 0, 0, 0, 0, 1, 2, 7, 11, 12, 11, 8, 10, 11, 10, 8, 5, 4, 3, 2, 1, 0, 0];
const CHAT_DAY: [u32; 24] = [0, 0, 0, 0, 0, 0, 0, 1, 5, 8, 10, 10, 9, 10, 10, 9, 8, 6, 5, 4, 2, 1, 0, 0];
const EMAIL_DAY: [u32; 24] = [4, 4, 4, 5, 5, 5, 6, 6, 9, 11, 12, 12, 10, 11, 11, 10, 9, 7, 6, 5, 5, 5, 4, 4];
/// How often each priority comes, from low to critical.
const PRIORITIES: [(Priority, u32); 4] =
    [(Priority::Low, 12), (Priority::Normal, 70), (Priority::High, 15), (Priority::Critical, 3)];

/// How a ticket begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opening {
    pub(super) channel: Channel,
    /// Place in the plan's contacts.
    pub(super) contact: usize,
    pub(super) topic: &'static Topic,
    pub(super) case: Case,
    pub(super) domain: String,
    /// A number that belongs to it: an order, an invoice, a case.
    pub(super) code: String,
    pub(super) subject: String,
    pub(super) body: Option<String>,
    /// The mail's own Message-ID.
    pub(super) mail_id: Option<String>,
    pub(super) priority: Priority,
    pub(super) team: TeamIx,
    pub(super) tags: Vec<String>,
    pub(super) received_at: DateTime<Utc>,
}

/// What somebody does to a ticket.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// It is taken in.
    Receive,
    PickUp(AgentIx),
    Reply(AgentIx, String),
    Note(AgentIx, String),
    /// The contact writes again; with a Message-ID where it is a mail.
    Write(String, Option<String>),
    Set(AgentIx, Status),
    Prioritize(AgentIx, Priority),
    /// All tags from now on.
    Tag(AgentIx, Vec<String>),
    HandOver(AgentIx, TeamIx),
    Assign(AgentIx, AgentIx),
    Close(AgentIx),
    Reopen(AgentIx),
}

/// One step of the story.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) at: DateTime<Utc>,
    /// Place in the plan's tickets.
    pub(super) ticket: usize,
    pub(super) act: Act,
}

/// The whole story.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) contacts: Vec<Contact>,
    pub(super) tickets: Vec<Opening>,
    /// Steps up to now, in the order of time.
    pub(super) scenes: Vec<Scene>,
}

/// When people work: every day from 8 to 20, as the shipped calendar says.
pub(super) fn working_hours() -> Hours {
    let day = || vec![Span { open: 8 * 3_600, close: 20 * 3_600 }];
    Hours::new(ZONE, std::array::from_fn(|_| day()), BTreeMap::new())
}

impl Plan {
    /// Draws the story that ends now.
    pub(super) fn draw(seed: u64, now: DateTime<Utc>) -> Self {
        let mut dice = Dice::new(seed);
        let contacts = people::contacts();
        let hours = working_hours();
        let lately = script::lately(&mut dice, now);
        let mut receipts: Vec<(DateTime<Utc>, Channel, Option<script::Lately>)> =
            lately.into_iter().map(|(at, lately)| (at, Channel::Email, Some(lately))).collect();
        for (channel, count) in SHARES {
            let drawn = receipts.iter().filter(|(_, of, _)| *of == channel).count();
            receipts.extend((drawn..count).map(|_| (receipt(&mut dice, channel, now), channel, None)));
        }
        receipts.sort_by_key(|(at, ..)| *at);
        let mut tickets = Vec::with_capacity(TICKETS);
        let mut scenes = Vec::new();
        for (ticket, (at, channel, lately)) in receipts.into_iter().enumerate() {
            let mut opening = opening(&mut dice, &contacts, channel, at);
            scenes.extend(script::write(&mut dice, &hours, &contacts, (ticket, &mut opening), lately));
            tickets.push(opening);
        }
        scenes.retain(|scene| scene.at <= now);
        // Stable: steps of one ticket at the same instant keep their order.
        scenes.sort_by_key(|scene| scene.at);
        Self { contacts, tickets, scenes }
    }
}

/// An instant of the past, as the channel's days and hours have it.
fn receipt(dice: &mut Dice, channel: Channel, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.with_timezone(&ZONE).date_naive();
    let dates: Vec<NaiveDate> = (0..=DAYS as u64).filter_map(|ago| today.checked_sub_days(Days::new(ago))).collect();
    let weekday = |date: &NaiveDate| WEEK.get(date.weekday().num_days_from_monday() as usize).copied().unwrap_or_default();
    let weights: Vec<u32> = dates.iter().map(weekday).collect();
    let day = match channel {
        Channel::Phone => &PHONE_DAY,
        Channel::Chat => &CHAT_DAY,
        Channel::Email | Channel::Web => &EMAIL_DAY,
    };
    let start = now - TimeDelta::days(DAYS);
    // A date of today may lie ahead, and one in spring may not exist: then another one is drawn.
    for _ in 0..1_000 {
        let date = dates.get(dice.weigh(&weights)).copied().unwrap_or(today);
        let of_day = TimeDelta::hours(dice.weigh(day) as i64) + dice.seconds(0.0, 3_600.0);
        let local = date.and_time(NaiveTime::MIN) + of_day;
        if let Some(at) = ZONE.from_local_datetime(&local).earliest().map(|at| at.to_utc())
            && (start..=now).contains(&at)
        {
            return at;
        }
    }
    now - TimeDelta::hours(1)
}

/// Whether a department with its own week works on that day.
pub(super) fn is_weekend(at: DateTime<Utc>) -> bool {
    matches!(at.with_timezone(&ZONE).weekday(), Weekday::Sat | Weekday::Sun)
}

fn domain(dice: &mut Dice) -> String {
    let (first, second) = (dice.pick(LABELS), dice.pick(LABELS));
    if dice.chance(40.0) || first == second {
        format!("{first}-{}.example", 10 + dice.index(90))
    } else {
        format!("{first}{second}.example")
    }
}

/// Who writes about what; the script adds the words.
fn opening(dice: &mut Dice, contacts: &[Contact], channel: Channel, received_at: DateTime<Utc>) -> Opening {
    let contact = dice.weigh(&contacts.iter().map(|contact| contact.weight).collect::<Vec<_>>());
    let topic = dice.weigh(&TOPICS.iter().map(|topic| topic.weight).collect::<Vec<_>>());
    let topic = TOPICS.get(topic).unwrap_or(&TOPICS[0]);
    let domain = domain(dice);
    let code = format!("{}", 10_000 + dice.index(90_000));
    let case = dice.pick(topic.cases);
    let subject = case.subject.replace("{domain}", &domain).replace("{code}", &code);
    let priority = PRIORITIES.get(dice.weigh(&PRIORITIES.map(|(_, weight)| weight))).map_or(Priority::Normal, |(it, _)| *it);
    // Calls and chats come to the first line; mails mostly to the address of the right department.
    let team = if channel == Channel::Email && dice.chance(80.0) { topic.team } else { people::RESELLER_SUPPORT };
    let tags = topic.tags.iter().map(|tag| (*tag).to_owned()).collect();
    Opening { channel, contact, topic, case, domain, code, subject, body: None, mail_id: None, priority, team, tags, received_at }
}

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;

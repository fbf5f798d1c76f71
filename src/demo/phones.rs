//! The calls behind the phone tickets of the story: rung, answered or given up, and over.
use super::desk::Cast;
use super::dice::Dice;
use super::story::{Act, Plan, Scene};
use crate::Result;
use crate::calendar::hours::Hours;
use crate::calls::commands::{self, Happened};
use crate::calls::model::CallEvent;
use crate::db::Conn;
use crate::ids::TicketId;
use crate::tickets::model::Channel;
use crate::tickets::queries;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// Seed of what the tickets do not tell: how long people talk.
const SEED: u64 = 7;
/// Who is not picked up for so long waits no longer on the line: a message is left.
const PATIENCE: TimeDelta = TimeDelta::seconds(110);
/// The recorder answers after so long.
const RECORDER_AFTER: TimeDelta = TimeDelta::seconds(44);

/// Writes the calls of all phone tickets; says how many. Two inserts and a look at the ticket each.
pub(super) fn remember(
    conn: &mut Conn,
    plan: &Plan,
    cast: &Cast,
    hours: &Hours,
    ids: &[Option<TicketId>],
    now: DateTime<Utc>,
) -> Result<usize> {
    let picked_up: HashMap<usize, (DateTime<Utc>, usize)> = plan
        .scenes
        .iter()
        .filter_map(|Scene { at, ticket, act }| if let Act::PickUp(by) = act { Some((*ticket, (*at, *by))) } else { None })
        .collect();
    let mut dice = Dice::new(SEED);
    let mut count = 0;
    for (place, opening) in plan.tickets.iter().enumerate() {
        let talked = dice.seconds(70.0, 900.0);
        let (Channel::Phone, Some(Some(id))) = (opening.channel, ids.get(place)) else { continue };
        let rang = opening.received_at;
        let mut happened: Vec<Happened> = vec![(CallEvent::Ringing, rang, None)];
        let answer = picked_up.get(&place).filter(|(at, _)| *at - rang <= PATIENCE);
        let end = match answer {
            Some((at, by)) => {
                happened.push((CallEvent::Answered, *at, Some(cast.agent(*by)?.id())));
                *at + talked
            }
            None if talked > TimeDelta::seconds(300) => {
                happened.push((CallEvent::Voicemail, rang + RECORDER_AFTER, None));
                rang + RECORDER_AFTER + talked / 12
            }
            None => rang + talked / 9,
        };
        happened.push((CallEvent::Ended, end, None));
        happened.retain(|(_, at, _)| *at <= now);
        let ticket = queries::find(conn, *id)?;
        let number = plan.contacts.get(opening.contact).map(|contact| contact.phone.as_str());
        commands::remember(conn, &ticket, number, &happened, |at| hours.is_open(at))?;
        count += 1;
    }
    Ok(count)
}

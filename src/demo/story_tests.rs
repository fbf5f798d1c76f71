//! The plan of the sample data.
use super::*;

const NOW: &str = "2026-11-21T15:30:00Z";

fn now() -> DateTime<Utc> {
    NOW.parse().expect("an instant")
}

#[test]
fn the_same_seed_and_now_tell_the_same_story() {
    let plan = Plan::draw(7, now());
    assert_eq!(plan, Plan::draw(7, now()));
    assert_ne!(plan.tickets, Plan::draw(8, now()).tickets);
}

#[test]
fn tickets_come_over_three_channels_and_mostly_when_the_desk_is_open() {
    let plan = Plan::draw(1, now());
    let share = |channel| plan.tickets.iter().filter(|ticket| ticket.channel == channel).count() * 100 / plan.tickets.len();
    assert_eq!(plan.tickets.len(), TICKETS);
    assert_eq!([Channel::Email, Channel::Phone, Channel::Chat, Channel::Web].map(share), [45, 35, 20, 0]);
    let hours = working_hours();
    let closed = |channel| {
        let of = || plan.tickets.iter().filter(|ticket| ticket.channel == channel);
        of().filter(|ticket| !hours.is_open(ticket.received_at)).count() * 100 / of().count()
    };
    assert!((1..12).contains(&closed(Channel::Phone)) && closed(Channel::Email) > 20, "{}", closed(Channel::Phone));
}

#[test]
fn all_steps_are_in_the_order_of_time_and_each_ticket_begins_with_its_receipt() {
    for seed in 0..3 {
        let plan = Plan::draw(seed, now());
        assert!(plan.scenes.is_sorted_by_key(|scene| scene.at));
        assert!(plan.scenes.last().is_some_and(|scene| scene.at <= now()));
        let mut begun = vec![false; plan.tickets.len()];
        for scene in &plan.scenes {
            let is_receipt = scene.act == Act::Receive;
            assert_ne!(begun[scene.ticket], is_receipt, "{scene:?}");
            begun[scene.ticket] = true;
            assert!(scene.at >= plan.tickets[scene.ticket].received_at);
        }
    }
}

#[test]
fn no_placeholder_is_left_in_a_text() {
    let plan = Plan::draw(2, now());
    for ticket in &plan.tickets {
        let body = ticket.body.as_deref().unwrap_or_default();
        assert!(!ticket.subject.contains('{') && !body.contains('{'), "{} {body}", ticket.subject);
    }
    for scene in &plan.scenes {
        if let Act::Reply(_, text) | Act::Note(_, text) | Act::Write(text, _) = &scene.act {
            assert!(!text.contains('{') && !text.is_empty(), "{text}");
        }
    }
}

#[test]
fn the_last_day_shows_a_desk_at_work_at_any_hour() {
    for hour in [0, 6, 12, 18] {
        let now = now() + TimeDelta::hours(hour);
        let plan = Plan::draw(1, now);
        let last = |ticket| plan.scenes.iter().rev().find(|scene| scene.ticket == ticket).map(|scene| (&scene.act, scene.at));
        let lasts: Vec<_> = (0..TICKETS).filter_map(last).collect();
        let unanswered = lasts.iter().filter(|(act, _)| **act == Act::Receive).count();
        let waiting = lasts.iter().filter(|(act, at)| matches!(act, Act::Close(_)) && *at > now - TimeDelta::hours(3)).count();
        assert!(unanswered >= 6 && waiting >= 3, "{hour}: {unanswered} unanswered, {waiting} just closed");
    }
}

//! Calls folded: each kind of outcome, and every order of up to six events.
use super::*;
use chrono::TimeZone;

fn t(millis: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 6, 10, 14, 0, 0).unwrap() + TimeDelta::milliseconds(millis)
}

fn agent(n: u128) -> AgentId {
    AgentId(uuid::Uuid::from_u128(n))
}

/// An event at so many milliseconds, received half a second later.
fn event(kind: CallEvent, millis: i64, by: u128) -> Reported {
    Reported {
        kind,
        at: t(millis),
        received_at: t(millis + 500),
        agent_id: (by > 0).then(|| agent(by)),
        is_stranger: false,
        recording_url: None,
        transcript: None,
        digest: format!("{kind} {millis} {by}").into_bytes(),
    }
}

/// Every order of the events.
fn permutations(events: &[Reported]) -> Vec<Vec<Reported>> {
    let Some((first, rest)) = events.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for shorter in permutations(rest) {
        for place in 0..=shorter.len() {
            let mut longer = shorter.clone();
            longer.insert(place, first.clone());
            all.push(longer);
        }
    }
    all
}

/// Folds in every order, each event once and each twice; all are the same call.
#[track_caller]
fn check(events: &[Reported]) -> Call {
    let call = fold(events, |_| true);
    let orders = permutations(events);
    assert_eq!(orders.len(), (1..=events.len()).product::<usize>());
    for order in orders {
        assert_eq!(fold(&order, |_| true), call, "{order:?}");
        let twice: Vec<Reported> = order.iter().chain(order.iter().rev()).cloned().collect();
        assert_eq!(fold(&twice, |_| true), call, "{twice:?}");
    }
    call
}

use CallEvent::{Answered, Ended, Offered, Ringing, Transferred, Voicemail};

#[test]
fn an_answered_call_in_every_order_of_six_events() {
    let call = check(&[
        event(Ringing, 0, 0),
        event(Offered, 100, 1),
        event(Offered, 100, 2),
        event(Answered, 19_000, 2),
        event(Transferred, 60_000, 1),
        event(Ended, 90_500, 0),
    ]);
    assert_eq!((call.state, call.outcome), (CallState::Ended, Some(CallOutcome::Answered)));
    assert_eq!((call.wait_seconds, call.talk_seconds), (Some(19), Some(72)));
    assert_eq!((call.answered_by, call.agent_id), (Some(agent(2)), Some(agent(1))));
    assert!(call.doubts.is_empty());
}

#[test]
fn six_events_at_the_same_instant_tie_the_same_way() {
    let call = check(&[
        event(Answered, 0, 3),
        event(Answered, 0, 1),
        event(Answered, 0, 2),
        event(Ringing, 0, 0),
        event(Ended, 0, 0),
        event(Voicemail, 0, 0),
    ]);
    assert_eq!((call.answered_by, call.wait_seconds, call.talk_seconds), (Some(agent(1)), Some(0), Some(0)));
}

#[test]
fn every_subset_and_order_of_a_busy_call_agrees() {
    let all = [
        event(Ringing, 0, 0),
        event(Answered, 2_000, 0),
        event(Offered, 3_000, 1),
        event(Answered, 21_000, 1),
        event(Voicemail, 30_000, 0),
        event(Ended, 40_000, 0),
    ];
    for mask in 0_u32..64 {
        let some: Vec<Reported> =
            all.iter().enumerate().filter(|(place, _)| mask >> place & 1 == 1).map(|(_, event)| event.clone()).collect();
        check(&some);
    }
}

#[test]
fn who_hangs_up_within_five_seconds_did_not_wait() {
    for (millis, expected) in [
        (0, CallOutcome::ShortAbandoned),
        (4_999, CallOutcome::ShortAbandoned),
        (5_000, CallOutcome::Abandoned),
        (60_000, CallOutcome::Abandoned),
    ] {
        let events = [event(Ringing, 0, 0), event(Ended, millis, 0)];
        assert_eq!(check(&events).outcome, Some(expected), "{millis}");
        assert_eq!(fold(&events, |_| false).outcome, Some(CallOutcome::NotPromised));
    }
}

#[test]
fn only_an_agent_answers() {
    let menu = check(&[event(Ringing, 0, 0), event(Answered, 1_000, 0), event(Ended, 9_000, 0)]);
    assert_eq!((menu.outcome, menu.wait_seconds, menu.talk_seconds), (Some(CallOutcome::Abandoned), Some(9), None));
    let stranger = Reported { is_stranger: true, ..event(Answered, 1_000, 0) };
    let call = check(&[event(Ringing, 0, 0), stranger, event(Ended, 9_000, 0)]);
    assert_eq!(call.outcome, Some(CallOutcome::Abandoned));
    assert!(call.doubts.contains(&Doubt::UnknownAgent));
}

#[test]
fn a_message_is_left_where_nobody_answers() {
    let said = Reported { transcript: Some("Call me".into()), ..event(Voicemail, 50_000, 0) };
    let call = check(&[event(Ringing, 0, 0), event(Voicemail, 30_000, 0), said, event(Ended, 49_000, 0)]);
    assert_eq!((call.outcome, call.wait_seconds), (Some(CallOutcome::Voicemail), Some(30)));
    assert_eq!(call.transcript.as_deref(), Some("Call me"));
    assert_eq!((call.missed_here_at(), call.gave_up_here_at()), (Some(t(49_000)), None));
}

#[test]
fn what_cannot_be_is_kept_and_named() {
    let before = check(&[event(Ringing, 10_000, 0), event(Ended, 0, 0)]);
    assert_eq!((before.outcome, before.wait_seconds), (None, None));
    assert!(before.doubts.contains(&Doubt::EndedBeforeRing));
    let early = check(&[event(Ringing, 1_000, 0), event(Answered, 0, 1)]);
    assert_eq!((early.answered_at, early.wait_seconds), (Some(t(1_000)), Some(0)));
    assert!(early.doubts.contains(&Doubt::AnsweredBeforeRing));
    let late = check(&[event(Ringing, 0, 0), event(Ended, 6_000, 0), event(Answered, 7_000, 1)]);
    assert_eq!(late.outcome, Some(CallOutcome::Abandoned));
    assert!(late.doubts.contains(&Doubt::AnsweredAfterEnd));
    let silent = check(&[event(Answered, 0, 1), event(Ended, 5_000, 0)]);
    assert_eq!((silent.outcome, silent.wait_seconds, silent.talk_seconds), (Some(CallOutcome::Answered), None, Some(5)));
    assert!(silent.doubts.contains(&Doubt::NoRing));
}

#[test]
fn a_time_that_is_not_believed_changes_nothing_but_the_doubts() {
    let future = Reported { received_at: t(0), ..event(Answered, 60_001, 1) };
    let call = check(&[event(Ringing, 0, 0), future]);
    assert_eq!((call.state, call.outcome), (CallState::Ringing, None));
    assert_eq!(call.doubts, BTreeSet::from([Doubt::Future]));
    let past = Reported { received_at: t(0) + LATE_MAX, ..event(Ringing, -1, 0) };
    assert_eq!(check(&[past]).state, CallState::Unknown);
    assert_eq!(check(&[]).state, CallState::Unknown);
}

#[test]
fn a_phone_system_whose_clock_is_ahead_keeps_its_own_seconds() {
    let ring = Reported { received_at: t(0), ..event(Ringing, 3_000, 0) };
    let call = check(&[ring, event(Answered, 22_000, 1)]);
    assert_eq!((call.wait_seconds, call.rang_here_at(), call.answered_here_at()), (Some(19), Some(t(0)), Some(t(19_000))));
}

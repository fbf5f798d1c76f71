//! The rules of offers as tables.
use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("an instant")
}

fn agent(number: u128) -> AgentId {
    AgentId(uuid::Uuid::from_u128(number))
}

fn offer(number: u128) -> ChatOfferId {
    ChatOfferId(uuid::Uuid::from_u128(number))
}

fn team(number: u128) -> TeamId {
    TeamId(uuid::Uuid::from_u128(number))
}

fn waits() -> Waits {
    Waits { offer: TimeDelta::seconds(14), patience: TimeDelta::seconds(60), gone: TimeDelta::seconds(10) }
}

fn member(number: u128, teams: &[TeamId]) -> Member {
    Member { id: agent(number), is_supervisor: false, is_available: true, is_present: true, room: 1, teams: teams.to_vec() }
}

/// 1 and 2 are of the team, 3 of another, 4 a manager who is away.
fn staff() -> Vec<Member> {
    let manager = Member { is_supervisor: true, is_available: false, ..member(4, &[]) };
    vec![member(1, &[team(1)]), member(2, &[team(1), team(2)]), member(3, &[team(2)]), manager]
}

fn chat() -> Standing {
    Standing { asked_at: at(0), round: 0, gone_at: None, team: Some(team(1)), open: Vec::new(), declined: Vec::new() }
}

fn offering(round: i32, unanswered: &[u128], returned: &[u128], to: &[u128]) -> Turn {
    let offers = |numbers: &[u128]| numbers.iter().map(|number| offer(*number)).collect();
    let to = to.iter().map(|number| agent(*number)).collect();
    Turn::Offer(Offering { round, unanswered: offers(unanswered), returned: offers(returned), to })
}

#[track_caller]
fn check(chat: &Standing, staff: &[Member], seconds: i64, expected: Turn) {
    assert_eq!(turn(chat, staff, &waits(), at(seconds)), expected);
}

#[test]
fn the_team_is_rung_at_once_and_everybody_before_the_promise_is_due() {
    check(&chat(), &staff(), 0, offering(NARROW, &[], &[], &[1, 2]));
    let rung = Standing { round: NARROW, open: vec![(offer(1), agent(1), NARROW), (offer(2), agent(2), NARROW)], ..chat() };
    check(&rung, &staff(), 13, Turn::Stay);
    check(&rung, &staff(), 14, offering(WIDE, &[1, 2], &[], &[1, 2, 3, 4]));
    check(&Standing { team: None, ..chat() }, &staff(), 0, offering(NARROW, &[], &[], &[1, 2, 3]));
}

#[test]
fn who_has_enough_chats_or_is_not_there_is_not_rung() {
    let mut staff = staff();
    staff[0].room = 0;
    check(&chat(), &staff, 0, offering(NARROW, &[], &[], &[2]));
    staff[1].is_available = false;
    check(&chat(), &staff, 0, offering(WIDE, &[], &[], &[3, 4]));
    staff[3].is_present = false;
    check(&chat(), &staff, 0, offering(WIDE, &[], &[], &[3]));
    let nobody: Vec<Member> = Vec::new();
    check(&chat(), &nobody, 0, offering(WIDE, &[], &[], &[]));
    check(&Standing { round: WIDE, ..chat() }, &nobody, 1, Turn::Stay);
}

#[test]
fn offers_to_who_went_away_return_and_who_comes_is_rung() {
    let rung = Standing { round: NARROW, open: vec![(offer(1), agent(1), NARROW)], ..chat() };
    let mut staff = staff();
    staff[0].is_available = false;
    check(&rung, &staff, 5, offering(NARROW, &[], &[1], &[2]));
    let declined = Standing { declined: vec![agent(2)], ..rung };
    // Nobody else is of the team.
    check(&declined, &staff, 5, offering(WIDE, &[], &[1], &[3, 4]));
}

#[test]
fn a_wait_ends_by_itself() {
    let rung = Standing { round: WIDE, ..chat() };
    check(&rung, &[], 59, Turn::Stay);
    check(&rung, &[], 60, Turn::Miss(at(60)));
    check(&rung, &[], 1_000, Turn::Miss(at(60)));
    let gone = Standing { gone_at: Some(at(3)), ..rung };
    check(&gone, &[], 12, Turn::Stay);
    check(&gone, &[], 13, Turn::GiveUp(at(3)));
    assert_eq!(next_look(at(0), NARROW, None, &waits()), at(14));
    assert_eq!(next_look(at(0), WIDE, None, &waits()), at(60));
    assert_eq!(next_look(at(0), NARROW, Some(at(3)), &waits()), at(13));
    assert_eq!(next_look(at(0), WIDE, Some(at(55)), &waits()), at(60));
}

#[test]
fn what_can_be_said() {
    for (body, expected) in [("a", true), (" \n", false), ("", false), ("a\0", false), ("\u{202e}\u{1f600}", true)] {
        assert_eq!(is_sayable(body), expected, "{body:?}");
    }
    assert!(is_sayable(&"é".repeat(BODY_MAX)) && !is_sayable(&"é".repeat(BODY_MAX + 1)));
}

#[track_caller]
fn silent(is_gone: bool, is_answered: bool, last: Option<ChatSide>, is_done: bool) {
    assert_eq!(Silence { is_gone, is_answered, last }.is_done(), is_done, "{is_gone} {is_answered} {last:?}");
}

#[test]
fn a_silence_ends_the_ticket_where_the_desk_owes_nothing() {
    let (visitor, agent) = (Some(ChatSide::Visitor), Some(ChatSide::Agent));
    silent(false, true, agent, true);
    silent(true, true, agent, true);
    silent(true, true, visitor, true);
    // Somebody is there and waits for an answer, or never had one.
    silent(false, true, visitor, false);
    silent(false, false, visitor, false);
    silent(true, false, visitor, false);
    silent(true, false, None, false);
    silent(false, false, None, false);
}

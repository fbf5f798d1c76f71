//! Who is lost when, what a node writes, and when the alarm rings.
use super::*;

const REPEAT: TimeDelta = TimeDelta::seconds(60);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn agent(number: u128) -> AgentId {
    AgentId(Uuid::from_u128(number))
}

const HERE: Uuid = Uuid::from_u128(100);
const THERE: Uuid = Uuid::from_u128(200);

#[test]
fn the_alarm_rings_until_somebody_sees_to_it_or_is_there() {
    let alarm = |told: i64, is_acknowledged: bool| Some(Alarm { told_at: at(told), is_acknowledged });
    for (alarm, is_nobody_there, expected) in [
        (None, false, Turn::Stay),
        (None, true, Turn::Raise),
        (alarm(0, false), false, Turn::End),
        (alarm(41, false), true, Turn::Stay),
        (alarm(40, false), true, Turn::Repeat),
        (alarm(0, true), true, Turn::Stay),
        (alarm(0, true), false, Turn::End),
    ] {
        assert_eq!(turn(alarm, is_nobody_there, REPEAT, at(100)), expected, "{alarm:?} {is_nobody_there}");
    }
}

/// One agent who said it at 0, with these lines and leases, seen by the node HERE at 100.
#[track_caller]
fn check(is_seated: bool, lines: &[Uuid], nodes: &[(Uuid, i64)], expected: (bool, usize, usize, usize, usize)) {
    let standing = Standing {
        is_used: true,
        present: vec![(agent(1), true, at(0))],
        lines: lines.iter().map(|node| (*node, agent(1))).collect(),
        nodes: nodes.iter().map(|(node, until)| (*node, at(*until))).collect(),
        watches: vec![Watch { is_open: true, ..Watch::default() }],
    };
    let seated = if is_seated { BTreeSet::from([agent(1)]) } else { BTreeSet::new() };
    let plan = plan(&standing, HERE, &seated, REPEAT, at(100));
    assert_eq!((plan.renews, plan.joined.len(), plan.left.len(), plan.dead.len(), plan.lost.len()), expected);
    assert_eq!(plan.turns == [(None, Turn::Raise)], !plan.lost.is_empty());
}

#[test]
fn an_agent_is_there_while_a_node_that_lives_has_a_stream() {
    // seated here, lines, leases: renews, joined, left, dead, lost
    check(true, &[], &[], (true, 1, 0, 0, 0));
    check(true, &[HERE], &[(HERE, 103)], (false, 0, 0, 0, 0));
    check(true, &[HERE], &[(HERE, 102)], (true, 0, 0, 0, 0));
    check(false, &[HERE], &[(HERE, 103)], (false, 0, 1, 0, 1));
    check(false, &[], &[], (false, 0, 0, 0, 1));
    check(false, &[THERE], &[(THERE, 101)], (false, 0, 0, 0, 0));
    check(false, &[HERE, THERE], &[(HERE, 103), (THERE, 101)], (false, 0, 1, 0, 0));
    check(false, &[THERE], &[(THERE, 100)], (false, 0, 0, 1, 1));
    check(true, &[THERE], &[(THERE, 100)], (true, 1, 0, 1, 0));
}

#[test]
fn who_just_said_so_has_a_moment_to_connect() {
    for (said, expected) in [(97, 0), (96, 1)] {
        let standing = Standing { present: vec![(agent(1), true, at(said))], ..Standing::default() };
        assert_eq!(plan(&standing, HERE, &BTreeSet::new(), REPEAT, at(100)).lost.len(), expected, "said at {said}");
    }
}

#[test]
fn nobody_is_alarmed_where_presence_is_not_used_or_the_desk_is_closed() {
    for (is_used, is_open, expected) in [(true, true, Turn::Raise), (false, true, Turn::Stay), (true, false, Turn::Stay)] {
        let watches = vec![Watch { is_open, ..Watch::default() }];
        let plan = plan(&Standing { is_used, watches, ..Standing::default() }, HERE, &BTreeSet::new(), REPEAT, at(100));
        assert_eq!(plan.turns.first().map_or(Turn::Stay, |one| one.1), expected);
        assert_eq!(plan.is_empty(), expected == Turn::Stay);
    }
}

#[test]
fn a_team_is_watched_by_its_own_hours_and_members() {
    let (one, two) = (TeamId(Uuid::from_u128(1)), TeamId(Uuid::from_u128(2)));
    let rings = Some(Alarm { told_at: at(99), is_acknowledged: false });
    let of = |team, is_open, members: &[u128], alarm| Watch {
        team: Some(team),
        is_open,
        members: Some(members.iter().map(|number| agent(*number)).collect()),
        alarm,
    };
    // Agent 1 is available, agent 2 is away.
    let turns = |watches: Vec<Watch>| {
        let present = vec![(agent(1), true, at(100)), (agent(2), false, at(100))];
        plan(&Standing { is_used: true, present, watches, ..Standing::default() }, HERE, &BTreeSet::new(), REPEAT, at(100)).turns
    };
    assert_eq!(turns(vec![of(one, true, &[1, 2], None), of(two, true, &[2], None)]), [(Some(two), Turn::Raise)]);
    assert_eq!(turns(vec![of(two, true, &[2, 3], rings)]), [], "it was told a moment ago");
    assert_eq!(turns(vec![of(two, false, &[2], rings)]), [(Some(two), Turn::End)], "closed");
    assert_eq!(turns(vec![of(one, true, &[1], rings)]), [(Some(one), Turn::End)], "somebody is back");
    assert_eq!(turns(vec![of(two, false, &[2], None)]), []);
}

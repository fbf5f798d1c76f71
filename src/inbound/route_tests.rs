//! Where mails belong, as a table: each row changes one thing of a row above it.
use super::model::{Action, Bounce, Machine, MachineKind, Parsed, Person, Recipient};
use super::route::{By, HoldReason, Known, Letter, Origin, Verdict, route, ticket_number};
use crate::ids::TicketId;
use uuid::Uuid;

fn ticket(number: u128) -> TicketId {
    TicketId(Uuid::from_u128(number))
}

fn person(address: &str) -> Person {
    Person { name: String::new(), address: address.to_owned() }
}

/// A mail of a person.
fn mail() -> Parsed {
    Parsed { from: vec![person("zoe@reseller.test")], ..Parsed::default() }
}

fn by_machine() -> Parsed {
    Parsed { machine: Some(Machine { kind: MachineKind::AutoReply, why: Vec::new() }), ..mail() }
}

fn report() -> Parsed {
    let recipient = Recipient {
        final_recipient: "zoe@reseller.test".to_owned(),
        original_recipient: None,
        action: Action::Failed,
        status: (5, 1, 1),
        diagnostic: None,
    };
    Parsed { bounce: Some(Bounce { recipients: vec![recipient], ..Bounce::default() }), ..by_machine() }
}

/// The author takes part in 1 and 2, and not in 8 and 9.
fn known() -> Known {
    Known { takes_part_in: vec![ticket(1), ticket(2)], ..Known::default() }
}

fn reply(number: u128, by: By) -> Verdict {
    Verdict::Reply { ticket: ticket(number), by }
}

fn new(suggested: Option<u128>) -> Verdict {
    Verdict::NewTicket { suggested: suggested.map(ticket) }
}

#[track_caller]
fn check(what: &str, parsed: &Parsed, known: &Known, expected: &Verdict) {
    assert_eq!(&route(parsed, known), expected, "{what}");
}

/// What it is about, the ticket of a token, those of references, that of a number, and what is decided.
type Case<'a> = (&'a str, Option<u128>, &'a [u128], Option<u128>, Verdict);

#[test]
fn a_contact_is_believed_with_a_token_or_as_one_who_takes_part() {
    let rows: &[Case] = &[
        ("nothing is known", None, &[], None, new(None)),
        ("a token", Some(9), &[], None, reply(9, By::Contact)),
        ("a token beside a thread", Some(9), &[1], Some(2), reply(9, By::Contact)),
        ("a thread", None, &[1], None, reply(1, By::Contact)),
        ("a thread beside a number", None, &[1], Some(2), reply(1, By::Contact)),
        ("a thread of two tickets", None, &[2, 1], None, reply(2, By::Contact)),
        ("a thread that began elsewhere", None, &[9, 1], None, reply(1, By::Contact)),
        ("a number", None, &[], Some(2), reply(2, By::Contact)),
        ("a thread of others", None, &[8], None, new(Some(8))),
        ("a thread of others and a number", None, &[8], Some(2), reply(2, By::Contact)),
        ("a number of others", None, &[], Some(9), new(Some(9))),
        ("a thread and a number of others", None, &[8], Some(9), new(Some(8))),
    ];
    for (what, token, thread, subject, expected) in rows {
        let known = Known {
            by_token: token.map(ticket),
            by_thread: thread.iter().copied().map(ticket).collect(),
            by_subject: subject.map(ticket),
            ..known()
        };
        check(what, &mail(), &known, expected);
    }
}

#[test]
fn an_agent_is_believed_with_a_token_and_a_proof() {
    let hold = Verdict::Hold;
    for (token, origin, expected) in [
        (Some(1), Origin::Aligned, reply(1, By::Agent)),
        (Some(1), Origin::TrustedRelay, reply(1, By::Agent)),
        (Some(1), Origin::Unproven, hold(HoldReason::UnprovenAgent)),
        (Some(1), Origin::Refuted, hold(HoldReason::DmarcFailed)),
        (None, Origin::Aligned, hold(HoldReason::AgentWithoutTicket)),
        (None, Origin::TrustedRelay, hold(HoldReason::AgentWithoutTicket)),
        (None, Origin::Unproven, hold(HoldReason::UnprovenAgent)),
        (None, Origin::Refuted, hold(HoldReason::DmarcFailed)),
    ] {
        // What the agent takes part in is no proof.
        let known = Known {
            by_token: token.map(ticket),
            by_thread: vec![ticket(1)],
            by_subject: Some(ticket(1)),
            is_from_agent: true,
            origin,
            ..known()
        };
        check(&format!("{token:?} {origin}"), &mail(), &known, &expected);
    }
    let two = Parsed { from: vec![person("agent@desk.test"), person("zoe@reseller.test")], ..Parsed::default() };
    let known = Known { by_token: Some(ticket(1)), is_from_agent: true, origin: Origin::Aligned, ..known() };
    check("two authors", &two, &known, &hold(HoldReason::UnprovenAgent));
}

#[test]
fn what_is_held_and_what_comes_first() {
    let with_token = Known { by_token: Some(ticket(1)), ..known() };
    let hold = Verdict::Hold;
    let nobody = Parsed { from: Vec::new(), ..mail() };
    check("nobody", &nobody, &with_token, &hold(HoldReason::NoSender));
    check("spam", &Parsed { is_spam: true, ..mail() }, &with_token, &hold(HoldReason::Spam));
    check("spam by a machine", &Parsed { is_spam: true, ..by_machine() }, &with_token, &hold(HoldReason::Spam));
    let refuted = Known { origin: Origin::Refuted, ..with_token.clone() };
    check("refuted", &mail(), &refuted, &hold(HoldReason::DmarcFailed));
    check("refuted by a machine", &by_machine(), &refuted, &hold(HoldReason::DmarcFailed));
    check("our own", &Parsed { is_our_own: true, ..mail() }, &with_token, &hold(HoldReason::OurOwn));
    let from_us = Known { is_from_mailbox: true, ..with_token.clone() };
    check("from our mailbox", &mail(), &from_us, &hold(HoldReason::OurOwn));
    let round = Known { is_going_round: true, ..with_token.clone() };
    check("going round", &mail(), &round, &hold(HoldReason::Loop));
    check("a report going round", &report(), &round, &hold(HoldReason::Loop));
    let oversized = Known { is_oversized: true, is_going_round: true, ..with_token };
    check("oversized", &report(), &oversized, &hold(HoldReason::Oversized));
}

#[test]
fn machines_answer_nothing() {
    let automatic = |number: Option<u128>| Verdict::Automatic { ticket: number.map(ticket) };
    check("nothing known", &by_machine(), &known(), &automatic(None));
    check("a token", &by_machine(), &Known { by_token: Some(ticket(9)), ..known() }, &automatic(Some(9)));
    check("a thread of others", &by_machine(), &Known { by_thread: vec![ticket(8), ticket(1)], ..known() }, &automatic(Some(8)));
    check("a number alone", &by_machine(), &Known { by_subject: Some(ticket(1)), ..known() }, &automatic(None));
    let survey = Known { survey: Some((Uuid::from_u128(5), Some(ticket(1)))), ..known() };
    check("out of office after a survey", &by_machine(), &survey, &automatic(Some(1)));
    check("an agent out of office", &by_machine(), &Known { is_from_agent: true, ..known() }, &automatic(None));
}

#[test]
fn words_to_a_survey_wait_for_a_person() {
    let survey = Known { survey: Some((Uuid::from_u128(5), Some(ticket(9)))), by_thread: vec![ticket(1)], ..known() };
    check("words", &mail(), &survey, &Verdict::SurveyReply { invitation: Uuid::from_u128(5), ticket: Some(ticket(9)) });
}

#[test]
fn reports_are_about_our_letters_or_held() {
    for is_proven in [true, false] {
        let letter = Letter { id: Uuid::from_u128(5), is_proven };
        let known = Known { letter: Some(letter), by_token: Some(ticket(1)), ..known() };
        check("ours", &report(), &known, &Verdict::Bounce(letter));
        check("refuted", &report(), &Known { origin: Origin::Refuted, ..known.clone() }, &Verdict::Bounce(letter));
    }
    check("not ours", &report(), &Known { by_token: Some(ticket(1)), ..known() }, &Verdict::Hold(HoldReason::ForeignReport));
}

#[test]
fn numbers_of_tickets_in_subjects() {
    for (subject, expected) in [
        ("Re: Help [#1042]", Some(1042)),
        ("[#7] Help", Some(7)),
        ("Order #55, see [#1042]", Some(1042)),
        ("about #1042.", Some(1042)),
        ("(#1042)", Some(1042)),
        ("issue#1042", None),
        ("&#1042;", None),
        ("#1042abc", None),
        ("#1042-7", None),
        ("#0", None),
        ("[#]", None),
        ("#99999999999999999999", None),
        ("1042", None),
        ("#x #12", Some(12)),
        ("é#12 #13", Some(13)),
        ("", None),
    ] {
        assert_eq!(ticket_number(subject), expected, "{subject}");
    }
}

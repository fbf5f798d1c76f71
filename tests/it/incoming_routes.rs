//! Where mails go, by chance: any mail of the corpus, changed at any place, and anything that the desk may know of it.
use crate::incoming::{mutated, run};
use crate::support::{Test, plain};
use deskbell::ids::TicketId;
use deskbell::inbound::route::{By, Known, Letter, Origin, Verdict, route, ticket_number};
use deskbell::inbound::{Envelope, parse};
use proptest::prelude::*;
use uuid::Uuid;

/// Tests of this file.
pub const TESTS: &[Test] = plain![any_mail_is_routed_and_nobody_gets_in_by_chance];

fn ticket() -> impl Strategy<Value = TicketId> {
    (1..4_u128).prop_map(|number| TicketId(Uuid::from_u128(number)))
}

fn known() -> impl Strategy<Value = Known> {
    let tickets = || prop::collection::vec(ticket(), 0..3);
    let origin = prop::sample::select(vec![Origin::Unproven, Origin::Aligned, Origin::TrustedRelay, Origin::Refuted]);
    let survey = prop::option::of((Just(Uuid::from_u128(9)), prop::option::of(ticket())));
    let letter = prop::option::of(any::<bool>().prop_map(|is_proven| Letter { id: Uuid::from_u128(8), is_proven }));
    let named = (prop::option::of(ticket()), tickets(), prop::option::of(ticket()), tickets());
    (named, survey, letter, origin, any::<[bool; 4]>()).prop_map(|(named, survey, letter, origin, flags)| {
        let (by_token, by_thread, by_subject, takes_part_in) = named;
        let [is_from_agent, is_from_mailbox, is_oversized, is_going_round] = flags;
        Known {
            by_token,
            by_thread,
            by_subject,
            takes_part_in,
            survey,
            letter,
            is_from_agent,
            is_from_mailbox,
            origin,
            is_oversized,
            is_going_round,
        }
    })
}

fn any_mail_is_routed_and_nobody_gets_in_by_chance() {
    run((mutated(), known()), |(raw, known)| {
        let parsed = parse(&raw, Envelope::default());
        let _ = ticket_number(&parsed.subject);
        let verdict = route(&parsed, &known);
        assert_eq!(verdict, route(&parsed, &known), "the same mail goes the same way");
        match verdict {
            Verdict::Reply { ticket, by: By::Agent } => {
                assert!(known.is_from_agent && known.by_token == Some(ticket));
                assert!(known.origin == Origin::TrustedRelay || known.origin == Origin::Aligned && parsed.from.len() == 1);
            }
            Verdict::Reply { ticket, by: By::Contact } => {
                assert!(!known.is_from_agent && parsed.machine.is_none());
                assert!(known.by_token == Some(ticket) || known.takes_part_in.contains(&ticket));
            }
            Verdict::NewTicket { .. } | Verdict::SurveyReply { .. } => {
                assert!(parsed.machine.is_none() && !known.is_from_agent && known.origin != Origin::Refuted);
                assert!(parsed.author().is_some() && !parsed.is_spam && !known.is_going_round);
            }
            Verdict::Hold(_) | Verdict::Automatic { .. } | Verdict::Bounce(_) => {}
        }
    });
}

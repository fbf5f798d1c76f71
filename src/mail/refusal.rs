//! What a mail server means that refuses a letter for good: the status in its answer, or what it says of the address alone. Pure.
use crate::inbound::model::{Action, Recipient};

/// What stands for an address that is refused without a status: "other address status" (RFC 3463, 3.2).
const ADDRESS_REFUSED: (u16, u16, u16) = (5, 1, 0);
/// What stands for a refusal of which nothing more is known.
const REFUSED: (u16, u16, u16) = (5, 0, 0);

/// The first status of the class 5 in an answer (RFC 3463). One about nothing in particular (`5.0.0`) says nothing.
pub fn status(said: &str) -> Option<(u16, u16, u16)> {
    let number = |text: &str| text.parse::<u16>().ok().filter(|_| text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit()));
    let read = |word: &str| {
        let mut numbers = word.trim_matches(['#', ':', ',', '(', ')', '[', ']']).split('.').map(number);
        let status = (numbers.next()??, numbers.next()??, numbers.next()??);
        (numbers.next().is_none() && status.0 == 5 && status.1 != 0).then_some(status)
    };
    said.split_whitespace().find_map(read)
}

/// The refusal as a report would tell it. `about_address` is what the server said of the address alone, where it was asked and
/// refused that too.
pub fn reported(address: &str, said: &str, about_address: Option<&str>) -> Recipient {
    let status = status(said).or_else(|| about_address.map(|said| self::status(said).unwrap_or(ADDRESS_REFUSED)));
    Recipient {
        final_recipient: address.to_owned(),
        original_recipient: None,
        action: Action::Failed,
        status: status.unwrap_or(REFUSED),
        diagnostic: Some(about_address.unwrap_or(said).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbound::model::Consequence;

    #[test]
    fn a_refusal_is_read_as_a_report_would_be() {
        let suppress = Consequence::SuppressAddress;
        let fail = Consequence::FailLetter;
        for (said, about_address, expected, consequence) in [
            ("permanent error (550): 5.1.1 no such user", None, "5.1.1", suppress),
            ("permanent error (550): 5.1.7 bad sender", None, "5.1.7", fail),
            ("permanent error (552): 5.2.2 mailbox full", None, "5.2.2", fail),
            ("permanent error (550): <a@b>: [#5.7.1] spam", None, "5.7.1", fail),
            ("permanent error (550): #5.7.1: spam", None, "5.7.1", fail),
            // The server says nothing in particular: what it says of the address decides.
            ("permanent error (550): go away", None, "5.0.0", fail),
            ("permanent error (550): 5.0.0 go away", Some("permanent error (550): 5.0.0 no"), "5.1.0", suppress),
            ("permanent error (554)", Some("permanent error (550): 5.7.1 not from you"), "5.7.1", fail),
            ("permanent error (554): 5.6.0 bad", Some("permanent error (550): 5.1.1 unknown"), "5.6.0", fail),
            ("permanent error (550): mx 10.5.1.1 says 5.1", None, "5.0.0", fail),
            ("permanent error (550): 5.1.1111 x 2.1.1", None, "5.0.0", fail),
        ] {
            let found = reported("a@b.example", said, about_address);
            assert_eq!((found.status_text().as_str(), found.consequence()), (expected, consequence), "{said}");
        }
    }
}

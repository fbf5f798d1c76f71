//! Addresses that prove which ticket or letter a mail is about: our mailbox, a tag, and a MAC over both. Pure.
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// Bytes of the MAC that are in the address: 80 bits.
const MAC_BYTES: usize = 10;
/// A local part past this is none (RFC 5321, 4.5.3.1.1).
const LOCAL_PART_MAX_BYTES: usize = 64;
/// Digits of base 32 in lower case: mail servers may change the case of an address (RFC 4648, 6).
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// What else is signed by the same key never looks like this.
const PURPOSE: &[u8] = b"deskbell mail address 1\0";

/// What an address is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// Replies to the ticket of that number go here.
    Ticket(i64),
    /// What cannot be delivered of the survey of that invitation comes back here, and so do replies to it.
    Survey(Uuid),
    /// What cannot be delivered of that letter comes back here.
    Letter(Uuid),
}

/// What an address says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It has no tag of ours.
    Plain,
    /// It has a tag, but not by us.
    Forged,
    /// It has this tag.
    Valid(Tag),
}

impl Tag {
    fn text(self) -> String {
        match self {
            Self::Ticket(number) => format!("t{number}"),
            Self::Survey(id) => format!("s{}", base32(id.as_bytes())),
            Self::Letter(id) => format!("r{}", base32(id.as_bytes())),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let id = |text: &str| unbase32(text)?.try_into().ok().map(Uuid::from_bytes);
        let tag = match text.split_at_checked(1)? {
            ("t", number) => Self::Ticket(number.parse().ok().filter(|number| *number > 0)?),
            ("s", text) => Self::Survey(id(text)?),
            ("r", text) => Self::Letter(id(text)?),
            _ => return None,
        };
        // One way to write each.
        (tag.text() == text).then_some(tag)
    }
}

fn signed(key: &[u8], mailbox: &str, tag: &str) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(PURPOSE);
    mac.update(mailbox.to_lowercase().as_bytes());
    mac.update(b"\0");
    mac.update(tag.as_bytes());
    Some(mac)
}

/// `support@x` with a tag: `support+t1042.<mac>@x`. None where `mailbox` is no address or too long for a tag.
pub fn address(key: &[u8], mailbox: &str, tag: Tag) -> Option<String> {
    let (local, domain) = mailbox.rsplit_once('@')?;
    let tag = tag.text();
    let mac = signed(key, mailbox, &tag)?.finalize().into_bytes();
    let local = format!("{local}+{tag}.{}", base32(mac.get(..MAC_BYTES)?));
    (local.len() <= LOCAL_PART_MAX_BYTES).then(|| format!("{local}@{domain}"))
}

/// The mailbox behind an address, without its tag if it has one, in lower case.
pub fn mailbox(address: &str) -> String {
    let address = address.trim().to_lowercase();
    match parts(&address) {
        Some((mailbox, ..)) => mailbox,
        None => address,
    }
}

/// Mailbox, tag and MAC of an address in lower case that looks as if it had them.
fn parts(address: &str) -> Option<(String, &str, &str)> {
    let (local, domain) = address.rsplit_once('@')?;
    let (local, tagged) = local.rsplit_once('+')?;
    let (tag, mac) = tagged.split_once('.')?;
    let is_ours = mac.len() == (MAC_BYTES * 8).div_ceil(5) && tag.starts_with(['t', 's', 'r']);
    is_ours.then(|| (format!("{local}@{domain}"), tag, mac))
}

/// What an address says, its MAC checked in constant time.
pub fn check(key: &[u8], address: &str) -> Checked {
    let address = address.trim().to_lowercase();
    let Some((mailbox, text, mac)) = parts(&address) else { return Checked::Plain };
    let proven = || {
        let tag = Tag::read(text)?;
        signed(key, &mailbox, text)?.verify_truncated_left(&unbase32(mac)?).ok()?;
        Some(tag)
    };
    proven().map_or(Checked::Forged, Checked::Valid)
}

fn base32(bytes: &[u8]) -> String {
    let (mut out, mut held, mut bits) = (String::new(), 0_u32, 0_u32);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(DIGITS[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(char::from(DIGITS[(held << (5 - bits) & 31) as usize]));
    }
    out
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut held, mut bits) = (Vec::new(), 0_u32, 0_u32);
    for digit in text.bytes() {
        let value = DIGITS.iter().position(|own| *own == digit)?;
        held = held << 5 | value as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    // What is left over is nothing.
    (held == 0 && bits < 5).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key of the desk";

    fn tags() -> [Tag; 3] {
        [Tag::Ticket(1042), Tag::Survey(Uuid::from_u128(7)), Tag::Letter(Uuid::from_u128(u128::MAX))]
    }

    #[test]
    fn what_is_made_is_valid_in_any_case_of_letters() {
        for tag in tags() {
            let made = address(KEY, "Support@Desk.test", tag).expect("an address");
            assert_eq!(check(KEY, &made), Checked::Valid(tag), "{made}");
            assert_eq!(check(KEY, &made.to_uppercase()), Checked::Valid(tag), "{made}");
            assert_eq!(mailbox(&made), "support@desk.test");
        }
        let made = address(KEY, "support@desk.test", Tag::Ticket(1042)).expect("an address");
        assert!(made.starts_with("support+t1042.") && made.ends_with("@desk.test") && made.len() == 40, "{made}");
    }

    #[test]
    fn one_changed_character_is_forged() {
        for tag in tags() {
            let made = address(KEY, "support@desk.test", tag).expect("an address");
            let from = made.find('+').expect("a tag") + 2;
            let to = made.find('@').expect("a domain");
            for at in from..to {
                let mut other = made.clone();
                let digit = if &made[at..=at] == "3" { "4" } else { "3" };
                other.replace_range(at..=at, digit);
                assert!(!matches!(check(KEY, &other), Checked::Valid(_)), "{other}");
            }
            assert_eq!(check(b"another key", &made), Checked::Forged);
            assert_eq!(check(KEY, &made.replace("support", "sales")), Checked::Forged);
            assert_eq!(check(KEY, &made.replace("desk.test", "other.test")), Checked::Forged);
        }
    }

    #[test]
    fn other_addresses_are_plain() {
        for plain in
            ["support@desk.test", "support+vip@desk.test", "support+a.b@desk.test", "", "@", "+t1.x@y", "support+t1@desk.test"]
        {
            assert_eq!(check(KEY, plain), Checked::Plain, "{plain}");
        }
        let zeros = format!("support+t01042.{}@desk.test", "a".repeat(16));
        assert_eq!(check(KEY, &zeros), Checked::Forged);
    }

    #[test]
    fn a_mailbox_too_long_for_a_tag_has_none() {
        assert_eq!(address(KEY, &format!("{}@desk.test", "a".repeat(50)), Tag::Ticket(1)), None);
        assert_eq!(address(KEY, "no address", Tag::Ticket(1)), None);
    }
}

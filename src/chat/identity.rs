//! Who a visitor is: an id that the desk signed, or a token (JWT, HS256) that the host site signed with its secret. Pure.
use crate::ids::{AttachmentId, ChatId, VisitorId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

/// A visitor is known again for so long.
const KNOWN_FOR: TimeDelta = TimeDelta::days(180);
/// Clocks of two servers may differ by so much.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// What else is signed by the same key never looks like this.
const OF_VISITORS: &[u8] = b"deskbell chat visitor 1\0";
/// Turns the subject of a host site into the id of a visitor.
const OF_SUBJECTS: &[u8] = b"deskbell chat subject 1\0";
/// What addresses of files are signed by.
const OF_DOORS: &[u8] = b"deskbell chat door 1\0";
/// A longer token is none.
const TOKEN_MAX_BYTES: usize = 4_096;
/// Characters of a subject at the most.
const SUBJECT_MAX: usize = 255;

/// What a host site says about the person who is signed in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The site's own name of them.
    pub subject: String,
    /// Their address, which the site knows to be theirs.
    pub email: Option<String>,
    /// What they are called.
    pub name: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    email: Option<String>,
    name: Option<String>,
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    Some(mac)
}

/// The text that a browser keeps: id, end, signature. It is good at the site of `origin` alone.
pub fn sign(key: &[u8], origin: &str, id: VisitorId, now: DateTime<Utc>) -> Option<String> {
    let said = format!("{}.{}", id.0.simple(), (now + KNOWN_FOR).timestamp());
    let mac = mac(key, &[OF_VISITORS, origin.as_bytes(), said.as_bytes()])?.finalize().into_bytes();
    Some(format!("{said}.{}", URL_SAFE_NO_PAD.encode(mac)))
}

/// The visitor behind a text that [`sign`] made for this site and that is still good; compares in constant time.
pub fn read(key: &[u8], origin: &str, text: &str, now: DateTime<Utc>) -> Option<VisitorId> {
    let (said, signature) = text.rsplit_once('.')?;
    let given = URL_SAFE_NO_PAD.decode(signature).ok()?;
    mac(key, &[OF_VISITORS, origin.as_bytes(), said.as_bytes()])?.verify_slice(&given).ok()?;
    let (id, until) = said.split_once('.')?;
    let until = DateTime::from_timestamp(until.parse().ok()?, 0)?;
    (now < until).then(|| id.parse().ok()).flatten()
}

/// The visitor that a site's subject is: the same one on every node, and the subject is stored nowhere.
pub fn visitor_of(key: &[u8], origin: &str, subject: &str) -> Option<VisitorId> {
    let mac = mac(key, &[OF_SUBJECTS, origin.as_bytes(), subject.as_bytes()])?.finalize().into_bytes();
    let bytes: [u8; 16] = mac.get(..16)?.try_into().ok()?;
    Some(VisitorId(uuid::Builder::from_custom_bytes(bytes).into_uuid()))
}

/// What can be reached by a signed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A file can be fetched.
    File(AttachmentId),
    /// Files can be handed in to a chat.
    Upload(ChatId),
}

impl Door {
    fn mac(self, key: &[u8]) -> Option<Hmac<Sha256>> {
        match self {
            Self::File(id) => mac(key, &[OF_DOORS, b"file", id.0.as_bytes()]),
            Self::Upload(id) => mac(key, &[OF_DOORS, b"upload", id.0.as_bytes()]),
        }
    }
}

/// What stands in a signed address: always the same for the same thing.
pub fn seal(key: &[u8], door: Door) -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(door.mac(key)?.finalize().into_bytes()))
}

/// Whether [`seal`] made this text for it; compares in constant time.
pub fn is_sealed(key: &[u8], door: Door, text: &str) -> bool {
    let given = URL_SAFE_NO_PAD.decode(text).ok();
    given.zip(door.mac(key)).is_some_and(|(given, mac)| mac.verify_slice(&given).is_ok())
}

/// Reads a JWT of the host site: HS256 and nothing else, with `sub` and an `exp` that is still to come. None where it is no good.
pub fn verify(secret: &str, token: &str, now: DateTime<Utc>) -> Option<Identity> {
    if secret.is_empty() || token.len() > TOKEN_MAX_BYTES {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let Claims { sub, exp, nbf, email, name } = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let is_named = (1..=SUBJECT_MAX).contains(&sub.chars().count());
    let now = now.timestamp() as f64;
    let is_now = exp > now && nbf.is_none_or(|from| from <= now + LEEWAY.num_seconds() as f64);
    (header.alg == "HS256" && is_named && is_now).then_some(Identity { subject: sub, email, name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const KEY: &[u8] = b"a key of the desk";
    const SITE: &str = "https://www.desk.example";
    const SECRET: &str = "a-secret-that-only-site-and-desk-know";

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("an instant").to_utc()
    }

    fn now() -> DateTime<Utc> {
        at("2026-06-10T14:00:00Z")
    }

    #[test]
    fn a_signed_visitor_is_known_again_at_the_same_site_until_it_runs_out() {
        let id = VisitorId(Uuid::from_u128(7));
        let text = sign(KEY, SITE, id, now()).expect("a text");
        assert_eq!(read(KEY, SITE, &text, now()), Some(id));
        assert_eq!(read(KEY, SITE, &text, now() + KNOWN_FOR - TimeDelta::seconds(1)), Some(id));
        assert_eq!(read(KEY, SITE, &text, now() + KNOWN_FOR), None);
        assert_eq!(read(KEY, "https://other.example", &text, now()), None);
        assert_eq!(read(b"another key", SITE, &text, now()), None);
        for at in 0..text.len() {
            let mut other = text.clone();
            let digit = if &text[at..=at] == "3" { "4" } else { "3" };
            other.replace_range(at..=at, digit);
            // The last digit of base64 has bits that mean nothing; they must be zero.
            assert_eq!(read(KEY, SITE, &other, now()), None, "{other}");
        }
        for text in ["", ".", "..", "a.b.c", "\u{1f600}.1.2"] {
            assert_eq!(read(KEY, SITE, text, now()), None, "{text}");
        }
    }

    #[test]
    fn an_address_is_good_for_its_own_thing_alone() {
        let (file, chat) = (AttachmentId(Uuid::from_u128(7)), ChatId(Uuid::from_u128(7)));
        let text = seal(KEY, Door::File(file)).expect("a text");
        assert!(is_sealed(KEY, Door::File(file), &text));
        assert!(!is_sealed(KEY, Door::File(AttachmentId(Uuid::from_u128(8))), &text));
        assert!(!is_sealed(KEY, Door::Upload(chat), &text), "the same number, another thing");
        assert!(!is_sealed(b"another key", Door::File(file), &text));
        for text in ["", "x", "\u{1f600}", &text[1..]] {
            assert!(!is_sealed(KEY, Door::File(file), text), "{text}");
        }
    }

    fn token(header: &str, claims: &str, secret: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    #[track_caller]
    fn check(header: &str, claims: &str, secret: &str, expected: bool) {
        assert_eq!(verify(SECRET, &token(header, claims, secret), now()).is_some(), expected, "{header} {claims}");
    }

    #[test]
    fn a_token_of_the_site_is_taken_and_any_other_is_not() {
        let soon = now().timestamp() + 60;
        let good = format!(r#"{{"sub":"r-42","exp":{soon},"email":"ana@nordwind.example","name":"Ana","more":1}}"#);
        let read = verify(SECRET, &token(HS256, &good, SECRET), now()).expect("an identity");
        assert_eq!((read.subject.as_str(), read.email.as_deref()), ("r-42", Some("ana@nordwind.example")));
        check(HS256, &good, "another secret", false);
        check(r#"{"alg":"none"}"#, &good, SECRET, false);
        check(r#"{"alg":"HS512"}"#, &good, SECRET, false);
        check(r#"{"typ":"JWT"}"#, &good, SECRET, false);
        check(HS256, &format!(r#"{{"sub":"r-42","exp":{}}}"#, now().timestamp()), SECRET, false);
        check(HS256, &format!(r#"{{"sub":"r-42","exp":{soon},"nbf":{}}}"#, soon + 60), SECRET, false);
        check(HS256, r#"{"sub":"r-42"}"#, SECRET, false);
        check(HS256, &format!(r#"{{"exp":{soon}}}"#), SECRET, false);
        check(HS256, &format!(r#"{{"sub":"","exp":{soon}}}"#), SECRET, false);
        assert!(verify("", &token(HS256, &good, ""), now()).is_none(), "no secret, no identity");
        for text in ["", ".", "..", "a.b", &format!("{}.", token(HS256, &good, SECRET)), &"x".repeat(5_000)] {
            assert!(verify(SECRET, text, now()).is_none(), "{text}");
        }
    }

    /// Made by PyJWT 2.15: `jwt.encode({"sub": "r-42", "exp": 1800000000}, SECRET, algorithm="HS256")`.
    #[test]
    fn a_token_of_another_maker_is_read() {
        let made = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJyLTQyIiwiZXhwIjoxODAwMDAwMDAwfQ.rwS7F3mH-yhd0fdUHyfzbyLYEJyk7O_vFH38Lx6-hoI";
        assert!(verify(SECRET, made, now()).is_some());
    }

    #[test]
    fn a_subject_is_one_visitor_at_each_site() {
        let of = |site, subject| visitor_of(KEY, site, subject).expect("a visitor");
        assert_eq!(of(SITE, "a"), of(SITE, "a"));
        assert_ne!(of(SITE, "a"), of(SITE, "b"));
        assert_ne!(of(SITE, "a"), of("https://other.example", "a"));
    }
}

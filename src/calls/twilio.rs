//! Twilio's way of signing its requests, and the answers (TwiML) that tell it what to do with a call. Pure.
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::collections::{BTreeMap, BTreeSet};

/// Numbers that Twilio rings at once at the most.
pub const NUMBERS_MAX: usize = 10;
/// What Twilio writes for a caller whose number is withheld.
const WITHHELD: &str = "+266696687";
/// A message at the most, in seconds.
const MESSAGE_SECONDS: u32 = 180;

/// The fields of a form.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Form(BTreeMap<String, BTreeSet<String>>);

impl Form {
    /// Reads an `application/x-www-form-urlencoded` body.
    pub fn read(body: &[u8]) -> Self {
        let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            fields.entry(name.into_owned()).or_default().insert(value.into_owned());
        }
        Self(fields)
    }

    /// A field that says something.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(BTreeSet::first).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The number of the one who calls; none where it is withheld.
    pub fn from(&self) -> Option<&str> {
        self.get("From").filter(|number| *number != WITHHELD)
    }

    /// What Twilio signs beside the address: each name with each of its values, sorted.
    fn signed(&self) -> String {
        self.0.iter().flat_map(|(name, values)| values.iter().flat_map(move |value| [name.as_str(), value.as_str()])).collect()
    }

    /// When Twilio says that it happened: its whole second, read to its end so that no wait is shortened, and never after `now`.
    pub fn moment(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let said = self.get("Timestamp").and_then(|text| DateTime::parse_from_rfc2822(text).ok());
        said.map_or(now, |at| (at.to_utc() + TimeDelta::seconds(1)).min(now))
    }
}

/// The address with its port and without: Twilio signs now the one, now the other.
fn addresses(url: &str) -> [String; 2] {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let bare = host.split(':').next().unwrap_or(host);
    let port = host.split_once(':').map_or(if scheme == "https" { "443" } else { "80" }, |(_, port)| port);
    [format!("{scheme}://{bare}{path}"), format!("{scheme}://{bare}:{port}{path}")]
}

/// Whether a request to `url` with this form was signed with the account's auth token; compares in constant time.
pub fn is_signed(auth_token: &str, url: &str, form: &Form, signature: &str) -> bool {
    let Ok(given) = STANDARD.decode(signature.trim()) else { return false };
    if auth_token.is_empty() {
        return false;
    }
    let fields = form.signed();
    // Both are tried, whichever fits.
    addresses(url)
        .map(|address| {
            let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()) else { return false };
            mac.update(address.as_bytes());
            mac.update(fields.as_bytes());
            mac.verify_slice(&given).is_ok()
        })
        .contains(&true)
}

/// Text for XML, as an attribute or between tags.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no way to write these.
            c if c.is_control() && !c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

fn response(verbs: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{verbs}</Response>")
}

/// Ends the call.
pub fn hang_up() -> String {
    response("<Hangup/>")
}

/// Rings all numbers at once for so many seconds; each one's answer is told to `leg_url`, what came of it to `next_url`.
pub fn ring(numbers: &[String], seconds: u32, next_url: &str, leg_url: &str) -> String {
    let (next, leg) = (escaped(next_url), escaped(leg_url));
    let number = |number: &String| {
        format!(
            "<Number statusCallback=\"{leg}\" statusCallbackEvent=\"ringing answered\" statusCallbackMethod=\"POST\">{}</Number>",
            escaped(number)
        )
    };
    let numbers: String = numbers.iter().take(NUMBERS_MAX).map(number).collect();
    response(&format!("<Dial timeout=\"{seconds}\" answerOnBridge=\"true\" action=\"{next}\" method=\"POST\">{numbers}</Dial>"))
}

/// Says why nobody comes and takes a message.
pub fn take_message(text: &str, recorded_url: &str, transcribed_url: &str) -> String {
    response(&format!(
        "<Say>{}</Say><Record action=\"{}\" method=\"POST\" maxLength=\"{MESSAGE_SECONDS}\" playBeep=\"true\" transcribe=\"true\" \
         transcribeCallback=\"{}\"/><Hangup/>",
        escaped(text),
        escaped(recorded_url),
        escaped(transcribed_url),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        Form::read(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().as_bytes())
    }

    /// Signed by Twilio's own Python library.
    const URL: &str = "https://example.com/myapp.php?foo=1&bar=2";
    const TOKEN: &str = "12345";
    const SIGNATURE: &str = "vNe7KK2kJwCsxc9K3OLkkKB3qqI=";

    fn fields() -> Form {
        form(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
            ("From", "+12349013030"),
            ("To", "+18005551212"),
        ])
    }

    #[test]
    fn the_right_signature_is_taken_and_any_other_wrong() {
        assert!(is_signed(TOKEN, URL, &fields(), SIGNATURE));
        assert!(!is_signed("12346", URL, &fields(), SIGNATURE));
        assert!(!is_signed("", URL, &fields(), SIGNATURE));
        assert!(!is_signed(TOKEN, "https://example.com/myapp.php?foo=1", &fields(), SIGNATURE));
        assert!(!is_signed(TOKEN, URL, &form(&[("CallSid", "CA1")]), SIGNATURE));
        for wrong in ["", "=", "vNe7KK2kJwCsxc9K3OLkkKB3qqJ=", "vNe7"] {
            assert!(!is_signed(TOKEN, URL, &fields(), wrong), "{wrong:?}");
        }
    }

    #[test]
    fn the_usual_port_may_be_signed_or_not() {
        for (url, expected) in [
            ("https://a.example/x?y", ["https://a.example/x?y", "https://a.example:443/x?y"]),
            ("http://a.example:8080/x", ["http://a.example/x", "http://a.example:8080/x"]),
            ("http://a.example", ["http://a.example", "http://a.example:80"]),
        ] {
            assert_eq!(addresses(url), expected);
        }
    }

    #[test]
    fn what_is_said_stays_text() {
        let xml = take_message("Tom & \"Jerry\" <Hangup/>\0", "https://a.example/r?a=1&b=2", "https://a.example/t");
        assert!(xml.contains("<Say>Tom &amp; &quot;Jerry&quot; &lt;Hangup/&gt;</Say>"), "{xml}");
        assert!(xml.contains("action=\"https://a.example/r?a=1&amp;b=2\""), "{xml}");
    }

    #[test]
    fn a_second_of_twilio_is_read_to_its_end_and_never_ahead() {
        let now = "2026-06-10T14:00:10.4Z".parse().unwrap_or_default();
        let at = |text: &str| form(&[("Timestamp", text)]).moment(now);
        assert_eq!(at("Wed, 10 Jun 2026 14:00:05 +0000"), now - TimeDelta::milliseconds(4_400));
        assert_eq!(at("Wed, 10 Jun 2026 14:00:10 +0000"), now);
        assert_eq!(at("soon"), now);
    }
}

//! Signatures of Standard Webhooks 1.0: HMAC-SHA256 over id, timestamp and body. Pure.
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How a secret begins where people see it.
const PREFIX: &str = "whsec_";

/// A secret as it is handed out.
pub fn shown(secret: &[u8]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(secret))
}

/// One signature, with its version in front.
fn sign(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// What the header `webhook-signature` holds: one signature a secret, the newest first.
pub fn header(secrets: &[&[u8]], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures: Vec<String> = secrets.iter().filter_map(|secret| sign(secret, id, timestamp, body)).collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the reference implementations.
    #[test]
    fn the_published_vector() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let body = br#"{"test": 2432232314}"#;
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(header(&[&secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body), expected);
        assert_eq!(shown(&secret), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }

    #[test]
    fn after_a_rotation_both_secrets_sign() {
        let both = header(&[b"new", b"old"], "msg_1", 5, b"{}");
        let (new, old) = both.split_once(' ').expect("two");
        assert_eq!(new, header(&[b"new"], "msg_1", 5, b"{}"));
        assert_eq!(old, header(&[b"old"], "msg_1", 5, b"{}"));
    }
}

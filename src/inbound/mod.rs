//! Mail coming in: stored byte by byte first ([`commands`]), then read ([`parse()`]), routed ([`route::route`]) and filed
//! ([`commands_filing`]) by a job. What a mail says and where it belongs is pure; the rest is the ways in and the rows.
pub mod api;
mod bounce;
pub mod commands;
pub mod commands_filing;
mod commands_known;
mod commands_reports;
mod decode;
pub mod deliver;
pub mod domains;
mod head;
pub mod html;
pub mod imap;
mod imap_session;
pub mod jobs;
pub mod keys;
pub mod lmtp;
mod machine;
pub mod mailboxes;
mod mime;
pub mod model;
mod parse;
mod people;
pub mod queries;
pub mod queries_sending;
pub mod quote;
mod quote_words;
pub mod route;
#[cfg(test)]
mod route_tests;
pub mod shown;
pub mod smtp_words;
mod store;
pub mod token;
pub mod wire;
mod words;

pub use model::{Envelope, Parsed};
pub use parse::parse;

#[cfg(test)]
mod smoke_tests {
    use super::*;

    #[test]
    fn a_plain_reply_is_read() {
        let raw = b"From: =?utf-8?q?Zo=C3=AB?= <Zoe@Example.ORG>\r\nTo: support@desk.test\r\nSubject: Re: help [#12]\r\nMessage-ID: <a@b>\r\nDate: Mon, 3 Mar 2025 10:11:12 +0100\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nYes, thanks.\r\n\r\nOn Mon, 3 Mar 2025 at 09:00, Desk <d@desk.test> wrote:\r\n> Is it?\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x<script>1</script><img src=http://x/y>\r\n--b--\r\n";
        let parsed = parse(raw, Envelope::default());
        assert_eq!(parsed.from, [model::Person { name: "Zoë".into(), address: "Zoe@example.org".into() }]);
        assert_eq!(parsed.said, "Yes, thanks.\n\nx");
        assert_eq!(parsed.defects, []);
        assert!(parsed.has_remote_images);
        assert_eq!(route::ticket_number(&parsed.subject), Some(12));
    }
}

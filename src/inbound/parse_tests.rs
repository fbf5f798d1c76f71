//! One mail, read as a whole; the corpus of the integration tests has the rest.
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

//! Who connected to the mail server that took a mail (`Received`, RFC 5321, 4.4), as far as a server that the desk believes wrote it
//! down: what SPF is asked about. Pure.
use super::head::{Of, read};
use super::model::Defects;
use std::net::IpAddr;

/// Hops that are looked at: the server itself, and filters on it that handed the mail on to it.
const HOPS_MAX: usize = 4;

/// Who handed a mail over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// From this address.
    pub ip: IpAddr,
    /// As who it greeted.
    pub helo: String,
    /// The envelope's sender, as the server noted it (`Return-Path`).
    pub return_path: Option<String>,
}

/// The client of the topmost hop by one of the servers in `trusted` that is not the server itself; none where anything about it is
/// in doubt.
pub fn client(raw: &[u8], trusted: &[String]) -> Option<Client> {
    if trusted.is_empty() {
        return None;
    }
    let (header, _) = read(raw, Of::Mail, &mut Defects::default());
    let return_path = header.first("return-path").map(|path| path.trim().trim_matches(['<', '>']).to_owned());
    for field in header.all("received").take(HOPS_MAX) {
        let (from, by) = hop(field)?;
        if !trusted.iter().any(|own| own.eq_ignore_ascii_case(by)) {
            return None;
        }
        let ip = only_address(from)?;
        if !ip.is_loopback() {
            let helo = from.split_whitespace().next().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            return Some(Client { ip, helo, return_path });
        }
    }
    None
}

/// What a field says between `from` and `by`, and the name behind `by`: the first `by` outside of comments.
fn hop(field: &str) -> Option<(&str, &str)> {
    let field = field.trim_start();
    if !field.get(..5)?.eq_ignore_ascii_case("from ") {
        return None;
    }
    let rest = field.get(5..)?;
    let mut depth = 0_usize;
    for (at, c) in rest.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            ' ' if depth == 0 && rest.get(at..at + 4).is_some_and(|word| word.eq_ignore_ascii_case(" by ")) => {
                let by = rest.get(at + 4..)?.trim_start();
                return Some((rest.get(..at)?, by.split([' ', ';', '(']).next()?));
            }
            _ => {}
        }
    }
    None
}

/// The address in brackets. What the client called itself stands there too, and it may call itself by another one's address: where two
/// are named, none is believed.
fn only_address(from: &str) -> Option<IpAddr> {
    let mut found = None;
    for literal in from.split('[').skip(1).filter_map(|rest| rest.split_once(']')) {
        let text = literal.0.trim();
        let text = text.get(..5).filter(|start| start.eq_ignore_ascii_case("IPv6:")).map_or(text, |start| &text[start.len()..]);
        let address: IpAddr = text.parse().ok()?;
        let address = address.to_canonical();
        if found.is_some_and(|other| other != address) {
            return None;
        }
        found = Some(address);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[&str], expected: Option<&str>) {
        let mail =
            format!("{}Subject: x\r\n\r\nHello.\r\n", fields.iter().map(|field| format!("{field}\r\n")).collect::<String>());
        let trusted = ["mx.desk.example".to_owned()];
        let found = client(mail.as_bytes(), &trusted);
        assert_eq!(found.map(|client| client.ip.to_string()).as_deref(), expected, "{fields:?}");
        assert_eq!(client(mail.as_bytes(), &[]), None);
    }

    #[test]
    fn the_topmost_hop_by_a_trusted_server_tells_who_connected() {
        let postfix = "Received: from mail.nordwind.example (mail.nordwind.example [192.0.2.7])\r\n\tby mx.desk.example (Postfix) with ESMTPS id 4; x";
        let filter = "Received: from localhost (localhost [127.0.0.1])\r\n by mx.desk.example (Postfix) with ESMTP id 5; x";
        let forged = "Received: from a.example (a.example [192.0.2.9]) by mx.desk.example (Postfix); x";
        check(&[postfix], Some("192.0.2.7"));
        check(&["Return-Path: <ana@nordwind.example>", postfix, forged], Some("192.0.2.7"));
        check(&[filter, postfix], Some("192.0.2.7"));
        check(&[&postfix.replace("192.0.2.7", "IPv6:2001:db8::7")], Some("2001:db8::7"));
        check(&[&postfix.replace("192.0.2.7", "::ffff:192.0.2.7")], Some("192.0.2.7"));
        check(&["received: FROM [192.0.2.7] (helo=mail.nordwind.example) BY MX.desk.example with esmtp; x"], Some("192.0.2.7"));
        check(&["Received: from [192.0.2.7] ([192.0.2.7]) by mx.desk.example;x"], Some("192.0.2.7"));
    }

    #[test]
    fn what_is_in_doubt_tells_nothing() {
        for field in [
            "Received: from a.example (a.example [192.0.2.7]) by mx.evil.example (Postfix); x",
            "Received: from a.example (by mx.desk.example [192.0.2.7]) by mx.evil.example; x",
            "Received: from [192.0.2.9] (b.example [192.0.2.7]) by mx.desk.example; x",
            "Received: from [192.0.2.7] (helo=[192.0.2.9]) by mx.desk.example; x",
            "Received: from by mx.desk.example (b.example [192.0.2.7]) by mx.evil.example; x",
            "Received: from a( (b.example [192.0.2.7]) by mx.desk.example; x",
            "Received: from a) (b.example [192.0.2.7]) by mx.desk.example; x",
            "Received: from a.example (a.example) by mx.desk.example; x",
            "Received: from a.example ([a.example]) by mx.desk.example; x",
            "Received: by mx.desk.example (Postfix, from userid 0); x",
            "Received: from localhost (localhost [127.0.0.1]) by mx.desk.example; x",
            "Received:",
        ] {
            check(&[field], None);
            let more = "Received: from a.example (a.example [192.0.2.9]) by elsewhere.example; x";
            check(&[field, more], None);
        }
        check(&[], None);
    }

    #[test]
    fn the_return_path_is_the_senders() {
        let mail = b"Return-Path: <ana@nordwind.example>\r\nReceived: from a.example ([192.0.2.7]) by mx.desk.example; x\r\n\r\n";
        let found = client(mail, &["MX.desk.example".to_owned()]);
        let expected = Client {
            ip: IpAddr::from([192, 0, 2, 7]),
            helo: "a.example".to_owned(),
            return_path: Some("ana@nordwind.example".to_owned()),
        };
        assert_eq!(found, Some(expected));
    }
}

//! What the mail server before the desk found out about a mail's origin (`Authentication-Results`, RFC 8601), and whether a domain
//! that passed is the author's. Pure.
use super::head::{Header, Of, read};
use super::model::{Defects, Parsed};
use super::route::Origin;

/// Fields that are read.
const FIELDS_MAX: usize = 20;

/// Whether what passed for `domain` says something about an author at `author`: the same domain, or one that `domain` is above of.
pub fn is_aligned(domain: &str, author: &str) -> bool {
    let (domain, author) = (domain.trim_end_matches('.').to_lowercase(), author.trim_end_matches('.').to_lowercase());
    let is_above = || author.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'));
    domain.contains('.') && (domain == author || is_above())
}

/// The domain of who wrote a mail; none where several people did, or nobody.
pub fn author_domain(parsed: &Parsed) -> Option<&str> {
    match parsed.from.as_slice() {
        [author] => author.address.rsplit_once('@').map(|(_, domain)| domain),
        _ => None,
    }
}

/// What the servers say that the desk believes, by the names that they write first in the field.
pub fn told(raw: &[u8], trusted: &[String], author: Option<&str>) -> Origin {
    if trusted.is_empty() {
        return Origin::Unproven;
    }
    let (header, _) = read(raw, Of::Mail, &mut Defects::default());
    of_header(&header, trusted, author)
}

fn of_header(header: &Header, trusted: &[String], author: Option<&str>) -> Origin {
    let mut origin = Origin::Unproven;
    for field in header.all("authentication-results").take(FIELDS_MAX) {
        let is_disowning = |result: &str| result.to_lowercase().replace(' ', "").contains("p=none");
        let (bare, whole) = (without_comments(field), parts(field));
        let mut results = bare.split(';');
        let server = results.next().and_then(|text| text.split_whitespace().next()).unwrap_or_default();
        if !trusted.iter().any(|own| own.eq_ignore_ascii_case(server)) {
            continue;
        }
        for (at, result) in results.enumerate() {
            let mut words = result.split_whitespace();
            let verdict = words.next().unwrap_or_default().to_lowercase();
            let value = |name: &str| {
                let is_named = |word: &&str| word.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
                result.split_whitespace().find(is_named).and_then(|word| word.get(name.len()..)).map(domain_of)
            };
            let passes = |domain: Option<&str>| domain.zip(author).is_some_and(|(domain, author)| is_aligned(domain, author));
            match verdict.as_str() {
                // What the domain says about itself: a policy of none asks for nothing.
                "dmarc=fail" if !whole.get(at + 1).is_some_and(|whole| is_disowning(whole)) => return Origin::Refuted,
                "dmarc=pass" if passes(value("header.from=")) => origin = Origin::Aligned,
                "dkim=pass" if passes(value("header.d=").or_else(|| value("header.i="))) => origin = Origin::Aligned,
                "spf=pass" if passes(value("smtp.mailfrom=")) => origin = Origin::Aligned,
                _ => {}
            }
        }
    }
    origin
}

fn domain_of(value: &str) -> &str {
    let value = value.trim_matches(['"', '<', '>', ',']);
    value.rsplit_once('@').map_or(value, |(_, domain)| domain)
}

/// A field at its semicolons outside of comments, with its comments.
fn parts(field: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0_usize);
    for c in field.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

fn without_comments(field: &str) -> String {
    let mut depth = 0_usize;
    let keep = |c: &char| {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => {
                depth -= 1;
                return false;
            }
            _ => {}
        }
        depth == 0
    };
    field.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_aligned_with_itself_and_what_is_below() {
        for (domain, author, expected) in [
            ("desk.example", "desk.example", true),
            ("DESK.example.", "desk.EXAMPLE", true),
            ("desk.example", "mail.desk.example", true),
            ("mail.desk.example", "desk.example", false),
            ("esk.example", "desk.example", false),
            ("example", "desk.example", false),
            ("", "desk.example", false),
        ] {
            assert_eq!(is_aligned(domain, author), expected, "{domain} {author}");
        }
    }

    #[test]
    fn only_a_trusted_servers_word_counts() {
        let own = ["mx.desk.example".to_owned()];
        for (field, expected) in [
            ("mx.desk.example; dkim=pass header.d=desk.example", Origin::Aligned),
            ("MX.desk.example 1; spf=pass (sender is ok; really) smtp.mailfrom=amir@desk.example", Origin::Aligned),
            ("mx.desk.example; dkim=pass header.i=@desk.example header.s=a", Origin::Aligned),
            ("mx.desk.example; spf=fail smtp.mailfrom=desk.example;\r\n dkim=pass (2048) header.d=desk.example", Origin::Aligned),
            ("mx.desk.example; dmarc=pass (p=reject) header.from=desk.example", Origin::Aligned),
            ("mx.desk.example; dkim=pass header.d=evil.example", Origin::Unproven),
            ("mx.desk.example; dkim=fail header.d=desk.example", Origin::Unproven),
            ("mx.desk.example; (dkim=pass header.d=desk.example) none", Origin::Unproven),
            ("mx.desk.example; spf=pass smtp.helo=desk.example", Origin::Unproven),
            ("mx.evil.example; dkim=pass header.d=desk.example", Origin::Unproven),
            ("mx.evil.example; dmarc=fail header.from=desk.example", Origin::Unproven),
            ("mx.desk.example; dmarc=fail (p=reject) header.from=desk.example", Origin::Refuted),
            ("mx.desk.example; dkim=pass header.d=desk.example; dmarc=fail header.from=desk.example", Origin::Refuted),
            ("mx.desk.example; dmarc=fail (p=NONE dis=NONE) header.from=desk.example", Origin::Unproven),
            ("mx.desk.example; dmarc=fail policy.dmarc=none (p = none) header.from=desk.example", Origin::Unproven),
            ("mx.desk.example", Origin::Unproven),
            ("", Origin::Unproven),
        ] {
            let raw = format!("Authentication-Results: {field}\r\nFrom: amir@desk.example\r\n\r\n");
            assert_eq!(told(raw.as_bytes(), &own, Some("desk.example")), expected, "{field}");
            assert_eq!(told(raw.as_bytes(), &[], Some("desk.example")), Origin::Unproven, "nobody is trusted");
        }
    }
}

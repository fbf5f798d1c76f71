//! Which domains can belong to an organization. Pure.

/// Domains where anybody can have an address: they say nothing about where somebody belongs.
const FREE: &[&str] = &[
    "aol.com",
    "fastmail.com",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.fr",
    "icloud.com",
    "inbox.lv",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "mailbox.org",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "seznam.cz",
    "t-online.de",
    "tutanota.com",
    "ukr.net",
    "web.de",
    "wp.pl",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
    "163.com",
    "126.com",
];

/// The one spelling of a domain; none for what is not one.
pub fn normal(text: &str) -> Option<String> {
    let name = text.trim().trim_end_matches('.').to_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    (name.len() <= 253 && name.contains('.') && name.split('.').all(is_label)).then_some(name)
}

/// Whether anybody can have an address there.
pub fn is_free(domain: &str) -> bool {
    FREE.contains(&domain)
}

/// The domain of a normal address.
pub fn of_address(address: &str) -> Option<String> {
    normal(address.rsplit_once('@')?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_one_spelling() {
        for (text, expected) in [
            ("Nordwind.Example.", Some("nordwind.example")),
            ("mail.nordwind.example", Some("mail.nordwind.example")),
            ("münchen.example", Some("münchen.example")),
            ("example", None),
            ("-a.example", None),
            ("a..example", None),
            ("a b.example", None),
            ("", None),
        ] {
            assert_eq!(normal(text).as_deref(), expected, "{text}");
        }
        assert_eq!(of_address("ana@nordwind.example").as_deref(), Some("nordwind.example"));
        assert!(is_free("gmail.com") && !is_free("nordwind.example"));
    }
}

//! What a file that is handed in may be, what it is called, and how it is served. Pure.

/// The longest name of a file, in characters.
pub const NAME_MAX: usize = 200;
/// The longest end of a name that is kept where the name is cut, in characters.
const EXTENSION_MAX: usize = 20;
/// The longest media type, in characters.
const MEDIA_TYPE_MAX: usize = 100;
/// What a file is where nobody says, and as what everything is served that a browser could run.
pub const OCTETS: &str = "application/octet-stream";
/// The name where the sender says none that can be used.
const NAMELESS: &str = "attachment";

/// Types that a browser runs, beside all that end in `+xml`.
const ACTIVE: [&str; 9] = [
    "text/html",
    "text/xml",
    "text/xsl",
    "text/javascript",
    "text/ecmascript",
    "application/javascript",
    "application/ecmascript",
    "application/x-javascript",
    "application/xml",
];

/// What the desk takes.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the settings of the same names")]
pub struct Limits<'a> {
    pub message_files_max: usize,
    pub message_bytes_max: u64,
    pub refused_extensions: &'a [String],
    pub media_types: &'a [String],
}

/// Why a file, or some together, are not taken: a stable word and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub &'static str, pub String);

/// Control characters, and those that turn the direction of a text or hide in it: `exe.gpj` must not read as `jpg.exe`.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// The name as it is kept: the last part of a path, without what is hidden, without dots and spaces at its ends, and short enough.
///
/// ```
/// use deskbell::attachments::model::clean_name;
/// assert_eq!(clean_name("C:\\mail\\In\r\nvoice \"7\".pdf. "), "Invoice \"7\".pdf");
/// ```
pub fn clean_name(said: &str) -> String {
    let last = said.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen: String = last.chars().filter(|c| !is_hidden(*c)).collect();
    let name = seen.trim_matches(|c: char| c.is_whitespace() || c == '.');
    if name.is_empty() {
        return NAMELESS.to_owned();
    }
    let length = name.chars().count();
    if length <= NAME_MAX {
        return name.to_owned();
    }
    let end = extension(name).map_or(String::new(), |end| format!(".{end}"));
    let end = if end.chars().count() > EXTENSION_MAX + 1 { String::new() } else { end };
    let stem: String = name.chars().take(NAME_MAX - end.chars().count()).collect();
    format!("{}{end}", stem.trim_end())
}

/// What follows the last dot.
fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, end)| end).filter(|end| !end.is_empty())
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
}

/// A media type as it is kept: lower case, without parameters but the charset of a text; anything else is just bytes.
pub fn media_type(essence: &str, charset: Option<&str>) -> String {
    let essence = essence.to_ascii_lowercase();
    let is_good = essence.len() <= MEDIA_TYPE_MAX
        && essence.split_once('/').is_some_and(|(kind, rest)| is_token(kind) && is_token(rest) && kind != "*");
    if !is_good {
        return OCTETS.to_owned();
    }
    match charset.map(str::to_ascii_lowercase).filter(|name| is_token(name) && name.len() <= 40) {
        Some(name) if essence.starts_with("text/") => format!("{essence}; charset={name}"),
        _ => essence,
    }
}

fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// The type that a file is served and mailed as: its own, unless a browser or a mail program would take it apart.
pub fn served_type(media_type: &str) -> &str {
    let kind = essence(media_type);
    let is_taken_apart =
        ACTIVE.contains(&kind) || kind.ends_with("+xml") || kind.starts_with("multipart/") || kind.starts_with("message/");
    if is_taken_apart { OCTETS } else { media_type }
}

/// Refuses a file by its name or type.
pub fn check(name: &str, media_type: &str, limits: Limits<'_>) -> Result<(), Refused> {
    let end = extension(name).unwrap_or_default().to_lowercase();
    if limits.refused_extensions.iter().any(|refused| refused.eq_ignore_ascii_case(&end)) {
        return Err(Refused("refused_type", format!("files that end in .{end} are not taken")));
    }
    let kind = essence(media_type);
    let is_among = |allowed: &String| match allowed.strip_suffix("/*") {
        Some(family) => kind.split('/').next().is_some_and(|of| of.eq_ignore_ascii_case(family)),
        None => allowed.eq_ignore_ascii_case(kind),
    };
    if limits.media_types.is_empty() || limits.media_types.iter().any(is_among) {
        return Ok(());
    }
    Err(Refused("refused_type", format!("files of the type {kind} are not taken")))
}

/// Refuses too many files, or too large ones together, for one message.
pub fn check_together(sizes: &[u64], limits: Limits<'_>) -> Result<(), Refused> {
    if sizes.len() > limits.message_files_max {
        return Err(Refused("too_many_files", format!("a message takes {} files at the most", limits.message_files_max)));
    }
    if sizes.iter().sum::<u64>() > limits.message_bytes_max {
        let text = format!("the files of a message have {} bytes together at the most", limits.message_bytes_max);
        return Err(Refused("files_too_large", text));
    }
    Ok(())
}

/// `Content-Disposition` for a file: the name in ASCII for old clients, and as it is (RFC 6266, RFC 8187).
pub fn disposition(name: &str) -> String {
    use std::fmt::Write;
    // Appendix D of RFC 6266: no quotes, backslashes or percent signs in the plain one.
    let plain: String =
        name.chars().map(|c| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%') { c } else { '_' }).collect();
    let mut text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        // attr-char of RFC 8187.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn named(said: &str, kept: &str) {
        assert_eq!(clean_name(said), kept, "{said:?}");
    }

    #[test]
    fn a_name_is_kept_without_what_could_harm() {
        named("report.pdf", "report.pdf");
        named("../../etc/passwd", "passwd");
        named("C:\\Users\\ana\\a b.txt", "a b.txt");
        named("a\r\nSet-Cookie: x=1", "aSet-Cookie: x=1");
        named("photo\u{202E}gpj.exe", "photogpj.exe");
        named("evil.exe. .", "evil.exe");
        named("..", "attachment");
        named("\u{0}\u{200B}", "attachment");
        named("дом 家 🏠.png", "дом 家 🏠.png");
        let long = clean_name(&format!("{}.tar.gz", "ä".repeat(300)));
        assert_eq!((long.chars().count(), long.ends_with("ä.gz")), (NAME_MAX, true), "{long}");
        assert_eq!(clean_name(&format!("a.{}", "b".repeat(300))).chars().count(), NAME_MAX);
    }

    #[track_caller]
    fn disposed(name: &str, header: &str) {
        let made = disposition(name);
        assert_eq!(made, format!("attachment; {header}"));
        assert!(made.is_ascii() && !made.contains(['\r', '\n']), "{made:?}");
    }

    #[test]
    fn a_name_in_a_header_is_ascii_twice() {
        disposed("a b.txt", "filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt");
        disposed("\"q\\\"%41.txt", "filename=\"_q___41.txt\"; filename*=UTF-8''%22q%5C%22%2541.txt");
        disposed("naïve.txt", "filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt");
        disposed("x\r\ny", "filename=\"x__y\"; filename*=UTF-8''x%0D%0Ay");
        disposed("it's (1);.md", "filename=\"it's (1);.md\"; filename*=UTF-8''it%27s%20%281%29%3B.md");
    }

    #[test]
    fn what_a_browser_could_run_is_served_as_bytes() {
        for (kept, served) in [
            ("image/png", "image/png"),
            ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
            ("text/html; charset=utf-8", OCTETS),
            ("image/svg+xml", OCTETS),
            ("application/xhtml+xml", OCTETS),
            ("message/rfc822", OCTETS),
            ("multipart/mixed", OCTETS),
            ("application/pdf", "application/pdf"),
        ] {
            assert_eq!(served_type(kept), served, "{kept}");
        }
    }

    #[test]
    fn a_type_is_kept_in_one_spelling() {
        for (essence, charset, kept) in [
            ("Image/PNG", None, "image/png"),
            ("text/plain", Some("UTF-8"), "text/plain; charset=utf-8"),
            ("image/png", Some("utf-8"), "image/png"),
            ("text/plain", Some("x\r\ny"), "text/plain"),
            ("nonsense", None, OCTETS),
            ("*/*", None, OCTETS),
            ("a/b c", None, OCTETS),
        ] {
            assert_eq!(media_type(essence, charset), kept, "{essence}");
        }
    }

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_file_is_refused_by_its_end_or_its_type_and_some_by_their_number_or_size() {
        let (ends, types) = (words(&["exe"]), words(&["image/*", "application/pdf"]));
        let limits = Limits { message_files_max: 2, message_bytes_max: 10, refused_extensions: &ends, media_types: &types };
        let code = |name, kind| check(name, kind, limits).map_err(|refused| refused.0);
        assert_eq!(code("a.png", "image/png"), Ok(()));
        assert_eq!(code("a.PDF", "application/pdf"), Ok(()));
        assert_eq!(code("a.txt", "text/plain; charset=utf-8"), Err("refused_type"));
        assert_eq!(code("a.png.EXE", "image/png"), Err("refused_type"));
        assert_eq!(code("exe", "image/png"), Ok(()));
        assert_eq!(check("a.txt", "text/plain", Limits { media_types: &[], ..limits }), Ok(()));
        let together = |sizes| check_together(sizes, limits).map_err(|refused| refused.0);
        assert_eq!(together(&[5, 5]), Ok(()));
        assert_eq!(together(&[5, 6]), Err("files_too_large"));
        assert_eq!(together(&[1, 1, 1]), Err("too_many_files"));
    }
}

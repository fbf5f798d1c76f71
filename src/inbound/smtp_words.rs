//! The words that a mail server says: commands of LMTP (RFC 2033, RFC 5321) and the end of a mail's bytes. Pure.

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Who is there.
    Lhlo(String),
    /// A mail begins: its sender, and its size where that is said.
    Mail {
        /// Empty for a report.
        from: String,
        /// In bytes.
        size_bytes: Option<u64>,
    },
    /// It is for this address.
    Rcpt(String),
    /// Its bytes follow.
    Data,
    /// It is not sent after all.
    Rset,
    /// Nothing.
    Noop,
    /// Is there somebody of this name?
    Vrfy,
    /// Good-bye.
    Quit,
    /// A command that is not known here.
    Unknown,
    /// A known one whose words make no sense: what to answer.
    Wrong(&'static str),
}

const WRONG_PATH: &str = "501 5.5.4 an address in angle brackets is needed";
const WRONG_PARAMETER: &str = "555 5.5.4 a parameter is not known here";

/// What is between the angle brackets after `TO:`, without a source route, and the rest of the line.
fn path<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let given = text.get(..word.len()).filter(|given| given.eq_ignore_ascii_case(word))?;
    let rest = text.get(given.len()..)?.trim_start().strip_prefix('<')?;
    // A quoted local part may hold a bracket.
    let mut is_quoted = false;
    let mut is_escaped = false;
    let end = rest.char_indices().find_map(|(at, c)| {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => return Some(at),
            _ => {}
        }
        None
    })?;
    let (inner, rest) = (rest.get(..end)?, rest.get(end + 1..)?);
    let address = match inner.strip_prefix('@') {
        Some(_) => inner.split_once(':').map_or(inner, |(_, address)| address),
        None => inner,
    };
    Some((address, rest.trim()))
}

fn mail(text: &str) -> Word {
    let Some((from, rest)) = path(text, "FROM:") else { return Word::Wrong(WRONG_PATH) };
    let mut size_bytes = None;
    for parameter in rest.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.to_ascii_uppercase().as_str(), value) {
            ("SIZE", value) => match value.parse() {
                Ok(size) => size_bytes = Some(size),
                Err(_) => return Word::Wrong(WRONG_PARAMETER),
            },
            ("BODY", value) if value.eq_ignore_ascii_case("7BIT") || value.eq_ignore_ascii_case("8BITMIME") => {}
            ("SMTPUTF8", "") => {}
            _ => return Word::Wrong(WRONG_PARAMETER),
        }
    }
    Word::Mail { from: from.to_owned(), size_bytes }
}

/// Reads a line without its end.
pub fn word(line: &str) -> Word {
    let line = line.trim_end();
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    match verb.to_ascii_uppercase().as_str() {
        "LHLO" if rest.is_empty() => Word::Wrong("501 5.5.4 a name is needed"),
        "LHLO" => Word::Lhlo(rest.to_owned()),
        "MAIL" => mail(rest),
        "RCPT" => match path(rest, "TO:") {
            Some((to, "")) if !to.is_empty() => Word::Rcpt(to.to_owned()),
            Some((_, rest)) if !rest.is_empty() => Word::Wrong(WRONG_PARAMETER),
            _ => Word::Wrong(WRONG_PATH),
        },
        "DATA" if rest.is_empty() => Word::Data,
        "RSET" => Word::Rset,
        "NOOP" => Word::Noop,
        "VRFY" => Word::Vrfy,
        "QUIT" => Word::Quit,
        _ => Word::Unknown,
    }
}

/// Where in the bytes after DATA we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    Dot,
    DotCr,
    Text,
    Cr,
}

/// The bytes of a mail as they come after DATA: dots are unstuffed, and only CR LF `.` CR LF is the end, so that nothing can be
/// smuggled in behind a bare LF.
pub struct Data {
    at: At,
    bytes: Vec<u8>,
    size_max: usize,
    is_too_large: bool,
}

impl Data {
    /// Nothing yet; more than `size_max` bytes are not kept.
    pub fn new(size_max: usize) -> Self {
        Self { at: At::LineStart, bytes: Vec::new(), size_max, is_too_large: false }
    }

    fn push(&mut self, byte: u8) {
        self.push_all(&[byte]);
    }

    fn push_all(&mut self, bytes: &[u8]) {
        if bytes.len() <= self.size_max - self.bytes.len() {
            self.bytes.extend_from_slice(bytes);
        } else if !self.is_too_large {
            self.is_too_large = true;
            self.bytes = Vec::new();
            self.size_max = 0;
        }
    }

    /// Takes what came; says how many of these bytes belong to the mail where its end is among them.
    pub fn take(&mut self, piece: &[u8]) -> Option<usize> {
        let mut index = 0;
        while let Some(&byte) = piece.get(index) {
            if matches!(self.at, At::Text) && byte != b'\r' {
                // Most of a mail: up to the end of the line.
                let rest = piece.get(index..).unwrap_or_default();
                let length = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
                self.push_all(rest.get(..length).unwrap_or_default());
                index += length;
                continue;
            }
            index += 1;
            let text = |byte| if byte == b'\r' { At::Cr } else { At::Text };
            self.at = match (self.at, byte) {
                (At::LineStart, b'.') => At::Dot,
                (At::Dot, b'\r') => At::DotCr,
                (At::DotCr, b'\n') => return Some(index),
                (At::DotCr, _) => {
                    self.push(b'\r');
                    self.push(byte);
                    text(byte)
                }
                (At::Cr, b'\n') => {
                    self.push(byte);
                    At::LineStart
                }
                (At::LineStart | At::Dot | At::Text | At::Cr, _) => {
                    self.push(byte);
                    text(byte)
                }
            };
        }
        None
    }

    /// The mail; none where it was too large.
    pub fn whole(self) -> Option<Vec<u8>> {
        (!self.is_too_large).then_some(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Word) {
        assert_eq!(word(line), expected, "{line:?}");
    }

    fn from(address: &str, size_bytes: Option<u64>) -> Word {
        Word::Mail { from: address.into(), size_bytes }
    }

    #[test]
    fn a_line_is_a_command() {
        check("LHLO mx.example", Word::Lhlo("mx.example".into()));
        check("lhlo", Word::Wrong("501 5.5.4 a name is needed"));
        check("HELO mx.example", Word::Unknown);
        check("MAIL FROM:<>", from("", None));
        check("mail from:<a@b.example> SIZE=12 BODY=8BITMIME SMTPUTF8", from("a@b.example", Some(12)));
        check("MAIL FROM: <a@b.example>", from("a@b.example", None));
        check("MAIL FROM:<a@b.example> AUTH=<>", Word::Wrong(WRONG_PARAMETER));
        check("MAIL FROM:<a@b.example> SIZE=x", Word::Wrong(WRONG_PARAMETER));
        check("MAIL FROM:a@b.example", Word::Wrong(WRONG_PATH));
        check("RCPT TO:<@relay.example:Support+x@desk.example>", Word::Rcpt("Support+x@desk.example".into()));
        check("RCPT TO:<\"a>b\"@desk.example>", Word::Rcpt("\"a>b\"@desk.example".into()));
        check("RCPT TO:<>", Word::Wrong(WRONG_PATH));
        check("RCPT TO:<a@b.example> NOTIFY=NEVER", Word::Wrong(WRONG_PARAMETER));
        check("DATA", Word::Data);
        check("DATA now", Word::Unknown);
        check("ROLL OVER", Word::Unknown);
        check("ä", Word::Unknown);
        check("", Word::Unknown);
    }

    /// The bytes in one piece, and one by one: the same mail, and what is left over.
    #[track_caller]
    fn data(sent: &[u8], size_max: usize) -> (Option<Vec<u8>>, Vec<u8>) {
        let mut once = Data::new(size_max);
        let end = once.take(sent).expect("its end");
        let mut one_by_one = Data::new(size_max);
        let ends: Vec<usize> = (0..end).filter(|at| one_by_one.take(&sent[*at..=*at]).is_some()).collect();
        assert_eq!(ends, [end - 1]);
        let whole = once.whole();
        assert_eq!(one_by_one.whole(), whole);
        (whole, sent[end..].to_vec())
    }

    #[test]
    fn dots_are_unstuffed_and_only_one_thing_is_the_end() {
        for (sent, mail, rest) in [
            (&b"Hi\r\n.\r\nQUIT"[..], &b"Hi\r\n"[..], &b"QUIT"[..]),
            (b".\r\n", b"", b""),
            (b"a\r\n..\r\n...b\r\n.\r\n", b"a\r\n.\r\n..b\r\n", b""),
            (b"a\n.\nMAIL FROM:<x>\r\n.\r\n", b"a\n.\nMAIL FROM:<x>\r\n", b""),
            (b"a\r\n.\n\r\n.\r\n", b"a\r\n\n\r\n", b""),
            (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n", b""),
            (b"a\r\r\n.\r\n", b"a\r\r\n", b""),
            (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n", b""),
        ] {
            assert_eq!(data(sent, 100), (Some(mail.to_vec()), rest.to_vec()), "{:?}", String::from_utf8_lossy(sent));
        }
    }

    #[test]
    fn what_is_too_large_is_read_to_its_end_and_not_kept() {
        assert_eq!(data(b"12345\r\n.\r\nNOOP", 7), (Some(b"12345\r\n".to_vec()), b"NOOP".to_vec()));
        assert_eq!(data(b"123456\r\n.\r\nNOOP", 7), (None, b"NOOP".to_vec()));
    }
}

//! A file that waits to be imported, without the rows of a person, and without their address or number in other rows. Pure.
//!
//! Rows keep their number and their line: what was done of a file stays done, and errors name the lines of the file that was sent.
use super::read::{self, Line};
use super::{FileFormat, TransferKind};
use crate::accounts::contacts::model::{normal_email, normal_phone};
use crate::privacy::mentions::Sought;
use serde_json::Value;

/// How the person is called in a file.
pub struct Person<'a> {
    /// Their id at this desk.
    pub id: String,
    /// What imports called them.
    pub external_ids: &'a [String],
    /// Their addresses and numbers, each in its one spelling.
    pub known: &'a [String],
}

impl Person<'_> {
    fn is_known(&self, spelled: Option<String>) -> bool {
        spelled.is_some_and(|spelled| self.known.contains(&spelled))
    }

    fn is_called(&self, name: &str) -> bool {
        name == self.id || self.external_ids.iter().any(|id| id == name)
    }

    /// Whether a row is about the person.
    fn has(&self, line: &Line) -> bool {
        match line {
            Line::Organization(_) => false,
            Line::Contact(line) => {
                self.is_called(&line.external_id)
                    || line.emails.iter().any(|email| self.is_known(normal_email(email)))
                    || line.phones.iter().any(|phone| self.is_known(normal_phone(phone)))
            }
            Line::Ticket(line) => {
                line.contact.as_deref().is_some_and(|name| self.is_called(name))
                    || line.email.as_deref().is_some_and(|email| self.is_known(normal_email(email)))
                    || line.phone.as_deref().is_some_and(|phone| self.is_known(normal_phone(phone)))
            }
        }
    }
}

/// The file without the person; none where nothing of it names them.
pub fn without(kind: TransferKind, format: FileFormat, text: &str, person: &Person<'_>, sought: &Sought) -> Option<String> {
    let rows: Vec<bool> =
        read::rows(kind, format, text).ok()?.iter().map(|row| row.parsed.as_ref().is_ok_and(|line| person.has(line))).collect();
    match format {
        FileFormat::Jsonl => of_json(text, &rows, sought),
        FileFormat::Csv => of_csv(text, &rows, sought),
    }
}

fn of_json(text: &str, theirs: &[bool], sought: &Sought) -> Option<String> {
    let (mut out, mut theirs, mut is_changed) = (String::with_capacity(text.len()), theirs.iter(), false);
    for piece in text.split_inclusive('\n') {
        let line = piece.trim_end_matches(['\n', '\r']);
        if line.trim().is_empty() {
            out.push_str(piece);
            continue;
        }
        let scrubbed = || match serde_json::from_str::<Value>(line) {
            Ok(value) => sought.scrubbed_json(&value).map(|value| value.to_string()),
            Err(_) => sought.scrubbed(line),
        };
        let new = if theirs.next() == Some(&true) { Some(read::ERASED_JSON.to_owned()) } else { scrubbed() };
        is_changed |= new.is_some();
        out.push_str(new.as_deref().unwrap_or(line));
        out.push_str(piece.get(line.len()..).unwrap_or_default());
    }
    is_changed.then_some(out)
}

fn of_csv(text: &str, theirs: &[bool], sought: &Sought) -> Option<String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    reader.headers().ok()?;
    let (mut starts, mut records) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.ok()?;
        starts.push(usize::try_from(record.position()?.byte()).ok()?);
        records.push(record);
    }
    let mut out = text.get(..*starts.first()?)?.to_owned();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let mut is_changed = false;
    for (index, ((start, end), record)) in starts.iter().zip(ends).zip(&records).enumerate() {
        let piece = text.get(*start..end)?;
        let cells = || -> Option<Vec<String>> {
            let new: Vec<Option<String>> = record.iter().map(|cell| of_cell(cell, sought)).collect();
            let is_news = new.iter().any(Option::is_some);
            is_news.then(|| new.into_iter().zip(record).map(|(new, old)| new.unwrap_or_else(|| old.to_owned())).collect())
        };
        let new = if theirs.get(index) == Some(&true) { Some(vec![read::ERASED_CELL.to_owned()]) } else { cells() };
        let Some(cells) = new else {
            out.push_str(piece);
            continue;
        };
        is_changed = true;
        let mut writer = csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
        writer.write_record(&cells).ok()?;
        let written = String::from_utf8(writer.into_inner().ok()?).ok()?;
        // Line ends before the row belong to the piece: the rows behind it stay on their lines.
        let lines = |text: &str| text.matches('\n').count();
        let before = piece.len() - piece.trim_start_matches(['\n', '\r']).len();
        out.push_str(piece.get(..before)?);
        out.push_str(&written);
        let rest = piece.get(before..)?;
        out.push_str(&"\n".repeat(lines(rest).saturating_sub(lines(&written))));
    }
    is_changed.then_some(out)
}

/// A cell may be a text, or a document written as one.
fn of_cell(cell: &str, sought: &Sought) -> Option<String> {
    match serde_json::from_str::<Value>(cell) {
        Ok(value) if value.is_array() || value.is_object() => sought.scrubbed_json(&value).map(|value| value.to_string()),
        _ => sought.scrubbed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: TransferKind, format: FileFormat, text: &str, expected: Option<&str>) {
        let known = ["ana@nordwind.example".to_owned(), "+14165550177".to_owned()];
        let external_ids = ["C-1".to_owned()];
        let person = Person { id: "01993a00-0000-7000-8000-000000000001".to_owned(), external_ids: &external_ids, known: &known };
        let sought = Sought::new(known.iter().map(String::as_str));
        let without = without(kind, format, text, &person, &sought);
        assert_eq!(without.as_deref(), expected, "{text:?}");
        if let Some(without) = without {
            let lines =
                |text: &str| -> Vec<i32> { read::rows(kind, format, text).expect("rows").iter().map(|row| row.line).collect() };
            assert_eq!(lines(&without), lines(text), "{text:?}");
        }
    }

    #[test]
    fn rows_of_the_person_go_and_other_rows_lose_what_names_them() {
        use FileFormat::{Csv, Jsonl};
        use TransferKind::{Contacts, Tickets};
        let ticket = |who: &str, body: &str| {
            format!(
                r#"{{"external_id":"T-1",{who},"channel":"email","subject":"S","received_at":"2026-01-01T10:00:00Z","body":"{body}"}}"#
            )
        };
        let other = ticket(r#""email":"bo@x.example""#, "Hi");
        for who in [r#""email":" ANA@nordwind.example""#, r#""phone":"0014165550177""#, r#""contact":"C-1""#] {
            let file = format!("{other}\r\n\n{}\n{other}\n", ticket(who, "mine"));
            let expected = format!("{other}\r\n\n{}\n{other}\n", read::ERASED_JSON);
            check(Tickets, Jsonl, &file, Some(&expected));
        }
        check(Tickets, Jsonl, &other, None);
        let mention = ticket(r#""email":"bo@x.example""#, r"a\nana@nordwind.example");
        let told = serde_json::from_str::<Value>(&mention.replace("ana@nordwind.example", "(erased)")).expect("json").to_string();
        check(Tickets, Jsonl, &mention, Some(&told));
        check(Tickets, Jsonl, "{ana@nordwind.example\n", Some("{(erased)\n"));
        let head = "external_id,name,emails,phones\r\n";
        check(
            Contacts,
            Csv,
            &format!(
                "{head}1,\"Bo\n\nB\",bo@x.example,\r\n\r\nC-2,\"Ana\nC\",a@x.example;ana@nordwind.example,\r\n3,D,,'+4930123456\r\n"
            ),
            Some(&format!("{head}1,\"Bo\n\nB\",bo@x.example,\r\n\r\n(erased)\n\n3,D,,'+4930123456\r\n")),
        );
        check(
            Contacts,
            Csv,
            &format!("{head}1,Call +1 416 555 0177,bo@x.example,\nC-1,Ana,,"),
            Some(&format!("{head}1,Call (erased),bo@x.example,\n(erased)\n")),
        );
        check(Contacts, Csv, &format!("{head}1,Bo,bo@x.example,\n"), None);
    }
}

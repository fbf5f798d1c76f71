//! From the text of a file to its rows, each with its line and what is wrong with it.
use super::lines::{ContactLine, OrganizationLine, TicketLine};
use super::{FileFormat, TransferKind, cells, columns};
use crate::error::{Error, FieldError, Result};
use crate::http::extract::{fields, has_nul, refused};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use validator::Validate;

/// Columns whose cells hold lists.
const LISTS: [&str; 3] = ["emails", "phones", "tags"];
/// Columns whose cells hold JSON.
const DOCUMENTS: [&str; 1] = ["history"];
/// Columns whose cells hold true or false.
const SWITCHES: [&str; 2] = ["surveys_stopped", "entered_by_hand"];

/// A row that an erasure emptied, in JSON.
pub const ERASED_JSON: &str = "{\"erased\":true}";
/// The only cell of a row that an erasure emptied.
pub const ERASED_CELL: &str = "(erased)";

/// What a row is.
#[derive(Debug, Clone)]
pub enum Line {
    /// An organization.
    Organization(OrganizationLine),
    /// A contact.
    Contact(ContactLine),
    /// A ticket.
    Ticket(Box<TicketLine>),
}

impl Line {
    /// What it is called where it comes from.
    pub fn external_id(&self) -> &str {
        match self {
            Self::Organization(line) => &line.external_id,
            Self::Contact(line) => &line.external_id,
            Self::Ticket(line) => &line.external_id,
        }
    }
}

/// A row of a file.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where it begins, 1 for the first line of the file.
    pub line: i32,
    /// What it says, or what is wrong with it.
    pub parsed: Result<Line, Vec<FieldError>>,
}

fn line_number(line: usize) -> i32 {
    i32::try_from(line).unwrap_or(i32::MAX)
}

fn one<T: DeserializeOwned + Validate>(value: Value) -> Result<T, Vec<FieldError>> {
    let line: T = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        match refused(&path, &error.into_inner().to_string()) {
            Error::Invalid(errors) => errors,
            other => vec![FieldError::new("row", "unreadable", other.to_string())],
        }
    })?;
    line.validate().map_err(|errors| fields(&errors))?;
    Ok(line)
}

fn parsed(kind: TransferKind, value: Value) -> Result<Line, Vec<FieldError>> {
    match kind {
        TransferKind::Organizations => one(value).map(Line::Organization),
        TransferKind::Contacts => one(value).map(Line::Contact),
        TransferKind::Tickets => one(value).map(|line| Line::Ticket(Box::new(line))),
    }
}

fn no_nul() -> Vec<FieldError> {
    vec![FieldError::new("row", "nul_character", "must not contain the character U+0000")]
}

fn erased() -> Vec<FieldError> {
    vec![FieldError::new("row", "erased", "named a person who was erased before it was taken in")]
}

fn of_json(kind: TransferKind, text: &str) -> Result<Line, Vec<FieldError>> {
    if text.trim() == ERASED_JSON {
        return Err(erased());
    }
    if has_nul(text) {
        return Err(no_nul());
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|error| vec![FieldError::new("row", "malformed_json", format!("is not a JSON object: {error}"))])?;
    if !value.is_object() {
        return Err(vec![FieldError::new("row", "wrong_type", "must be a JSON object")]);
    }
    parsed(kind, value)
}

fn of_cells(kind: TransferKind, names: &[String], record: &csv::StringRecord) -> Result<Line, Vec<FieldError>> {
    if record.len() == 1 && record.get(0) == Some(ERASED_CELL) {
        return Err(erased());
    }
    if record.len() != names.len() {
        let message = format!("has {} cells, the first line of the file has {}", record.len(), names.len());
        return Err(vec![FieldError::new("row", "cells", message)]);
    }
    let mut row = Map::new();
    for (name, cell) in names.iter().zip(record) {
        if cell.is_empty() {
            continue;
        }
        if cell.contains('\0') {
            return Err(no_nul());
        }
        let text = cells::unguard(cell);
        let value = if LISTS.contains(&name.as_str()) {
            cells::split(text)
        } else if DOCUMENTS.contains(&name.as_str()) {
            if has_nul(text) {
                return Err(no_nul());
            }
            serde_json::from_str(text)
                .map_err(|error| vec![FieldError::new(name.as_str(), "malformed_json", format!("is not JSON: {error}"))])?
        } else if SWITCHES.contains(&name.as_str()) {
            match text {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => return Err(vec![FieldError::new(name.as_str(), "wrong_type", "must be true or false")]),
            }
        } else {
            Value::from(text)
        };
        row.insert(name.clone(), value);
    }
    parsed(kind, Value::Object(row))
}

/// The rows of a file. The error is one of the file as a whole.
pub fn rows(kind: TransferKind, format: FileFormat, text: &str) -> Result<Vec<Row>, FieldError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rows: Vec<Row> = match format {
        FileFormat::Jsonl => (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(line, text)| Row { line, parsed: of_json(kind, text) })
            .collect(),
        FileFormat::Csv => of_csv(kind, text)?,
    };
    if rows.is_empty() {
        return Err(FieldError::new("body", "empty", "has no rows"));
    }
    Ok(rows)
}

fn of_csv(kind: TransferKind, text: &str) -> Result<Vec<Row>, FieldError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| FieldError::new("body", "malformed_csv", format!("is not CSV: {error}"));
    let names: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(|name| name.trim().to_owned()).collect();
    let known = columns(kind);
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let message = format!("has a column {name:?}; known are {}", known.join(", "));
        return Err(FieldError::new("body", "unknown_column", message));
    }
    if let Some(name) = names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|other| other == *name)) {
        return Err(FieldError::new("body", "repeated_column", format!("has the column {:?} twice", name.1)));
    }
    let mut rows = Vec::new();
    // The reader says where a record starts, before the line ends that belong to the one before it.
    let (mut line, mut seen) = (1, 0);
    let bytes = text.as_bytes();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let start = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(bytes.len()));
        let skipped = bytes.iter().skip(start).take_while(|byte| b"\r\n".contains(byte)).count();
        line += bytes.iter().take(start + skipped).skip(seen).filter(|byte| **byte == b'\n').count();
        seen = start + skipped;
        let line = line_number(line);
        rows.push(Row { line, parsed: of_cells(kind, &names, &record) });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rows: &[Row]) -> Vec<String> {
        let one = |row: &Row| match &row.parsed {
            Ok(line) => format!("{} {}", row.line, line.external_id()),
            Err(errors) => {
                format!("{} {}", row.line, errors.iter().map(|e| format!("{}:{}", e.field, e.code)).collect::<Vec<_>>().join(","))
            }
        };
        rows.iter().map(one).collect()
    }

    #[test]
    fn each_row_is_read_or_refused_by_its_line() {
        let text = "{\"external_id\":\"1\",\"name\":\"A\"}\n\n{\"external_id\":\"2\"}\n{\n[1]\n{\"external_id\":\"\",\"name\":\"B\",\"x\":1}\n";
        let rows = rows(TransferKind::Organizations, FileFormat::Jsonl, text).expect("rows");
        assert_eq!(told(&rows), ["1 1", "3 name:missing", "4 row:malformed_json", "5 row:wrong_type", "6 x:unknown_field"]);
    }

    #[test]
    fn csv_has_names_and_guards_and_lists() {
        let text = "external_id,name,phones,surveys_stopped\r\n1,'=A,'+14165550100;+4930123456,true\r\n\"2\",\"B\nC\",,perhaps\r\n3,D\r\n";
        let rows = rows(TransferKind::Contacts, FileFormat::Csv, text).expect("rows");
        assert_eq!(told(&rows), ["2 1", "3 surveys_stopped:wrong_type", "5 row:cells"]);
        let Some(Ok(Line::Contact(contact))) = rows.first().map(|row| &row.parsed) else { panic!("a contact") };
        assert_eq!((contact.name.as_str(), contact.phones.len(), contact.surveys_stopped), ("=A", 2, true));
    }

    #[test]
    fn a_file_that_is_none_is_refused_as_a_whole() {
        for (text, code) in [
            ("", "empty"),
            ("external_id,name", "empty"),
            ("external_id,nam\n1,2\n", "unknown_column"),
            ("name,name\n1,2\n", "repeated_column"),
        ] {
            assert_eq!(
                rows(TransferKind::Organizations, FileFormat::Csv, text).map_err(|error| error.code).err().as_deref(),
                Some(code),
                "{text:?}"
            );
        }
        assert!(rows(TransferKind::Tickets, FileFormat::Jsonl, "\n \n").is_err());
    }
}

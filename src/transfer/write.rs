//! Lines of an export as text. Pure.
use super::{FileFormat, TransferKind, cells};
use crate::error::{Error, Result};
use serde_json::Value;

/// Columns that an export leaves to importers: it names contacts by their external ids.
const ONLY_READ: [&str; 3] = ["email", "phone", "name"];

/// The columns that an export of a kind has.
pub fn columns(kind: TransferKind) -> Vec<&'static str> {
    let all = super::columns(kind).iter().copied();
    all.filter(|name| kind != TransferKind::Tickets || !ONLY_READ.contains(name)).collect()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => cells::guard(text),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            let list: Vec<String> = items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            cells::guard(&cells::join(&list))
        }
        Some(other) => other.to_string(),
    }
}

/// Lines as text; with `is_first`, CSV begins with the names of its columns.
pub fn text(kind: TransferKind, format: FileFormat, lines: &[Value], is_first: bool) -> Result<Vec<u8>> {
    match format {
        FileFormat::Jsonl => {
            let mut out = Vec::new();
            for line in lines {
                serde_json::to_writer(&mut out, line)?;
                out.push(b'\n');
            }
            Ok(out)
        }
        FileFormat::Csv => {
            let broken = |error: csv::Error| Error::internal(format!("csv: {error}"));
            let columns = columns(kind);
            let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
            if is_first {
                table.write_record(&columns).map_err(broken)?;
            }
            for line in lines {
                table.write_record(columns.iter().map(|name| cell(line.get(*name)))).map_err(broken)?;
            }
            table.into_inner().map_err(|error| Error::internal(format!("csv: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_written_in_the_order_of_its_columns() {
        let line = json!({ "external_id": "1", "name": "=A", "emails": ["a@b.co"], "phones": ["+1", "+2"], "language": "en", "surveys_stopped": true });
        let text = text(TransferKind::Contacts, FileFormat::Csv, &[line], true).expect("text");
        let expected =
            "external_id,organization,name,emails,phones,time_zone,language,surveys_stopped\r\n1,,'=A,a@b.co,'+1;+2,,en,true\r\n";
        assert_eq!(String::from_utf8(text).expect("utf-8"), expected);
    }
}

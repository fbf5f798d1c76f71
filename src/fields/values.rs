//! The values of custom fields on tickets: set, asked for in lists, and needed before a close.
use super::known;
use super::model::{self, Refused, Values, Wanted};
use super::store::{self, FieldRow};
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, FieldError, Result};
use crate::ids::TicketId;
use serde_json::{Value, json};
use std::collections::HashMap;

fn by_key(conn: &mut Conn, keys: &[&str]) -> Result<HashMap<String, FieldRow>> {
    Ok(store::of_keys(conn, keys)?.into_iter().map(|row| (row.key.clone(), row)).collect())
}

/// Changes the values that `said` names, null empties one; gives before and after for the history.
/// No query where nothing is named; else four.
pub fn change(conn: &mut Conn, ticket: TicketId, values: &mut Values, said: Values) -> Result<Option<Value>> {
    if said.is_empty() {
        return Ok(None);
    }
    let keys: Vec<&str> = said.keys().map(String::as_str).collect();
    let known = by_key(conn, &keys)?;
    let (mut set, mut before, mut errors) = (Vec::new(), Values::new(), Vec::new());
    for (key, value) in &said {
        let at = || format!("fields.{key}");
        let Some(row) = known.get(key) else {
            errors.push(FieldError::new(at(), "unknown_custom_field", "there is no such field"));
            continue;
        };
        before.insert(key.clone(), values.get(key).cloned().unwrap_or(Value::Null));
        if value.is_null() {
            values.remove(key);
            continue;
        }
        if row.is_archived {
            errors.push(FieldError::new(at(), "archived", "this field is archived: it can only be emptied"));
            continue;
        }
        match model::value(row.kind.0, &row.options()?, value) {
            Ok((kept, spelled)) => {
                values.insert(key.clone(), kept);
                set.push((key.as_str(), spelled));
            }
            Err(Refused(code, message)) => errors.push(FieldError::new(at(), code, message)),
        }
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    store::save_values(conn, ticket, values, &keys, &set)?;
    let after: Values = said.keys().map(|key| (key.clone(), values.get(key).cloned().unwrap_or(Value::Null))).collect();
    Ok(Some(json!({ "before": before, "after": after })))
}

/// Refuses to close a ticket that lacks a value it needs. No query where the answer is known from the last second.
pub fn check_closable(conn: &mut Conn, config: &Config, values: &Values) -> Result<()> {
    let required = known::required(conn, config)?;
    let missing = model::missing(&required, values);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::conflict("fields_missing", format!("before it is closed it needs: {}", missing.join(", "))))
}

/// What a filter of a list asks for, each value in its one spelling. No query where there is no filter.
pub fn wanted(conn: &mut Conn, filter: Option<&str>) -> Result<Vec<Wanted>> {
    let refused = |Refused(code, message): Refused| Error::field("field", code, message);
    let Some(filter) = filter else { return Ok(Vec::new()) };
    let mut wanted = model::filters(filter).map_err(refused)?;
    let keys: Vec<&str> = wanted.iter().map(|(key, _)| key.as_str()).collect();
    let known = by_key(conn, &keys)?;
    for (key, value) in &mut wanted {
        let row =
            known.get(key).ok_or_else(|| Error::field("field", "unknown_custom_field", format!("there is no field {key:?}")))?;
        if let Some(text) = value {
            *text = model::spelled(row.kind.0, text).map_err(refused)?;
        }
    }
    Ok(wanted)
}

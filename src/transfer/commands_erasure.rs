//! The verb that takes an erased person out of files that wait to be imported.
use super::forget::{self, Person};
use super::store;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{ContactId, ImportId};
use crate::privacy::mentions::Sought;

/// Who is erased.
pub struct Named<'a> {
    /// The contact.
    pub id: ContactId,
    /// What imports called them.
    pub external_ids: Vec<String>,
    /// Their addresses, numbers and name.
    pub known: &'a [String],
}

/// Imports that have not ended, locked until the commit.
pub fn waiting(conn: &mut Conn) -> Result<Vec<ImportId>> {
    store::lock_waiting(conn)
}

/// Empties the rows of a person in these imports, and takes their address and number out of others.
pub fn erase(conn: &mut Conn, imports: &[ImportId], named: &Named<'_>, sought: &Sought) -> Result<()> {
    let person = Person { id: named.id.to_string(), external_ids: &named.external_ids, known: named.known };
    for id in imports {
        let import = store::find(conn, *id)?;
        let Some(body) = store::body(conn, *id)? else { continue };
        if let Some(body) = forget::without(import.kind.0, import.format.0, &body, &person, sought) {
            store::set_body(conn, *id, &body)?;
        }
    }
    Ok(())
}

//! A connection to SQLite that each thread of the server keeps, for reads that take less time than waking another thread.
use super::{Access, Conn, guarded};
use crate::error::{Error, Result};
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// The file and the connection to it.
    static KEPT: RefCell<Option<(Arc<str>, Conn)>> = const { RefCell::new(None) };
}

/// Runs `work` on this thread's connection; `Unavailable` where it cannot be had or would have to wait.
pub(super) fn read<T>(url: &Arc<str>, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    KEPT.with_borrow_mut(|kept| {
        let conn = match &mut *kept {
            Some((of, conn)) if of == url => conn,
            other => {
                let conn = Conn::open_for(url, Access::Glance).map_err(|error| Error::Unavailable(error.to_string()))?;
                &mut other.insert((url.clone(), conn)).1
            }
        };
        let done = guarded(conn, work);
        // What failed may have left the connection in any state; the next read opens a new one.
        if matches!(done, Err(Error::Unavailable(_) | Error::Internal(_))) {
            *kept = None;
        }
        done
    })
}

//! What a transaction does last. SQLite writes its index of words out before each statement that it may have to undo; a batch of
//! requests that index their texts one after the other at its end pays for that once.
use super::Conn;
use crate::error::Result;
use diesel::Connection;
use std::cell::RefCell;
use std::collections::HashSet;
use uuid::Uuid;

type Work = Box<dyn FnOnce(&mut Conn) -> Result<()>>;

/// Work that waits for the end of the transaction.
struct Waiting {
    of: Uuid,
    is_whole: bool,
    work: Work,
}

thread_local! {
    /// What waits in the transaction of this thread; nothing outside of one.
    static LAST: RefCell<Option<Vec<Waiting>>> = const { RefCell::new(None) };
}

/// A transaction begins.
pub(super) fn begin() {
    LAST.set(Some(Vec::new()));
}

/// A transaction is rolled back.
pub(super) fn forget() {
    LAST.set(None);
}

/// Does what waits, before the commit.
pub(super) fn finish(conn: &mut Conn) -> Result<()> {
    let waiting = LAST.take().unwrap_or_default();
    let whole: HashSet<Uuid> = waiting.iter().filter(|one| one.is_whole).map(|one| one.of).collect();
    let mut made = HashSet::new();
    for Waiting { of, is_whole, work } in waiting {
        // What is made anew from all that is stored needs no part, and once is enough.
        if !whole.contains(&of) || (is_whole && made.insert(of)) {
            work(conn)?;
        }
    }
    Ok(())
}

fn count() -> usize {
    LAST.with_borrow(|last| last.as_ref().map_or(0, Vec::len))
}

impl Conn {
    /// Runs `work` at the end of the transaction, in the order of the calls, unless the savepoint around the call is rolled back;
    /// outside of a transaction it runs at once. `is_whole` work makes all of a thing anew: parts of the same thing are left out.
    pub fn last(&mut self, of: Uuid, is_whole: bool, work: impl FnOnce(&mut Self) -> Result<()> + 'static) -> Result<()> {
        let at_once = LAST.with_borrow_mut(|last| match last {
            Some(waiting) => {
                waiting.push(Waiting { of, is_whole, work: Box::new(work) });
                None
            }
            None => Some(work),
        });
        at_once.map_or(Ok(()), |work| work(self))
    }

    /// Runs `work` in a savepoint: where it fails, nothing of it stays.
    pub fn savepoint<T, E: From<diesel::result::Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let before = count();
        let done = self.transaction(work);
        if done.is_err() {
            LAST.with_borrow_mut(|last| last.iter_mut().for_each(|waiting| waiting.truncate(before)));
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::ids::TicketId;
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use diesel::sql_types::Text;

    #[derive(QueryableByName)]
    struct Said {
        #[diesel(sql_type = Text)]
        what: String,
    }

    fn say(conn: &mut Conn, what: &str) -> Result<()> {
        Ok(conn.batch_execute(&format!("INSERT INTO said (what) VALUES ('{what}')"))?)
    }

    fn said(conn: &mut Conn) -> Vec<String> {
        let Conn::Sqlite(conn) = conn else { unreachable!("the test opens SQLite") };
        let rows: Vec<Said> = diesel::sql_query("SELECT what FROM said ORDER BY rowid").load(conn).unwrap();
        rows.into_iter().map(|row| row.what).collect()
    }

    fn opened() -> Conn {
        let mut conn = Conn::open(":memory:").unwrap();
        conn.batch_execute("CREATE TABLE said (what TEXT)").unwrap();
        conn
    }

    #[test]
    fn what_comes_last_is_in_order_and_what_is_made_anew_is_made_once() {
        let (mut conn, of) = (opened(), [TicketId::new().0, TicketId::new().0]);
        let done = conn.write(|conn| {
            conn.last(of[0], false, |conn| say(conn, "part of the first"))?;
            conn.last(of[1], false, |conn| say(conn, "part of the second"))?;
            conn.last(of[0], true, |conn| say(conn, "whole first"))?;
            conn.last(of[0], false, |conn| say(conn, "another part of the first"))?;
            conn.last(of[0], true, |conn| say(conn, "whole first again"))?;
            say(conn, "at once")
        });
        done.unwrap();
        assert_eq!(said(&mut conn), ["at once", "part of the second", "whole first"]);
    }

    #[test]
    fn outside_of_a_transaction_nothing_waits() {
        let (mut conn, of) = (opened(), TicketId::new().0);
        conn.last(of, false, |conn| say(conn, "at once")).unwrap();
        assert_eq!(said(&mut conn), ["at once"]);
    }

    #[test]
    fn what_is_rolled_back_leaves_nothing_to_do() {
        let (mut conn, of) = (opened(), TicketId::new().0);
        let refused = || Error::conflict("refused", "on purpose");
        let failed: Result<()> = conn.write(|conn| {
            conn.last(of, false, |conn| say(conn, "of a transaction that failed"))?;
            Err(refused())
        });
        assert!(failed.is_err());
        let done = conn.write(|conn| {
            conn.last(of, false, |conn| say(conn, "kept"))?;
            let failed: Result<()> = conn.savepoint(|conn| {
                conn.last(of, false, |conn| say(conn, "of a savepoint that failed"))?;
                Err(refused())
            });
            assert!(failed.is_err());
            conn.savepoint(|conn| conn.last(of, false, |conn| say(conn, "of a savepoint")))
        });
        done.unwrap();
        assert_eq!(said(&mut conn), ["kept", "of a savepoint"]);
        let failed = conn.write(|conn| {
            say(conn, "before what fails")?;
            conn.last(of, false, move |_| Err(refused()))
        });
        assert!(failed.is_err());
        assert_eq!(said(&mut conn).len(), 2, "what fails at the end takes all back");
    }
}

//! Work that is done and taken back: what a dry run answers is what the verb itself did.
use super::Conn;
use crate::error::{Error, Result};

/// How work ended whose savepoint is rolled back in either case.
enum Ended<T> {
    Done(T),
    Failed(Error),
}

impl<T> From<diesel::result::Error> for Ended<T> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs `work` and takes all back that it wrote; its answer and its refusals are those of the real thing.
pub fn undone<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    let ended = conn.savepoint(|conn| match work(conn) {
        Ok(value) => Err::<(), _>(Ended::Done(value)),
        Err(error) => Err(Ended::Failed(error)),
    });
    match ended {
        Err(Ended::Done(value)) => Ok(value),
        Err(Ended::Failed(error)) => Err(error),
        Ok(()) => Err(Error::internal("work that is undone was committed")),
    }
}

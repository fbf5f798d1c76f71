//! The version of a thing that somebody saw before changing it. Pure.
use crate::error::{Error, Result};

/// The version that the caller saw, where it says one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen(pub Option<i32>);

impl Seen {
    /// Refuses a version that is no longer the current one.
    pub fn check(self, current: i32) -> Result<()> {
        match self.0 {
            Some(seen) if seen != current => Err(Error::Stale { current }),
            _ => Ok(()),
        }
    }
}

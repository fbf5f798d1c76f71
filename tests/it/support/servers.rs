//! The servers that all tests share: started by the first test that needs them, stopped at the end of the run.
use super::browser::Chromedriver;
use super::postgres::Postgres;
use super::smtp::Smtp;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A server that starts once; where it cannot start, every test that needs it says why.
pub struct Shared<T> {
    started: Mutex<Option<Result<Arc<T>, String>>>,
}

impl<T> Shared<T> {
    /// Not started yet.
    pub const fn new() -> Self {
        Self { started: Mutex::new(None) }
    }

    /// It, running; the first caller starts it.
    #[track_caller]
    pub fn get(&self, start: impl FnOnce() -> Result<T, String>) -> Arc<T> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || catch_unwind(AssertUnwindSafe(start)).unwrap_or_else(|panic| Err(told(panic.as_ref()))).map(Arc::new);
        let result = started.get_or_insert_with(start).clone();
        drop(started);
        result.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Stops it.
    pub fn stop(&self) {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "it panicked; see above".to_owned())
}

static POSTGRES: Shared<Postgres> = Shared::new();
static SMTP: Shared<Smtp> = Shared::new();
static CHROMEDRIVER: Shared<Chromedriver> = Shared::new();

/// The PostgreSQL server of this run.
pub fn postgres() -> Arc<Postgres> {
    POSTGRES.get(Postgres::start)
}

/// The SMTP server of this run.
pub fn smtp() -> Arc<Smtp> {
    SMTP.get(Smtp::start)
}

/// What drives browsers.
pub fn chromedriver() -> Arc<Chromedriver> {
    CHROMEDRIVER.get(Chromedriver::start)
}

/// Stops all servers when it goes.
pub struct StoppedAtTheEnd;

impl Drop for StoppedAtTheEnd {
    fn drop(&mut self) {
        CHROMEDRIVER.stop();
        SMTP.stop();
        POSTGRES.stop();
        super::template::forget();
        super::busy::forget();
    }
}

/// A variable of the environment that the run was started with.
#[expect(clippy::disallowed_methods, reason = "the tests are not the desk")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The folder with Python's programs that `tests/run.sh` made.
pub fn python() -> Result<PathBuf, String> {
    let made = std::env::current_exe()
        .ok()
        .and_then(|own| own.ancestors().map(|folder| folder.join("test-venv/bin/python")).find(|path| path.exists()));
    variable("DESKBELL_TEST_PYTHON")
        .map(PathBuf::from)
        .or(made)
        .filter(|path| path.exists())
        .ok_or_else(|| "there is no Python with tests/requirements.txt: run `bash tests/run.sh` once, it makes one".to_owned())
}

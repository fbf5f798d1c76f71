//! What the desks log: nothing is shown, but an `error!` that a test does not expect fails it.
use std::cell::RefCell;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Errors with the thread that logged them.
static ERRORS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

thread_local! {
    static TEST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A panic on this thread says which test it is of.
pub fn name_this_test(name: String) {
    TEST.set(name);
}

struct Errors;
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl<S: Subscriber> Layer<S> for Errors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // What a client garbles below HTTP is logged as an error by the server's crate, and is none of ours.
        if event.metadata().target().starts_with("actix_http") {
            return;
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        ERRORS.lock().unwrap_or_else(PoisonError::into_inner).push((thread, text.0));
    }
}

/// Listens from now on. `DESKBELL_TEST_LOG=deskbell=debug` shows the logs of all desks.
pub fn install() {
    let shown = super::servers::variable("DESKBELL_TEST_LOG").map(|text| {
        let targets = text.parse::<Targets>().unwrap_or_default();
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_thread_names(true).with_filter(targets)
    });
    tracing_subscriber::registry().with(Errors.with_filter(LevelFilter::ERROR)).with(shown).init();
    let shown = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let test = TEST.try_with(|name| name.borrow().clone()).unwrap_or_default();
        if !test.is_empty() {
            eprintln!("\nin {test}:");
        }
        shown(panic);
    }));
}

/// Takes the errors of one desk: those that its threads logged.
pub fn errors_of(is_its_thread: impl Fn(&str) -> bool) -> Vec<String> {
    let mut errors = ERRORS.lock().unwrap_or_else(PoisonError::into_inner);
    let (its, others) = std::mem::take(&mut *errors).into_iter().partition(|(thread, _)| is_its_thread(thread));
    *errors = others;
    its.into_iter().map(|(_, text)| text).collect()
}

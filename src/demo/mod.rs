//! Sample data: a believable desk with 90 days behind it, made by the desk's own verbs.
//!
//! `story` draws from a seed what happened, as a pure plan; `run` plays it, step by step in the order of time. So
//! promises, surveys, history and caches are what they would be had the desk run all that time.
mod desk;
mod dice;
mod mood;
mod people;
mod phones;
mod run;
mod script;
mod store;
mod story;
mod topics;
mod turns;
mod words;

use crate::Result;
use crate::accounts::rights::Scope;
use crate::config::Config;
use crate::db::Conn;
use chrono::{DateTime, TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use people::{ADMIN, AGENT_SHOWN, AGENTS, MANAGER, RESELLERS};
use story::{DAYS, Plan};

/// The seed that is drawn from where none is given.
pub const SEED: u64 = 1;

const BAR: &str = "Filling the desk {wide_bar} {percent} %";

/// Fills an unused desk with 90 days that end now, all or nothing; gives what the console should say. A desk in use stays as it is.
pub fn fill(conn: &mut Conn, config: &Config, seed: u64, now: DateTime<Utc>) -> Result<Vec<String>> {
    if store::is_used(conn)? {
        return Ok(vec!["This desk is in use already: no sample data was added.".to_owned()]);
    }
    let plan = Plan::draw(seed, now);
    let bar = ProgressBar::new(plan.scenes.len() as u64);
    if let Ok(style) = ProgressStyle::with_template(BAR) {
        bar.set_style(style);
    }
    // One transaction: other nodes see no letter of the past, and a fill that is broken off leaves nothing.
    let lines = conn.write(|conn| {
        let since = now - TimeDelta::days(DAYS + 1);
        let cast = desk::make(conn, &plan.contacts, since, now)?;
        let (counts, unanswered) = run::Run::new(config, &plan, &cast, seed, now).play(conn, &bar)?;
        let shown = [(ADMIN, Scope::Admin), (MANAGER, Scope::Manager), (AGENT_SHOWN, Scope::Agent)];
        let tokens = cast.tokens(conn, &shown, now)?;
        let mut lines = vec![format!(
            "Sample data: {DAYS} days with {} resellers, {} contacts, {} agents, {} tickets, {} calls, {} surveys sent, {} answers.",
            RESELLERS.len(),
            plan.contacts.len(),
            AGENTS.len() + 1,
            counts.tickets,
            counts.calls,
            counts.surveys,
            counts.answers,
        )];
        for (label, token) in ["Admin token: ", "Manager token: ", "Agent token: "].iter().zip(&tokens) {
            lines.push(format!("{label}{}", token.reveal()));
        }
        lines.extend(unanswered.map(|secret| format!("Answer a survey: {}/survey/{secret}", config.server.public_url)));
        Ok(lines)
    })?;
    bar.finish_and_clear();
    Ok(lines)
}

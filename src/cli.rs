//! What the commands of the binary do, beside serving.
use crate::accounts::agents::{self, AgentRow};
use crate::accounts::rights::{Role, Scope};
use crate::accounts::tokens::{self, NewToken};
use crate::audit;
use crate::config::{Config, Log};
use crate::db::{Conn, is_postgres, migrate};
use crate::error::{Error, Result};
use crate::timeline::Actor;
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error; a second call changes nothing.
pub fn start_log(settings: &Log) {
    // What clients garble below HTTP is not this desk's error; the readers of mails and HTML tell their text at `trace`.
    let levels = format!("actix_http=off,async_imap=off,html5ever=off,markup5ever=off,selectors=off,{}", settings.level);
    let filter = EnvFilter::try_new(levels).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that a log is running already.
    let _ = match settings.format.as_str() {
        "json" => log.json().try_init(),
        _ => log.try_init(),
    };
}

/// Makes the folder that SQLite's file lives in.
pub fn make_data_dir(config: &Config) -> std::io::Result<()> {
    if config.database.url.is_empty() { std::fs::create_dir_all(&config.database.data_dir) } else { Ok(()) }
}

/// Ends when the process is asked to stop, by Ctrl-C or SIGTERM: from the call on, not only once somebody waits for it.
pub fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    async move {
        match (interrupt, terminate) {
            (Ok(mut interrupt), Ok(mut terminate)) => {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            }
            // Without handlers the signals end the process at once, which loses nothing that was acknowledged.
            _ => std::future::pending().await,
        }
    }
}

/// A command line can be read by every user of the machine: the password goes another way.
fn without_password(url: &str) -> (String, Option<String>) {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let (who, server) = rest.split_at(rest.find('/').unwrap_or(rest.len())).0.rsplit_once('@')?;
        let (user, password) = who.split_once(':')?;
        let path = rest.get(who.len() + 1 + server.len()..)?;
        let password = percent_encoding::percent_decode_str(password).decode_utf8().ok()?.into_owned();
        Some((format!("{scheme}://{user}@{server}{path}"), password))
    });
    parts.map_or_else(|| (url.to_owned(), None), |(url, password)| (url, Some(password)))
}

/// Writes a consistent copy while the desk runs: SQLite's own `VACUUM INTO`, or `pg_dump` in its custom format.
pub fn backup(config: &Config, to: &Path) -> Result<()> {
    if to.exists() {
        return Err(Error::conflict("file_exists", format!("{} exists already", to.display())));
    }
    let url = config.database_url();
    if is_postgres(&url) {
        let (url, password) = without_password(&url);
        let mut dump = Command::new("pg_dump");
        dump.arg("--format=custom").arg("--file").arg(to).arg(url).envs(password.map(|password| ("PGPASSWORD", password)));
        let done = dump.status();
        return match done {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Error::Unavailable(format!("pg_dump ended with {status}"))),
            Err(error) => Err(Error::Unavailable(format!("pg_dump cannot be run: {error}"))),
        };
    }
    if !Path::new(&url).exists() {
        return Err(Error::NotFound("database to copy"));
    }
    let path = to.to_string_lossy().replace('\'', "''");
    Conn::open(&url)?.batch_execute(&format!("VACUUM INTO '{path}'"))?;
    // The copy is not a backup before it is on the disk.
    std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(|error| Error::Unavailable(error.to_string()))
}

/// The database, for the commands that change agents; a running desk sees the change within a second.
pub struct Desk {
    conn: Conn,
    now: DateTime<Utc>,
}

impl Desk {
    /// Opens the database and brings its schema up to date.
    pub fn open(config: &Config) -> Result<Self> {
        make_data_dir(config).map_err(|error| Error::Unavailable(error.to_string()))?;
        let mut conn = Conn::open(&config.database_url())?;
        migrate::up(&mut conn)?;
        Ok(Self { conn, now: crate::clock::Clock::System.now() })
    }

    fn find(&mut self, email: &str) -> Result<AgentRow> {
        agents::find_by_email(&mut self.conn, email)?.ok_or(Error::NotFound("agent"))
    }

    /// Adds an agent.
    pub fn add(&mut self, name: &str, email: &str, role: Role) -> Result<String> {
        let now = self.now;
        let agent = self.conn.write(|conn| {
            let agent = agents::insert(conn, name, email, role, now)?;
            let after = json!({ "name": agent.name, "email": agent.email, "role": role });
            audit::created(conn, Actor::Desk, ("agent", agent.id.0), &after, now)?;
            Ok(agent)
        })?;
        Ok(format!("{} <{}>, {}", agent.name, agent.email, agent.role.0))
    }

    /// One line an agent.
    pub fn list(&mut self) -> Result<Vec<String>> {
        let line = |agent: AgentRow| {
            let state = if agent.disabled_at.is_some() { "disabled" } else { "active" };
            format!("{}\t{}\t{}\t{state}", agent.email, agent.role.0, agent.name)
        };
        Ok(agents::list_all(&mut self.conn)?.into_iter().map(line).collect())
    }

    /// Disables an agent; the last admin stays.
    pub fn disable(&mut self, email: &str) -> Result<String> {
        let (agent, now) = (self.find(email)?, self.now);
        let before = json!({ "disabled": agent.disabled_at.is_some() });
        self.conn.write(|conn| {
            agents::set_disabled(conn, agent.id, true, now)?;
            audit::changed(conn, Actor::Desk, ("agent", agent.id.0), (&before, &json!({ "disabled": true })), now)
        })?;
        Ok(agent.email)
    }

    /// Makes a token and gives its secret.
    pub fn token(&mut self, email: &str, name: &str, scope: Option<Scope>) -> Result<String> {
        let (agent, now) = (self.find(email)?, self.now);
        let own = match agent.role.0 {
            Role::Agent => Scope::Agent,
            Role::Manager => Scope::Manager,
            Role::Admin => Scope::Admin,
        };
        let new =
            NewToken { agent_id: Some(agent.id), name: name.to_owned(), scopes: vec![scope.unwrap_or(own)], expires_at: None };
        let secret = self.conn.write(|conn| {
            let (row, secret) = tokens::create(conn, &new, now)?;
            let after = json!({ "agent_id": new.agent_id, "name": new.name, "scopes": new.scopes });
            audit::created(conn, Actor::Desk, ("token", row.id.0), &after, now)?;
            Ok(secret)
        })?;
        Ok(secret.reveal().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, shown: &str, password: Option<&str>) {
        assert_eq!(without_password(url), (shown.to_owned(), password.map(str::to_owned)));
    }

    #[test]
    fn a_password_is_taken_out_of_the_address() {
        check("postgres://desk:p%40ss@db:5432/desk?a=b", "postgres://desk@db:5432/desk?a=b", Some("p@ss"));
        check("postgres://desk@db/desk", "postgres://desk@db/desk", None);
        check("postgres://db", "postgres://db", None);
        check("postgres:///desk", "postgres:///desk", None);
        check("postgres://u:p@db", "postgres://u@db", Some("p"));
    }
}

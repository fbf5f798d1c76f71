//! Desks that tests get copies of. Every test's is migrated once for each database, with its people and their tokens.
use super::client::{Client, agent};
use super::running::Running;
use super::servers::{Shared, postgres};
use super::{Backend, desk};
use deskbell::clock::Clock;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::json;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// What every test starts from, on PostgreSQL.
const DATABASE: &str = "deskbell_template";
/// A template on SQLite, in its folder.
const FILE: &str = "template.sqlite";

/// Somebody with a token.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Their agent's id; empty for machines.
    pub id: String,
    /// Their token.
    pub secret: String,
}

/// Everybody that each desk knows; they are who they are called.
#[derive(Clone, Debug)]
pub struct People {
    pub admin: Person,
    pub manager: Person,
    pub agent: Person,
    pub other_agent: Person,
    pub channel: Person,
    pub import: Person,
}

/// What is copied.
pub struct Template {
    /// Who is in it.
    pub people: People,
    folder: TempDir,
    database: String,
}

static SQLITE: Shared<Template> = Shared::new();
static POSTGRES: Shared<Template> = Shared::new();

/// The template of a database; the first test makes it.
#[track_caller]
pub fn of(backend: Backend) -> Arc<Template> {
    match backend {
        Backend::Sqlite => SQLITE.get(|| Template::make(backend)),
        Backend::Postgres => POSTGRES.get(|| Template::make(backend)),
    }
}

/// Removes the folders.
pub fn forget() {
    SQLITE.stop();
    POSTGRES.stop();
}

impl Template {
    fn make(backend: Backend) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("deskbell-template-").tempdir().map_err(|error| error.to_string())?;
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let mut config = desk::config(folder.path(), "template.test", &listener);
        if backend == Backend::Postgres {
            postgres().create(DATABASE, None);
            config.database.url = postgres().url(DATABASE);
        }
        let people = {
            let running = Running::start("template", config, Clock::fixed(desk::start_of_time()), listener);
            let secret = running.first_secret.clone().ok_or("an empty database gives no first admin's token")?;
            hire(&Client::new(&agent(), &running.base, Some(&secret), &Arc::default()), secret)
        };
        Self::keep(backend, people, folder.path(), DATABASE)
    }

    /// Keeps what a desk that was stopped has: its file in `data_dir`, or PostgreSQL's database itself.
    pub fn keep(backend: Backend, people: People, data_dir: &Path, database: &str) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("deskbell-template-").tempdir().map_err(|error| error.to_string())?;
        match backend {
            Backend::Sqlite => {
                // A whole copy in one file, whatever still waits in the write-ahead log.
                let data = data_dir.join("deskbell.sqlite");
                let mut conn = SqliteConnection::establish(&data.to_string_lossy()).map_err(|error| error.to_string())?;
                let copy = folder.path().join(FILE);
                // The pool's threads may still be closing their connections.
                let sql = format!("PRAGMA busy_timeout = 10000; VACUUM INTO '{}'", copy.display());
                conn.batch_execute(&sql).map_err(|error| error.to_string())?;
            }
            // A database that somebody is connected to cannot be copied.
            Backend::Postgres => postgres().disconnect_all(database),
        }
        Ok(Self { people, folder, database: database.to_owned() })
    }

    /// Copies SQLite's template to where a desk expects its file.
    pub fn copy_file(&self, data_dir: &Path) -> PathBuf {
        let to = data_dir.join("deskbell.sqlite");
        std::fs::copy(self.folder.path().join(FILE), &to).unwrap();
        to
    }

    /// Copies PostgreSQL's template; gives the copy's address.
    pub fn copy_database(&self, name: &str) -> String {
        postgres().create(name, Some(&self.database));
        postgres().url(name)
    }
}

/// Makes the people through the API, as an admin does.
fn hire(admin: &Client, secret: String) -> People {
    let token = |agent_id: Option<&str>, name: &str, scope: &str| -> String {
        let token = json!({ "agent_id": agent_id, "name": name, "scopes": [scope] });
        admin.post("/api/v1/tokens", token).ok()["secret"].as_str().expect("a secret").to_owned()
    };
    let person = |name: &str, role: &str| {
        let email = format!("{}@desk.test", name.to_lowercase().replace(' ', "."));
        let id = admin.post("/api/v1/agents", json!({ "name": name, "email": email, "role": role })).id();
        let secret = token(Some(&id), name, role);
        Person { id, secret }
    };
    People {
        admin: Person { id: admin.get("/api/v1/agents/me").id(), secret },
        manager: person("Mary Manager", "manager"),
        agent: person("Amir Agent", "agent"),
        other_agent: person("Olga Other", "agent"),
        channel: Person { id: String::new(), secret: token(None, "Phone system", "channel") },
        import: Person { id: String::new(), secret: token(None, "Importer", "import") },
    }
}

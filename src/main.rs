//! The binary: parse, build the desk, call.
use clap::{Args, Parser, Subcommand};
use deskbell::accounts::rights::{Role, Scope};
use deskbell::app::App;
use deskbell::clock::Clock;
use deskbell::config::Config;
use deskbell::db::{Conn, migrate};
use deskbell::inbound::commands::Envelope;
use deskbell::inbound::deliver;
use deskbell::mail::dkim::Signer;
use deskbell::{cli, demo, http, serve};
use std::error::Error;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Requests are many small pieces of memory; this gives and takes them faster than the C library does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A support desk that publishes its promises and proves to the second whether it kept them.
#[derive(Parser)]
#[command(version)]
struct Line {
    /// A TOML file with settings; see src/defaults.toml for all of them.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(Serve),
    /// Bring the database's schema up to date.
    Migrate,
    /// Add, list and disable agents, and make tokens for them.
    #[command(subcommand)]
    Agent(Agent),
    /// Write a consistent copy of the database while the desk runs.
    Backup {
        /// The new file.
        to: PathBuf,
    },
    /// Take a mail from standard input, for the pipe of a mail server. Ends with 0 when it is on the disk, 67 where no mailbox
    /// has the address, 65 where it is too large, and 75 where the mail server is to try again.
    Deliver {
        /// The address that it is for.
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        /// The sender of its envelope; empty for a report.
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
    },
    /// Print the API's description (OpenAPI 3.1).
    Openapi,
    /// Print the DNS records of the keys that letters are signed with (DKIM).
    #[command(after_help = DKIM_HELP)]
    Dkim,
}

const DKIM_HELP: &str = "\
Make a key, in a file that only the desk can read:
  (umask 077; openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dkim.pem)
or, shorter, but not yet checked by every receiver:
  (umask 077; openssl genpkey -algorithm ed25519 -out dkim.pem)
Set mail.dkim_key_file to it and mail.dkim_selector to a name for it, such as desk2026. Put the record that this command
prints into the DNS of the domain, wait until it can be seen there, and restart the desk. To change the key, make another
one with another selector, and leave the old record in the DNS for a week.";

#[derive(Args)]
struct Serve {
    /// Fill an empty desk with 90 days of sample data first.
    #[arg(long)]
    demo: bool,
    /// What the sample data is drawn from: the same seed gives the same desk.
    #[arg(long, default_value_t = demo::SEED)]
    demo_seed: u64,
}

#[derive(Subcommand)]
enum Agent {
    /// Add an agent.
    Add {
        /// Mail address, which names the agent.
        email: String,
        /// Name that contacts see.
        #[arg(long)]
        name: String,
        /// agent, manager or admin.
        #[arg(long, default_value = "agent")]
        role: Role,
    },
    /// List agents.
    List,
    /// Disable an agent: their tokens end at once.
    Disable {
        /// Mail address.
        email: String,
    },
    /// Make a token for an agent and print it, once.
    Token {
        /// Mail address.
        email: String,
        /// What the token is called.
        #[arg(long, default_value = "Command line")]
        name: String,
        /// agent, manager or admin; the agent's role where it is left out.
        #[arg(long)]
        scope: Option<Scope>,
    },
}

fn main() -> ExitCode {
    let line = Line::parse();
    if let Command::Deliver { to, from } = line.command {
        return deliver(line.config.as_deref(), Envelope { from, to });
    }
    match run(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("deskbell: {error}");
            if let Some(deskbell::Error::Invalid(fields)) = error.downcast_ref() {
                fields.iter().for_each(|field| eprintln!("  {}: {}", field.field, field.message));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(line: Line) -> Result<(), Box<dyn Error>> {
    let config = Config::load(line.config.as_deref())?;
    cli::start_log(&config.log);
    match line.command {
        Command::Openapi => println!("{}", http::openapi::description().to_pretty_json()?),
        Command::Migrate => {
            cli::make_data_dir(&config)?;
            let ran = migrate::up(&mut Conn::open(&config.database_url())?)?;
            println!("{ran} migrations ran; the schema is up to date");
        }
        Command::Dkim => println!("{}", Signer::of(&config)?.ok_or("mail.dkim_key_file: is not set")?.dns_records()),
        Command::Backup { to } => cli::backup(&config, &to)?,
        Command::Agent(command) => agent(config, command)?,
        // It has answers of its own.
        Command::Deliver { .. } => {}
        Command::Serve(options) => start(config, &options)?,
    }
    Ok(())
}

/// Whatever goes wrong here may be right later: the mail server keeps the mail.
fn deliver(config: Option<&Path>, envelope: Envelope) -> ExitCode {
    let done = Config::load(config).map_err(|error| error.to_string()).and_then(|config| {
        cli::start_log(&config.log);
        deliver::deliver(&config, &envelope, std::io::stdin().lock()).map_err(|error| error.to_string())
    });
    match done {
        Ok(done) => ExitCode::from(done.exit_code()),
        Err(error) => {
            eprintln!("deskbell: {error}");
            ExitCode::from(deliver::TRY_AGAIN)
        }
    }
}

fn agent(config: Config, command: Agent) -> Result<(), Box<dyn Error>> {
    let mut desk = cli::Desk::open(&config)?;
    match command {
        Agent::Add { email, name, role } => println!("added {}", desk.add(&name, &email, role)?),
        Agent::List => desk.list()?.iter().for_each(|line| println!("{line}")),
        Agent::Disable { email } => println!("disabled {}", desk.disable(&email)?),
        Agent::Token { email, name, scope } => println!("{}", desk.token(&email, &name, scope)?),
    }
    Ok(())
}

fn start(config: Config, options: &Serve) -> Result<(), Box<dyn Error>> {
    cli::make_data_dir(&config)?;
    // The mailer keeps connections: it must be made, and must end, inside the runtime.
    actix_web::rt::System::new().block_on(open_and_serve(config, options))
}

async fn open_and_serve(config: Config, options: &Serve) -> Result<(), Box<dyn Error>> {
    let listen = config.server.listen.clone();
    let url = config.database_url();
    let (app, first_secret) = App::open(config, Clock::System)?;
    if let Some(secret) = first_secret {
        println!("Admin token, shown this once: {secret}");
    }
    if options.demo {
        for line in demo::fill(&mut Conn::open(&url)?, &app.config, options.demo_seed, app.clock.now())? {
            println!("{line}");
        }
    }
    let listener = TcpListener::bind(&listen).map_err(|error| format!("server.listen: cannot listen on {listen}: {error}"))?;
    let stop = cli::stop_signal();
    println!("Deskbell listens on http://{}/ (API: /api/docs/)", listener.local_addr()?);
    serve::run(actix_web::web::Data::new(app), listener, stop).await?;
    Ok(())
}

//! An IMAP server of the test's own: Debian's dovecot, as an ordinary user, in a folder of its own, on loopback.
use super::process;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const PROGRAM: &str = "/usr/sbin/dovecot";
pub const USER: &str = "desk";
pub const PASSWORD: &str = "correct horse";
/// Who it runs as where the run is started by root.
const NOBODY: &str = "nobody";
const PATIENCE: Duration = Duration::from_secs(30);

/// The running server; it stops when it goes.
pub struct Dovecot {
    server: Child,
    folder: TempDir,
    /// Speaks in the clear, and by STARTTLS.
    pub port: u16,
    /// Speaks TLS from the first byte.
    pub tls_port: u16,
    /// What to trust.
    pub certificate: PathBuf,
}

fn output(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Dovecot {
    /// Starts it with an empty mailbox; `capability` replaces what it says that it can do.
    #[track_caller]
    pub fn start(capability: Option<&str>) -> Self {
        let folder = tempfile::Builder::new().prefix("deskbell-dovecot-").tempdir().unwrap();
        let path = folder.path().display().to_string();
        let is_root = output(Command::new("id").arg("-u")) == "0";
        let user = if is_root { NOBODY.to_owned() } else { output(Command::new("id").arg("-un")) };
        let group = output(Command::new("id").args(["-gn", &user]));
        let (uid, gid) = (output(Command::new("id").args(["-u", &user])), output(Command::new("id").args(["-g", &user])));
        let certificate = folder.path().join("certificate.pem");
        output(
            Command::new("openssl")
                .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"])
                .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"])
                .args(["-addext", "basicConstraints=critical,CA:FALSE"])
                .arg("-keyout")
                .arg(folder.path().join("key.pem"))
                .arg("-out")
                .arg(&certificate),
        );
        std::fs::write(folder.path().join("users"), format!("{USER}:{{PLAIN}}{PASSWORD}:{uid}:{gid}::{path}/home\n")).unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        let (port, tls_port) = (free_port(), free_port());
        let capability = capability.map(|words| format!("imap_capability = {words}\n")).unwrap_or_default();
        let settings = format!(
            "base_dir = {path}/run\nstate_dir = {path}/state\nlog_path = {path}/log\nprotocols = imap\nlisten = 127.0.0.1\n\
             default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
             first_valid_uid = 1\nfirst_valid_gid = 1\ndisable_plaintext_auth = no\nssl = yes\nssl_cert = <{path}/certificate.pem\n\
             ssl_key = <{path}/key.pem\nmail_location = maildir:{path}/home/mail\n\
             passdb {{\n driver = passwd-file\n args = {path}/users\n}}\nuserdb {{\n driver = passwd-file\n args = {path}/users\n}}\n\
             service anvil {{\n chroot =\n}}\nservice imap-login {{\n chroot =\n inet_listener imap {{\n port = {port}\n }}\n\
             inet_listener imaps {{\n port = {tls_port}\n ssl = yes\n }}\n}}\nservice stats {{\n chroot =\n}}\n\
             namespace inbox {{\n inbox = yes\n mailbox Done {{\n auto = create\n }}\n}}\n{capability}"
        );
        std::fs::write(folder.path().join("dovecot.conf"), settings).unwrap();
        if is_root {
            output(Command::new("chown").arg("-R").arg(format!("{user}:{group}")).arg(folder.path()));
        }
        let mut command = process::command(PROGRAM, "TERM", is_root.then_some(user.as_str()));
        command.arg("-F").arg("-c").arg(folder.path().join("dovecot.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = process::start(command).unwrap();
        let dovecot = Self { server, folder, port, tls_port, certificate };
        let listens = process::wait_for(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(listens.is_ok(), "dovecot does not start: {}", dovecot.log());
        dovecot
    }

    /// What it wrote down.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Throws everybody out who is logged in.
    #[track_caller]
    pub fn kick(&self) {
        output(Command::new("doveadm").arg("-c").arg(self.folder.path().join("dovecot.conf")).args(["kick", USER]));
    }

    /// Somebody else who is logged in.
    #[track_caller]
    pub fn talk(&self) -> Imap {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut talk = Imap(BufReader::new(stream));
        talk.line();
        talk.say(&format!("LOGIN {USER} \"{PASSWORD}\""));
        talk
    }

    /// Settings of a mailbox that is fetched from here.
    pub fn settings(&self, tls: &str, done_folder: Option<&str>) -> serde_json::Value {
        let port = if tls == "tls" { self.tls_port } else { self.port };
        serde_json::json!({
            "host": "127.0.0.1", "port": port, "tls": tls, "user": USER, "password": PASSWORD, "done_folder": done_folder,
        })
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        process::stop(&mut self.server, "TERM");
    }
}

/// A connection on which the test says every line itself.
pub struct Imap(BufReader<TcpStream>);

impl Imap {
    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "the IMAP server hung up");
        line
    }

    /// Sends a command and gives all lines up to its end, which must be OK.
    #[track_caller]
    pub fn say(&mut self, command: &str) -> String {
        write!(self.0.get_mut(), "t {command}\r\n").unwrap();
        self.end(command)
    }

    #[track_caller]
    fn end(&mut self, command: &str) -> String {
        let mut said = String::new();
        loop {
            let line = self.line();
            if let Some(end) = line.strip_prefix("t ") {
                assert!(end.starts_with("OK"), "{command}: {line}");
                return said + &line;
            }
            said.push_str(&line);
        }
    }

    /// Puts a mail into a folder, as received at that instant (`10-Jun-2026 13:00:00 +0000`).
    #[track_caller]
    pub fn append(&mut self, folder: &str, at: &str, mail: &[u8]) {
        write!(self.0.get_mut(), "t APPEND {folder} \"{at}\" {{{}}}\r\n", mail.len()).unwrap();
        assert!(self.line().starts_with('+'));
        self.0.get_mut().write_all(mail).unwrap();
        self.0.get_mut().write_all(b"\r\n").unwrap();
        self.end("APPEND");
    }

    /// How many mails a folder has, and how many nobody has read.
    #[track_caller]
    pub fn count(&mut self, folder: &str) -> (usize, usize) {
        // What others did to the folder that this one has selected.
        self.say("NOOP");
        let said = self.say(&format!("STATUS {folder} (MESSAGES UNSEEN)"));
        let number = |name: &str| {
            let rest = said.split(name).nth(1).unwrap_or_else(|| panic!("{said}"));
            rest.trim_start().split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
        };
        (number("MESSAGES"), number("UNSEEN"))
    }
}

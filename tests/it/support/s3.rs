//! A server that speaks S3 and checks signatures: rclone, over a folder in which each bucket is a folder.
use super::{process, servers};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Whose account it is.
pub const KEY_ID: &str = "desk";
/// What requests are signed with.
pub const SECRET: &str = "correct horse battery";
/// The one bucket.
pub const BUCKET: &str = "files";
/// It listens within so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// The server, which can be stopped and started again.
pub struct S3 {
    server: Child,
    folder: TempDir,
    port: u16,
}

impl S3 {
    /// Starts it, with an empty bucket.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("deskbell-s3-").tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { server: serve(folder.path(), port), folder, port }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What lies in the bucket.
    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// It is away.
    pub fn stop(&mut self) {
        process::stop(&mut self.server, "TERM");
    }

    /// It is back.
    pub fn start_again(&mut self) {
        self.server = serve(self.folder.path(), self.port);
    }
}

fn serve(folder: &Path, port: u16) -> Child {
    let program = servers::python().unwrap().with_file_name("rclone");
    let mut command = process::command(program, "KILL", None);
    command
        .args(["serve", "s3", "--config", "/dev/null", "--addr", &format!("127.0.0.1:{port}")])
        .args(["--auth-key", &format!("{KEY_ID},{SECRET}"), "--dir-cache-time", "0s"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let server = process::start(command).unwrap();
    let listens = process::wait_for(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert!(listens.is_ok(), "rclone does not serve");
    server
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.stop();
    }
}

//! The load generator: keep-alive connections on one thread, each with one request under way, and what they measured.
use super::Failure;
use std::cell::Cell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// Connections that ask at once.
pub const CONNECTIONS: usize = 64;
/// Room for one read from a connection.
const READ_BYTES: usize = 16 * 1024;

/// What is asked: writes request number `index`, or nothing where there is no more.
pub trait Requests {
    /// Appends the request to `out`; false where nothing is left to ask.
    fn write(&self, index: usize, out: &mut Vec<u8>) -> bool;
    /// Looks at the answer's head.
    fn answered(&self, _index: usize, _head: &str) {}
}

/// Latencies of the requests that were asked and answered inside the measured time.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// How many were asked, those of the warm-up too.
    pub asked: usize,
    /// Answered a second.
    pub per_second: f64,
    /// Half were faster, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 were faster, in milliseconds.
    pub p99_ms: f64,
}

impl Measured {
    /// Of latencies in microseconds.
    pub fn of(mut micros: Vec<u32>, took: Duration, asked: usize) -> Self {
        micros.sort_unstable();
        let at = |share: f64| {
            let index = ((micros.len() as f64 * share).ceil() as usize).clamp(1, micros.len().max(1)) - 1;
            micros.get(index).map_or(f64::NAN, |micros| f64::from(*micros) / 1_000.0)
        };
        Self { asked, per_second: micros.len() as f64 / took.as_secs_f64(), p50_ms: at(0.50), p99_ms: at(0.99) }
    }
}

struct Window {
    from: Instant,
    to: Instant,
    next: Cell<usize>,
    last: Cell<Instant>,
}

/// Asks over [`CONNECTIONS`] connections for `warm_up` and then `measure`, or until nothing is left to ask.
pub fn run(to: SocketAddr, requests: &impl Requests, warm_up: Duration, measure: Duration) -> Result<Measured, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut streams = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            streams.push(connect(to).await?);
        }
        let from = Instant::now() + warm_up;
        let window = Window { from, to: from + measure, next: Cell::new(0), last: Cell::new(from) };
        let asking = streams.into_iter().map(|stream| ask(stream, &window, requests));
        let mut micros = Vec::new();
        for of_one in futures_util::future::join_all(asking).await {
            micros.extend(of_one?);
        }
        let took = window.last.get().min(window.to).duration_since(window.from);
        if micros.is_empty() {
            return Err("nothing was left to ask before the measuring began".into());
        }
        Ok(Measured::of(micros, took, window.next.get()))
    })
}

/// Connects.
pub async fn connect(to: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn ask(stream: TcpStream, window: &Window, requests: &impl Requests) -> Result<Vec<u32>, Failure> {
    let (mut out, mut answer, mut micros) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let started = Instant::now();
        let index = window.next.get();
        out.clear();
        if started >= window.to || !requests.write(index, &mut out) {
            return Ok(micros);
        }
        window.next.set(index + 1);
        send(&stream, &out).await?;
        let head_bytes = receive(&stream, &mut answer).await?;
        let done = Instant::now();
        window.last.set(done);
        let head = std::str::from_utf8(answer.get(..head_bytes).unwrap_or_default())?;
        if head.get(9..10) != Some("2") {
            let request = String::from_utf8_lossy(&out).chars().take(300).collect::<String>();
            return Err(format!("{request}\nwas answered: {}", String::from_utf8_lossy(&answer)).into());
        }
        requests.answered(index, head);
        if started >= window.from && done <= window.to {
            micros.push(u32::try_from(done.duration_since(started).as_micros())?);
        }
    }
}

async fn send(stream: &TcpStream, mut bytes: &[u8]) -> Result<(), Failure> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Asks on a connection that is kept; the answer's head and body, where it is a good one.
pub async fn answer(stream: &mut TcpStream, request: &[u8]) -> Result<String, Failure> {
    let mut answer = Vec::new();
    send(stream, request).await?;
    receive(stream, &mut answer).await?;
    let answer = String::from_utf8(answer)?;
    if answer.get(9..10) == Some("2") { Ok(answer) } else { Err(answer.into()) }
}

/// Reads one answer into `answer`; says how long its head is.
async fn receive(stream: &TcpStream, answer: &mut Vec<u8>) -> Result<usize, Failure> {
    answer.clear();
    let mut whole = None;
    let mut part = [0u8; READ_BYTES];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut part) {
            Ok(0) => return Err("the server closed a connection".into()),
            Ok(read) => answer.extend_from_slice(part.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        }
        if whole.is_none() {
            whole = lengths(answer)?;
        }
        if let Some((head, length)) = whole
            && answer.len() >= length
        {
            return Ok(head);
        }
    }
}

/// Lengths of the head and of the whole answer, once the head is there.
fn lengths(answer: &[u8]) -> Result<Option<(usize, usize)>, Failure> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
    let body = match header(head, "content-length") {
        Some(text) => text.parse()?,
        None => 0,
    };
    Ok(Some((end + 4, end + 4 + body)))
}

/// The value of a header.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name)))
        .map(|(_, value)| value.trim())
}

/// One request on a connection of its own, and how long it took in milliseconds; the answer's head and body.
pub fn once(to: SocketAddr, request: &[u8]) -> Result<(f64, String), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let stream = connect(to).await?;
        let mut answer = Vec::new();
        let started = Instant::now();
        send(&stream, request).await?;
        receive(&stream, &mut answer).await?;
        Ok((started.elapsed().as_secs_f64() * 1_000.0, String::from_utf8(answer)?))
    })
}

//! A small HTTP server on this machine that plays back prepared replies, and a clock and a
//! stopwatch that tests can set.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use lotwise_core::{Clock, Date, Instant};
use lotwise_market::provider::Pace;

/// What the server does with one connection.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A whole answer.
    Answer { status: u16, headers: &'static str, body: String },
    /// A header that promises more than follows.
    HalfBody { promised: usize, body: String },
    /// The first part of a chunked body.
    HalfChunks { body: String },
    /// Nothing, until the client gives up.
    Silence,
    /// The connection ends before an answer.
    HangUp,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::status(200, body)
    }

    pub fn status(status: u16, body: impl Into<String>) -> Self {
        Self::Answer { status, headers: "", body: body.into() }
    }

    fn play(&self, mut stream: TcpStream) -> std::io::Result<()> {
        match self {
            Self::Answer { status, headers, body } => {
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
                )
            }
            Self::HalfBody { promised, body } => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {promised}\r\nConnection: close\r\n\r\n{body}")
            }
            Self::HalfChunks { body } => {
                let size = body.len();
                write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n")
            }
            Self::Silence => {
                stream.set_read_timeout(Some(Duration::from_secs(5)))?;
                while stream.read(&mut [0; 64])? > 0 {}
                Ok(())
            }
            Self::HangUp => Ok(()),
        }
    }
}

/// The server; it ends when dropped.
pub struct Replay {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Replay {
    /// Plays `replies` one connection after the other; later connections get status 599.
    pub fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let ending = Arc::new(AtomicBool::new(false));
        let (log, end) = (Arc::clone(&requests), Arc::clone(&ending));
        let thread = std::thread::spawn(move || {
            let mut replies = replies.into_iter();
            for stream in listener.incoming().map_while(Result::ok) {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let Some(request) = request_line(&stream) else { continue };
                log.lock().expect("the log").push(request);
                let reply = replies.next().unwrap_or_else(|| Reply::status(599, "nothing is left to play"));
                // A client that went away is part of the play.
                drop(reply.play(stream));
            }
        });
        Self { address, requests, ending, thread: Some(thread) }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// First lines of the requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("the log").clone()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn request_line(mut stream: &TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let (mut bytes, mut part) = (Vec::new(), [0; 1024]);
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut part).ok().filter(|&count| count > 0)?;
        bytes.extend_from_slice(&part[..count]);
    }
    String::from_utf8_lossy(&bytes).lines().next().map(str::to_owned)
}

/// A stopwatch that jumps instead of waiting.
#[derive(Default)]
pub struct JumpingPace {
    waits: Mutex<Vec<Duration>>,
}

impl JumpingPace {
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.lock().expect("the waits").clone()
    }
}

impl Pace for JumpingPace {
    fn elapsed(&self) -> Duration {
        self.waits.lock().expect("the waits").iter().sum()
    }

    fn sleep(&self, wait: Duration) {
        self.waits.lock().expect("the waits").push(wait);
    }
}

/// A clock that stands where it is set.
pub struct SetClock {
    now: AtomicI64,
    today: Date,
}

impl SetClock {
    pub fn at(now: Instant, today: Date) -> Self {
        Self { now: AtomicI64::new(now.0), today }
    }

    pub fn advance(&self, minutes: i64) {
        self.now.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Instant {
        Instant(self.now.load(Ordering::SeqCst))
    }

    fn today(&self) -> Date {
        self.today
    }
}

//! The talk on a connection: its first frame, then whatever comes first, until either end has enough.
use super::socket_line::{Line, Over};
use super::wire_socket::DeskSays;
use crate::live::{Follower, Heard};
use actix_ws::{AggregatedMessage, AggregatedMessageStream};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The first frame comes within so long.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// A connection is tried so often, and one that answers nothing for longer than [`SILENT_MAX`] is cut.
const BEAT_EVERY: Duration = Duration::from_secs(15);
const SILENT_MAX: Duration = Duration::from_secs(40);

/// The first frame; pings may come before it.
pub(super) async fn hello(stream: &mut AggregatedMessageStream) -> Result<String, Over> {
    let first = async {
        loop {
            match stream.recv().await? {
                Ok(AggregatedMessage::Text(text)) => return Some(text.to_string()),
                Ok(AggregatedMessage::Ping(_) | AggregatedMessage::Pong(_)) => {}
                Ok(AggregatedMessage::Binary(_) | AggregatedMessage::Close(_)) | Err(_) => return None,
            }
        }
    };
    timeout(HELLO_WITHIN, first).await.ok().flatten().ok_or(Over::Refused)
}

/// What a connection does with a frame.
pub(super) trait Talks {
    fn line(&mut self) -> &mut Line;
    async fn hear(&mut self, text: &str) -> Result<(), Over>;

    /// Goes on until either end has enough.
    async fn talk(&mut self, mut stream: AggregatedMessageStream, mut follower: Follower) -> Over
    where
        Self: Sized,
    {
        let mut heard_at = Instant::now();
        let mut beats_at = heard_at + BEAT_EVERY;
        // What is only now and then under way is on the heap meanwhile: a line that says nothing stays small.
        if let Err(over) = Box::pin(self.line().pull()).await {
            return over;
        }
        loop {
            let done = tokio::select! {
                frame = stream.recv() => {
                    heard_at = Instant::now();
                    match frame {
                        Some(Ok(AggregatedMessage::Text(text))) => match self.line().count_frame() {
                            Ok(()) => Box::pin(self.hear(&text)).await,
                            Err(over) => Err(over),
                        },
                        Some(Ok(AggregatedMessage::Ping(bytes))) => match self.line().count_frame() {
                            Ok(()) => self.line().pong(&bytes).await,
                            Err(over) => Err(over),
                        },
                        Some(Ok(AggregatedMessage::Pong(_))) => Ok(()),
                        Some(Ok(AggregatedMessage::Close(_))) | None => Err(Over::Gone),
                        Some(Ok(AggregatedMessage::Binary(_)) | Err(_)) => Err(Over::Refused),
                    }
                }
                heard = follower.next() => match heard {
                    Heard::History(batch) if !self.line().is_touched(&batch) => Ok(()),
                    Heard::History(_) | Heard::Behind => Box::pin(self.line().pull()).await,
                    Heard::Ended => Err(Over::Refused),
                    Heard::Stop => Err(Over::Stopping),
                },
                () = self.line().typing() => self.line().tell(&DeskSays::Typing {}).await,
                () = tokio::time::sleep_until(beats_at) => {
                    beats_at = Instant::now() + BEAT_EVERY;
                    if heard_at.elapsed() > SILENT_MAX { Err(Over::Gone) } else { self.line().ping().await }
                }
            };
            if let Err(over) = done {
                return over;
            }
        }
    }
}

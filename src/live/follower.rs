//! Somebody of this process who wants to know what history speaks of: the sockets of chats.
use super::hub::News;
use super::queries::Batch;
use crate::app::App;
use crate::error::Result;
use crate::ids::TokenId;
use actix_web::web::Data;
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// What a follower hears.
#[derive(Debug)]
pub enum Heard {
    /// A stretch of history.
    History(Arc<Batch>),
    /// Too much of it: look at the rows.
    Behind,
    /// The token is no longer good.
    Ended,
    /// The server stops.
    Stop,
}

/// A place among those who hear, until it is dropped.
pub struct Follower {
    news: Receiver<News>,
    app: Data<App>,
    token: Option<TokenId>,
}

/// A token that is listened with, until it is dropped.
struct Sitting<'a>(&'a Data<App>, Option<TokenId>);

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.1 {
            self.0.live.rise(token, None);
        }
    }
}

impl Follower {
    /// Hears all that is told from now on; what was written before is in the rows by then.
    pub async fn join(app: &Data<App>, token: Option<TokenId>) -> Result<Self> {
        if let Some(token) = token {
            app.live.sit(token, None);
        }
        let mut sitting = Sitting(app, token);
        let (news, _) = app.live.join().await?;
        let token = sitting.1.take();
        Ok(Self { news, app: app.clone(), token })
    }

    /// What is heard next.
    pub async fn next(&mut self) -> Heard {
        loop {
            match self.news.recv().await {
                Ok(News::Batch(batch, _)) => return Heard::History(batch),
                Ok(News::Ended(tokens)) if self.token.is_some_and(|token| tokens.contains(&token)) => return Heard::Ended,
                Ok(News::Ended(_) | News::Present) => {}
                Ok(News::Stop) | Err(RecvError::Closed) => return Heard::Stop,
                Err(RecvError::Lagged(_)) => return Heard::Behind,
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(Sitting(&self.app, self.token.take()));
    }
}

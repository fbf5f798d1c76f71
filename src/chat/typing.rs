//! Who types is told on the same node at once. Where the other side is on another node, it is noted in a row that the other looks at.
use super::model::ChatSide;
use super::rooms::locked;
use super::store_typing::{self as store, Typed};
use crate::app::App;
use crate::error::Result;
use crate::ids::ChatId;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// What was noted longer ago is no news.
const FRESH: TimeDelta = TimeDelta::seconds(5);
/// What was noted is thrown away after so long.
const KEPT: TimeDelta = TimeDelta::seconds(60);

/// What this node has told of what others noted.
#[derive(Default)]
pub(super) struct Heard(HashMap<(ChatId, ChatSide), DateTime<Utc>>);

impl Heard {
    /// What of this is news.
    fn news(&mut self, typed: Vec<Typed>, now: DateTime<Utc>) -> Vec<(ChatId, ChatSide)> {
        let is_news = |(chat, side, at): &Typed| now - *at < FRESH && self.0.get(&(*chat, *side)) != Some(at);
        let news = typed.iter().filter(|one| is_news(one)).map(|(chat, side, _)| (*chat, *side)).collect();
        self.0 = typed.into_iter().map(|(chat, side, at)| ((chat, side), at)).collect();
        news
    }
}

/// Notes that a side of a chat types, for other nodes; that it could not be noted is no harm.
pub(super) async fn note(app: &App, chat: ChatId, side: ChatSide) {
    let now = app.clock.now();
    if let Err(error) = app.db.write(move |conn| store::note(conn, chat, side, now)).await {
        tracing::debug!(%error, "that somebody types was not noted");
    }
}

/// Tells the sockets of this node what others noted, and throws away what is old. Nothing where there is no socket of a chat, and
/// nothing was noted of late.
pub(super) async fn look(app: &App) -> Result<()> {
    if app.rooms.is_empty() && locked(&app.rooms.heard).0.is_empty() {
        return Ok(());
    }
    let now = app.clock.now();
    let typed = app.db.read(store::all).await?;
    let is_old = typed.iter().any(|one| now - one.2 >= KEPT);
    let news = locked(&app.rooms.heard).news(typed, now);
    for (chat, side) in news {
        app.rooms.types(chat, side);
    }
    if is_old {
        app.db.write(move |conn| store::forget(conn, now - KEPT)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn what_was_noted_is_told_once_and_only_while_it_is_fresh() {
        let at = |seconds: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let chat = ChatId(Uuid::from_u128(1));
        let mut heard = Heard::default();
        let by_visitor = |seconds: i64| vec![(chat, ChatSide::Visitor, at(seconds))];
        assert_eq!(heard.news(by_visitor(10), at(10)), [(chat, ChatSide::Visitor)]);
        assert_eq!(heard.news(by_visitor(10), at(11)), []);
        assert_eq!(heard.news(by_visitor(12), at(12)), [(chat, ChatSide::Visitor)], "again");
        assert_eq!(heard.news(vec![(chat, ChatSide::Agent, at(5))], at(12)), [], "long ago");
        assert!(heard.news(Vec::new(), at(13)).is_empty() && heard.0.is_empty());
    }
}

//! An agent's connection to one chat.
use super::commands::{self, Said, Speaker};
use super::queries;
use super::socket_line::{Line, Over};
use super::socket_talk::{Talks, hello};
use super::wire_socket::{AgentSays, DeskSays};
use crate::accounts::caller::Agent;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::auth;
use crate::ids::ClientMessageId;
use crate::live::Follower;
use actix_ws::AggregatedMessageStream;
use std::net::IpAddr;

/// An agent on the line.
pub(super) struct Staff<'a> {
    pub(super) line: &'a mut Line,
    pub(super) agent: Agent,
}

pub(super) async fn begin(
    line: &mut Line,
    stream: &mut AggregatedMessageStream,
    address: IpAddr,
) -> Result<(Agent, Follower), Over> {
    let text = hello(stream).await?;
    match welcome(line, &text, address).await {
        Ok(begun) => Ok(begun),
        Err(error) => {
            line.refuse(None, &error).await?;
            Err(Over::Refused)
        }
    }
}

async fn welcome(line: &mut Line, text: &str, address: IpAddr) -> Result<(Agent, Follower)> {
    let app = line.app.clone();
    let AgentSays::Hello { token, chat, after } = Line::read::<AgentSays>(text)? else {
        return Err(Error::Malformed { code: "no_hello", message: "the first frame must be a hello".into() });
    };
    let (agent, token) = auth::agent(&app, address, &token).await?;
    let follower = Follower::join(&app, Some(token)).await?;
    let row = app.db.read(move |conn| queries::find(conn, chat)).await?;
    line.enter(row.id, row.ticket_id, after);
    Ok((agent, follower))
}

impl Talks for Staff<'_> {
    fn line(&mut self) -> &mut Line {
        self.line
    }

    async fn hear(&mut self, text: &str) -> Result<(), Over> {
        match Line::read::<AgentSays>(text) {
            Ok(AgentSays::Ping {}) => self.line.tell(&DeskSays::Pong {}).await,
            Ok(AgentSays::Typing {}) => {
                self.line.types().await;
                Ok(())
            }
            Ok(AgentSays::Message { id, body }) => match self.say(id, body).await {
                Ok(seq) => {
                    self.line.tell(&DeskSays::Ack { id, seq }).await?;
                    self.line.pull().await
                }
                Err(error) => self.line.refuse(Some(id), &error).await,
            },
            Ok(AgentSays::Hello { .. }) => {
                let error = Error::Malformed { code: "hello_again", message: "a hello comes once, and first".into() };
                self.line.refuse(None, &error).await
            }
            Err(error) => self.line.refuse(None, &error).await,
        }
    }
}

impl Staff<'_> {
    async fn say(&mut self, id: ClientMessageId, body: String) -> Result<i32> {
        self.line.count_message()?;
        let app = self.line.app.clone();
        let (desk, now, agent) = (app.clone(), app.clock.now(), self.agent);
        let (chat, _) = self.line.chat.ok_or_else(|| Error::conflict("no_chat", "there is no chat"))?;
        let said = Said { id, body, files: Vec::new() };
        let say = move |conn: &mut Conn| commands::say(conn, &desk.config, (chat, Speaker::Agent(agent)), said, now);
        Ok(app.db.write(say).await?.seq)
    }
}

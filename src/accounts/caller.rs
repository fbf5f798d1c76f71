//! Who acts. Only the gate, a job or the sample data can make one of these.
use super::rights::{self, Right, Role, Scope};
use crate::ids::{AgentId, TokenId};
use crate::timeline::Actor;

/// Who sent a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The token that was shown.
    pub token_id: TokenId,
    /// What it is for.
    pub scopes: Vec<Scope>,
    /// Whose it is; machines have none.
    pub agent: Option<(AgentId, Role)>,
}

impl Caller {
    /// A phone system whose requests carry a signature instead of a token.
    pub fn signed_phone_system() -> Self {
        Self { token_id: TokenId(uuid::Uuid::nil()), scopes: vec![Scope::Channel], agent: None }
    }

    /// The desk's own hand that takes mails in: it knows when they came.
    pub fn mail_gate() -> Self {
        Self { token_id: TokenId(uuid::Uuid::nil()), scopes: vec![Scope::Channel], agent: None }
    }

    /// The desk's own hand that takes chats in, as they are asked for.
    pub fn chat_gate() -> Self {
        Self { token_id: TokenId(uuid::Uuid::nil()), scopes: vec![Scope::Channel], agent: None }
    }

    /// Whether the caller has the right.
    pub fn may(&self, right: Right) -> bool {
        self.scopes.iter().any(|scope| rights::grants(*scope, right))
    }

    /// Only phone systems, mail gates and importers know when something really came in.
    pub fn may_set_receipt(&self) -> bool {
        self.scopes.iter().any(|scope| rights::is_machine(*scope))
    }

    /// The caller as history writes it.
    pub fn actor(&self) -> Actor {
        match self.agent {
            Some((id, _)) => Actor::Agent(id),
            None => Actor::Machine(self.token_id),
        }
    }

    /// The person, where it is one.
    pub fn as_agent(&self) -> Option<Agent> {
        self.agent.map(|(id, role)| Agent { id, role })
    }
}

/// A person of the staff who acts.
#[derive(Debug, Clone, Copy)]
pub struct Agent {
    id: AgentId,
    role: Role,
}

impl Agent {
    /// Their id.
    pub fn id(&self) -> AgentId {
        self.id
    }

    /// Their role.
    pub fn role(&self) -> Role {
        self.role
    }
}

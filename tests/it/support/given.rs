//! What a test starts from, made through the interfaces that we promise.
use super::Desk;
use serde_json::{Value, json};

/// A ticket that came by mail from `address`, now.
#[track_caller]
pub fn email_ticket(desk: &Desk, address: &str) -> Value {
    let ticket = json!({
        "channel": "email",
        "subject": "Domain transfer is stuck",
        "body": "The transfer of nordwind.example does not move.",
        "from": { "email": address, "name": "Ana Castro" },
    });
    desk.channel().post("/api/v1/tickets", ticket).ok()
}

/// A call from `number` that rang at `received_at` (RFC 3339).
#[track_caller]
pub fn call(desk: &Desk, number: &str, received_at: &str) -> Value {
    let ticket = json!({
        "channel": "phone",
        "subject": "Call",
        "from": { "phone": number, "name": "Ben Okafor" },
        "received_at": received_at,
    });
    desk.channel().post("/api/v1/tickets", ticket).ok()
}

/// The agent closes a ticket.
#[track_caller]
pub fn close(desk: &Desk, id: &str) -> Value {
    desk.agent().post(&format!("/api/v1/tickets/{id}/closure"), json!({})).ok()
}

/// The path of a ticket, and of what belongs to it.
pub fn path(ticket: &Value, rest: &str) -> String {
    format!("/api/v1/tickets/{}{rest}", ticket["id"].as_str().unwrap())
}

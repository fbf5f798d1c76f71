//! Import and export of organizations, contacts and tickets with their receipts and history, as CSV and JSON Lines.
//!
//! A row is known by its `external_id`: the same file twice changes nothing, a changed row changes what it names. What is
//! exported can be imported. Imported history sends no mail and asks no survey.
pub mod api_exports;
pub mod api_imports;
mod cells;
pub mod commands;
pub mod commands_erasure;
mod forget;
pub mod jobs;
mod lines;
mod queries;
mod read;
mod store;
mod write;

names! {
    /// What is imported or exported.
    pub enum TransferKind {
        /// Reseller accounts.
        Organizations = "organizations",
        /// People there.
        Contacts = "contacts",
        /// Requests with messages, pickups and closes.
        Tickets = "tickets",
    }
}

names! {
    /// How a file is written.
    pub enum FileFormat {
        /// Comma-separated, with names in the first line (RFC 4180).
        Csv = "csv",
        /// One JSON object a line.
        Jsonl = "jsonl",
    }
}

names! {
    /// Where an import stands.
    pub enum ImportState {
        /// Not begun.
        Waiting = "waiting",
        /// Being worked off.
        Running = "running",
        /// Every row was looked at.
        Done = "done",
        /// Given up; `error` says why.
        Failed = "failed",
    }
}

/// The columns of a kind, in the order in which they are written.
pub fn columns(kind: TransferKind) -> &'static [&'static str] {
    match kind {
        TransferKind::Organizations => &["external_id", "name", "account"],
        TransferKind::Contacts => {
            &["external_id", "organization", "name", "emails", "phones", "time_zone", "language", "surveys_stopped"]
        }
        TransferKind::Tickets => &[
            "external_id",
            "contact",
            "email",
            "phone",
            "name",
            "organization",
            "channel",
            "direction",
            "subject",
            "priority",
            "team",
            "assignee",
            "tags",
            "received_at",
            "entered_by_hand",
            "body",
            "mail_message_id",
            "history",
        ],
    }
}

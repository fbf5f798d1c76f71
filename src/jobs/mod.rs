//! Jobs: every effect outside the database is queued in the verb's transaction and done later, at least once.
pub mod backoff;
pub mod queue;
pub mod worker;

use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicI64, Ordering};

names! {
    /// What is to be done.
    pub enum JobKind {
        /// Send a letter of the weekly digest.
        SendDigest = "send_digest",
        /// Send a reply's letter.
        DeliverMail = "deliver_mail",
        /// Check an invitation again and send it.
        SendSurvey = "send_survey",
        /// Check an invitation again and send its reminder.
        SendReminder = "send_reminder",
        /// Freeze the sample of a wave.
        FreezeWave = "freeze_wave",
        /// Make the invitations of a wave's next day.
        SendWave = "send_wave",
        /// Lay running clocks out after an edit of a policy or a calendar.
        MoveClocks = "move_clocks",
        /// Take the steps of alerts that are due.
        ClimbAlerts = "climb_alerts",
        /// Send a letter about alerts.
        SendAlert = "send_alert",
        /// Read a mail that was taken, and file it.
        FileMail = "file_mail",
        /// Throw away the files of an erased contact, and take them out of what others wrote.
        EraseFiles = "erase_files",
        /// Go on with an import.
        RunImport = "run_import",
    }
}

/// Why a job did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It may work later.
    Later(String),
    /// It never will: park it for a person.
    Never(String),
    /// It was not tried: it may not be done before this instant.
    NotBefore(DateTime<Utc>),
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        // What a mail server says can name addresses and stays out of the log; what the database says does not.
        tracing::warn!(%error, "a job met an error");
        Self::Later(error.to_string())
    }
}

/// When worker and alarm last looked at their queues, for `/readyz`.
#[derive(Default)]
pub struct Beat {
    worker: AtomicI64,
    alarm: AtomicI64,
}

impl Beat {
    /// The worker looked.
    pub fn worker(&self, now: DateTime<Utc>) {
        self.worker.store(now.timestamp(), Ordering::Relaxed);
    }

    /// The alarm looked.
    pub fn alarm(&self, now: DateTime<Utc>) {
        self.alarm.store(now.timestamp(), Ordering::Relaxed);
    }

    /// Seconds since the slower of the two looked.
    pub fn age_seconds(&self, now: DateTime<Utc>) -> i64 {
        let last = self.worker.load(Ordering::Relaxed).min(self.alarm.load(Ordering::Relaxed));
        now.timestamp() - last
    }
}

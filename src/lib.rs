//! Deskbell: a support desk that publishes its promises and proves to the second whether it kept them.
//!
//! The map, in reading order: what a ticket is ([`tickets`], [`calls`], [`chat`], [`attachments`], [`tags`], [`fields`]) and what
//! agents keep at hand ([`canned`], [`views`]); what is promised ([`sla`], [`calendar`]); what is asked ([`surveys`]); what is
//! counted ([`reports`], [`digest`]); who is there ([`accounts`], [`presence`], [`shifts`]) and what they may have back
//! ([`privacy`]); what comes in by mail ([`inbound`]) and goes out ([`mail`], [`webhooks`], [`jobs`]), or both at once
//! ([`transfer`]); what is remembered ([`timeline`], [`audit`]) and told as it happens ([`live`]); then the machinery ([`http`],
//! [`db`]) and how it starts ([`app`], [`serve`], [`setup`]).
#[macro_use]
pub mod names;

pub mod attachments;
pub mod calls;
pub mod canned;
pub mod chat;
pub mod fields;
pub mod tags;
pub mod tickets;
pub mod views;

pub mod calendar;
pub mod sla;

pub mod surveys;

pub mod reports;

pub mod accounts;
pub mod audit;
pub mod inbound;
pub mod live;
pub mod mail;
pub mod presence;
pub mod privacy;
pub mod shifts;
pub mod timeline;
pub mod transfer;
pub mod webhooks;

pub mod jobs;
pub mod timetable;

pub mod db;
pub mod http;
pub mod routes;

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod digest;
pub mod error;
pub mod ids;
pub mod instant;
pub mod memo;
pub mod metrics;
pub mod seen;
pub mod serve;
pub mod setup;

pub use error::{Error, Result};

//! Plays the story: every step through the desk's own verbs, in the order of time, with its instant as now.
use super::desk::Cast;
use super::dice::Dice;
use super::mood::{self, Answer, Experience, Reaction};
use super::people::{self, MANAGER};
use super::phones;
use super::store;
use super::story::{Act, Opening, Plan, Scene, working_hours};
use crate::accounts::caller::Agent;
use crate::calendar::hours::Hours;
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{AgentId, InvitationId, ResponseId, Secret, TicketId};
use crate::jobs::queue;
use crate::mail::outbox;
use crate::seen::Seen;
use crate::sla::alarm;
use crate::surveys::followups::commands as followups;
use crate::surveys::followups::model::{Ending, How};
use crate::surveys::{self, commands::Prepared, model::Outcome, suspicion::Press};
use crate::tickets::commands::{self as verbs, Change, Whole};
use crate::tickets::commands_intake::{self as intake, NewMessage, NewTicket, Sender};
use crate::tickets::model::{Channel, Direction};
use chrono::{DateTime, TimeDelta, Utc};
use indicatif::ProgressBar;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

/// From a due instant to the alarm that writes it, and to the job that sends a survey.
const LATENCY: TimeDelta = TimeDelta::milliseconds(230);
/// From a job's start to the mail server's yes.
const HAND_OVER: TimeDelta = TimeDelta::milliseconds(640);
/// A survey that was sent this long ago can still be answered for days.
const FRESH: TimeDelta = TimeDelta::days(4);
/// How much the contacts of two resellers differ in how glad they are, in percent either way.
const BIAS: f64 = 18.0;

/// What a run made.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) tickets: usize,
    pub(super) calls: usize,
    pub(super) surveys: usize,
    pub(super) answers: usize,
}

/// What is to be done at an instant.
enum Step {
    /// The scene of that place.
    Scene(usize),
    /// A promise of that ticket falls due at that instant.
    Ring(usize, DateTime<Utc>),
    /// An invitation to a survey about that ticket is due.
    Send(usize, InvitationId),
    Answer(Rc<Reply>),
    Revise(Rc<Reply>),
    Claim(Rc<Reply>),
    Review(Rc<Reply>, Agent),
    Unsubscribe(Secret),
}

/// An answer on its way.
struct Reply {
    ticket: usize,
    invitation: InvitationId,
    token: Secret,
    answer: Answer,
    comment: String,
    note: String,
}

/// A step in the queue: the earliest first, and at the same instant the one that was planned first.
struct Planned {
    key: Reverse<(DateTime<Utc>, usize)>,
    step: Step,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl Eq for Planned {}
impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Planned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// A ticket while the story goes on.
#[derive(Default)]
struct Live {
    id: Option<TicketId>,
    /// Who replied or was responsible.
    handlers: Vec<AgentId>,
    /// Who closed it last, by their place.
    closed_by: usize,
    /// Instants at which its promises fall due.
    alarms: Vec<DateTime<Utc>>,
    is_breached: bool,
    close_count: i32,
}

/// The story while it is played.
pub(super) struct Run<'a> {
    config: &'a Config,
    plan: &'a Plan,
    cast: &'a Cast,
    seed: u64,
    now: DateTime<Utc>,
    hours: Hours,
    queue: BinaryHeap<Planned>,
    planned: usize,
    live: Vec<Live>,
    bias: Vec<f64>,
    counts: Counts,
    unanswered: Option<String>,
}

impl<'a> Run<'a> {
    /// Everything of the plan waits for its instant.
    pub(super) fn new(config: &'a Config, plan: &'a Plan, cast: &'a Cast, seed: u64, now: DateTime<Utc>) -> Self {
        let mut dice = Dice::new(seed);
        let mut run = Self {
            config,
            plan,
            cast,
            seed,
            now,
            hours: working_hours(),
            queue: BinaryHeap::with_capacity(plan.scenes.len()),
            planned: 0,
            live: plan.tickets.iter().map(|_| Live::default()).collect(),
            bias: people::RESELLERS.iter().map(|_| dice.between(-BIAS, BIAS)).collect(),
            counts: Counts::default(),
            unanswered: None,
        };
        for (place, scene) in plan.scenes.iter().enumerate() {
            run.plan_at(scene.at, Step::Scene(place));
        }
        run
    }

    /// What lies ahead of now does not happen: the desk itself goes on from there.
    fn plan_at(&mut self, at: DateTime<Utc>, step: Step) {
        if at <= self.now {
            self.planned += 1;
            self.queue.push(Planned { key: Reverse((at, self.planned)), step });
        }
    }

    /// Plays all of it; gives what was made, and the secret of a survey that can be answered.
    pub(super) fn play(mut self, conn: &mut Conn, bar: &ProgressBar) -> Result<(Counts, Option<String>)> {
        while let Some(Planned { key: Reverse((at, _)), step }) = self.queue.pop() {
            match step {
                Step::Scene(place) => {
                    self.scene(conn, place)?;
                    bar.inc(1);
                }
                Step::Ring(ticket, due_at) => self.ring(conn, ticket, due_at, at)?,
                Step::Send(ticket, invitation) => self.send(conn, ticket, invitation, at)?,
                Step::Answer(reply) => self.answer(conn, &reply, at)?,
                Step::Revise(reply) => {
                    if let Some((_, score)) = reply.answer.revision {
                        let said = (score, reply.comment.as_str());
                        surveys::commands::answer(conn, self.config, &reply.token.digest(), said, &Press::default(), at)?;
                    }
                }
                Step::Claim(reply) => self.claim(conn, &reply, at)?,
                Step::Review(reply, by) => {
                    if let Some(response) = store::response_of(conn, reply.invitation)? {
                        let said = (reply.answer.causes.clone(), reply.note.clone());
                        surveys::commands::review(conn, &by, response, said, at)?;
                        self.follow_up(conn, response, &by, at)?;
                    }
                }
                Step::Unsubscribe(secret) => surveys::commands::unsubscribe(conn, &secret.digest(), at)?,
            }
        }
        store::deliver_all(conn)?;
        self.counts.calls = phones::remember(conn, self.plan, self.cast, &self.hours, &self.live_ids(), self.now)?;
        Ok((self.counts, self.unanswered))
    }

    /// The tickets that were taken in, by their places.
    fn live_ids(&self) -> Vec<Option<TicketId>> {
        self.live.iter().map(|live| live.id).collect()
    }

    fn opening(&self, ticket: usize) -> Result<&'a Opening> {
        self.plan.tickets.get(ticket).ok_or_else(|| Error::internal("the sample data names no such ticket"))
    }

    fn scene(&mut self, conn: &mut Conn, place: usize) -> Result<()> {
        let Some(Scene { at, ticket, act }) = self.plan.scenes.get(place) else { return Ok(()) };
        let (at, ticket) = (*at, *ticket);
        let opening = self.opening(ticket)?;
        let known = self.live.get(ticket).and_then(|live| live.id);
        let whole = match known {
            None => self.receive(conn, opening, at)?,
            Some(id) => self.act(conn, id, opening.channel, act, at)?,
        };
        let live = self.live.get_mut(ticket).ok_or_else(|| Error::internal("the sample data names no such ticket"))?;
        live.id = Some(whole.ticket.id);
        live.is_breached = whole.clocks.summary().breached > 0;
        live.close_count = whole.ticket.close_count;
        live.handlers.extend(whole.ticket.assignee_id);
        if let Act::Reply(by, _) | Act::Close(by) = act {
            live.handlers.push(self.cast.agent(*by)?.id());
            live.closed_by = *by;
        }
        live.alarms = alarms(&whole);
        for due_at in live.alarms.clone() {
            self.plan_at(due_at + LATENCY, Step::Ring(ticket, due_at));
        }
        if matches!(act, Act::Close(_))
            && let Some((invitation, due_at)) = store::waiting(conn, whole.ticket.id, whole.ticket.close_count)?
        {
            self.plan_at(due_at + LATENCY, Step::Send(ticket, invitation));
        }
        Ok(())
    }

    fn receive(&mut self, conn: &mut Conn, opening: &Opening, at: DateTime<Utc>) -> Result<Whole> {
        self.counts.tickets += 1;
        let message = opening.body.clone().map(|body| NewMessage { body, mail_message_id: opening.mail_id.clone() });
        let new = NewTicket {
            channel: opening.channel,
            direction: Direction::Inbound,
            subject: opening.subject.clone(),
            priority: opening.priority,
            from: Sender::Contact(self.cast.contact(opening.contact)?),
            organization_id: None,
            team_id: Some(self.cast.team(opening.team)?),
            assignee_id: None,
            tags: opening.tags.clone(),
            received_at: Some(opening.received_at),
            message,
            follows_id: None,
        };
        intake::create(conn, self.cast.machine(opening.channel)?, new, at)
    }

    fn act(&self, conn: &mut Conn, id: TicketId, channel: Channel, act: &Act, at: DateTime<Utc>) -> Result<Whole> {
        let seen = Seen(None);
        match act {
            Act::Receive => Err(Error::internal("the sample data takes a ticket in twice")),
            Act::PickUp(by) => verbs::pick_up(conn, self.cast.agent(*by)?, id, seen, at),
            Act::Reply(by, body) => {
                let said = verbs::Reply { body: body.clone(), cc: Vec::new() };
                verbs::reply(conn, self.config, self.cast.agent(*by)?, id, seen, said, at)
            }
            Act::Note(by, body) => verbs::note(conn, self.cast.agent(*by)?, id, seen, body.clone(), at),
            Act::Write(body, mail_id) => {
                // A caller who writes later does so by mail.
                let by = self.cast.machine(if channel == Channel::Chat { Channel::Chat } else { Channel::Email })?;
                let message = NewMessage { body: body.clone(), mail_message_id: mail_id.clone() };
                intake::receive(conn, self.config, by, id, message, None, at)
            }
            Act::Set(by, status) => {
                let change = Change { status: Some(*status), ..Change::default() };
                verbs::change(conn, self.cast.agent(*by)?, id, seen, change, at)
            }
            Act::Prioritize(by, priority) => {
                let change = Change { priority: Some(*priority), ..Change::default() };
                verbs::change(conn, self.cast.agent(*by)?, id, seen, change, at)
            }
            Act::Tag(by, tags) => {
                let change = Change { tags: Some(tags.clone()), ..Change::default() };
                verbs::change(conn, self.cast.agent(*by)?, id, seen, change, at)
            }
            Act::HandOver(by, to) => verbs::hand_over(conn, self.cast.agent(*by)?, id, seen, Some(self.cast.team(*to)?), at),
            Act::Assign(by, to) => {
                let to = Some(self.cast.agent(*to)?.id());
                verbs::assign(conn, self.cast.agent(*by)?, id, seen, to, at)
            }
            Act::Close(by) => verbs::close(conn, self.config, self.cast.agent(*by)?, id, seen, at),
            Act::Reopen(by) => verbs::reopen(conn, self.cast.agent(*by)?, id, seen, at),
        }
    }

    /// The alarm writes what fell due, where nothing changed it since.
    fn ring(&mut self, conn: &mut Conn, ticket: usize, due_at: DateTime<Utc>, at: DateTime<Utc>) -> Result<()> {
        if self.live.get(ticket).is_some_and(|live| live.alarms.contains(&due_at)) {
            alarm::ring_due(conn, at)?;
        }
        Ok(())
    }

    /// The invitation is checked again and mailed, but for the mailing; then the contact reacts, or not.
    fn send(&mut self, conn: &mut Conn, ticket: usize, id: InvitationId, at: DateTime<Utc>) -> Result<()> {
        queue::cancel(conn, id.0)?;
        let Prepared::Ready(ready) = surveys::commands::prepare(conn, self.config, id.0, at)? else { return Ok(()) };
        let letter = surveys::jobs::letter(self.config, &ready).map_err(|error| Error::internal(format!("template: {error}")))?;
        let mail = outbox::note_survey(conn, id.0, ready.ticket.as_ref().map(|ticket| ticket.id), &letter, at)?;
        let sent_at = at + HAND_OVER;
        surveys::commands::handed_over(conn, self.config, id, Outcome::Sent, sent_at)?;
        outbox::sent(conn, mail, sent_at)?;
        self.counts.surveys += 1;
        let (opening, contacts) = (self.opening(ticket)?, &self.plan.contacts);
        let reseller = contacts.get(opening.contact).map_or(0, |contact| contact.reseller);
        let live = self.live.get(ticket);
        let experience = Experience {
            is_breached: live.is_some_and(|live| live.is_breached),
            is_reopened: live.is_some_and(|live| live.close_count > 1),
            bias: self.bias.get(reseller).copied().unwrap_or_default(),
        };
        let close_count = live.map_or(0, |live| live.close_count);
        let mut dice = Dice::new(self.seed ^ ((ticket as u64 + 1) << 20) ^ u64::from(close_count.unsigned_abs()));
        let agent = people::first_name(live.map_or(0, |live| live.closed_by));
        match mood::react(&mut dice, &experience) {
            Reaction::Nothing => self.keep(&ready.token, sent_at),
            Reaction::Unsubscribes(after) => self.plan_at(sent_at + after, Step::Unsubscribe(ready.unsubscribe)),
            Reaction::Answers(answer) => {
                let say = |text: &str| text.replace("{topic}", opening.topic.name).replace("{agent}", agent);
                let (comment, note) = (say(answer.comment), say(answer.note));
                let answered_at = sent_at + answer.after;
                if answered_at > self.now {
                    self.keep(&ready.token, sent_at);
                }
                let reply = Reply { ticket, invitation: id, token: ready.token, answer: *answer, comment, note };
                self.plan_at(answered_at, Step::Answer(Rc::new(reply)));
            }
        }
        Ok(())
    }

    /// Keeps the secret of a survey that nobody has answered, for trying.
    fn keep(&mut self, token: &Secret, sent_at: DateTime<Utc>) {
        if sent_at + FRESH > self.now {
            self.unanswered = Some(token.reveal().to_owned());
        }
    }

    fn answer(&mut self, conn: &mut Conn, reply: &Rc<Reply>, at: DateTime<Utc>) -> Result<()> {
        let answer = &reply.answer;
        let said = (answer.score, reply.comment.as_str());
        surveys::commands::answer(conn, self.config, &reply.token.digest(), said, &Press::default(), at)?;
        self.counts.answers += 1;
        let mut read_at = at;
        if let Some((after, _)) = answer.revision {
            read_at += after;
            self.plan_at(read_at, Step::Revise(Rc::clone(reply)));
        }
        // Reviewers work when the desk is open.
        let opened_at = self.hours.next_opening(read_at).unwrap_or(read_at);
        let claimed_at = self.hours.deadline(opened_at, answer.claimed_after.num_seconds()).unwrap_or(opened_at);
        let claimed_at = claimed_at + TimeDelta::nanoseconds(answer.claimed_after.subsec_nanos().into());
        self.plan_at(claimed_at, Step::Claim(Rc::clone(reply)));
        Ok(())
    }

    /// Whoever read a detractor's answer calls; the newest ones still wait for that.
    fn follow_up(&self, conn: &mut Conn, response: ResponseId, by: &Agent, at: DateTime<Utc>) -> Result<()> {
        if at + FRESH > self.now || !store::owes_followup(conn, response)? {
            return Ok(());
        }
        let mut dice = Dice::new(self.seed ^ at.timestamp().unsigned_abs());
        let ending = if dice.chance(60.0) { Ending::Contacted } else { Ending::NoReply };
        followups::attempt(conn, by, response, (How::Phone, String::new(), None), at)?;
        followups::end(conn, by, response, Seen(None), (ending, String::new()), at)
    }

    /// The manager reads it, or a colleague; never who handled the ticket.
    fn claim(&mut self, conn: &mut Conn, reply: &Rc<Reply>, at: DateTime<Utc>) -> Result<()> {
        let Some(response) = store::response_of(conn, reply.invitation)? else { return Ok(()) };
        let handlers = self.live.get(reply.ticket).map_or(&[][..], |live| &live.handlers);
        let mut dice = Dice::new(self.seed ^ reply.ticket as u64);
        let first = if dice.chance(55.0) { MANAGER } else { dice.index(self.cast.agents().len()) };
        let mut readers = self.cast.agents().iter().cycle().skip(first).take(self.cast.agents().len());
        let Some(by) = readers.find(|agent| !handlers.contains(&agent.id())).copied() else { return Ok(()) };
        surveys::commands::claim(conn, &by, response, at)?;
        self.plan_at(at + reply.answer.reviewed_after, Step::Review(Rc::clone(reply), by));
        Ok(())
    }
}

/// The instants at which the running promises of a ticket fall due.
fn alarms(whole: &Whole) -> Vec<DateTime<Utc>> {
    let running = whole.clocks.rows().iter().filter(|row| row.alarm_at.is_some());
    let instants = running.flat_map(|row| [row.warn_at.filter(|_| row.warned_at.is_none()), row.due_at]);
    instants.flatten().map(|at| at.0).collect()
}

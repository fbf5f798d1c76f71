//! How one ticket goes: who does what, and what they write. Pure.
use super::dice::Dice;
use super::people::{self, AgentIx, COMPLIANCE, Contact, PAYMENTS, RESELLER_SUPPORT, TEAMS, TeamIx};
use super::story::{Act, Opening, Scene, is_weekend};
use super::words;
use crate::calendar::hours::Hours;
use crate::tickets::model::Channel;
use chrono::{DateTime, TimeDelta, Utc};

/// Calls and chats that are picked up in time, in percent.
const PICKED_UP_IN_TIME: f64 = 88.5;
/// Mails whose first answer comes too late, in percent.
const ANSWERED_LATE: f64 = 6.0;
/// Hours within which mails are promised an answer.
const ANSWER_HOURS: f64 = 24.0;

/// How a ticket of the last hours must stand, whatever the dice say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lately {
    /// Nobody has answered yet.
    Unanswered,
    /// Answered and closed at that instant; its survey waits.
    ClosedAt(DateTime<Utc>),
}

/// Receipts of the tickets that show how a desk looks in the middle of its work.
pub(super) fn lately(dice: &mut Dice, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, Lately)> {
    let minutes = |minutes: i64| TimeDelta::minutes(minutes);
    let day = minutes(24 * 60);
    let mut tickets: Vec<(DateTime<Utc>, Lately)> = Vec::new();
    for left in [25, 80, 170, 290, -45, -200] {
        tickets.push((now - day + minutes(left) + dice.seconds(0.0, 300.0), Lately::Unanswered));
    }
    for ago in [12, 40, 95] {
        let closed_at = now - minutes(ago) - dice.seconds(0.0, 60.0);
        tickets.push((closed_at - dice.hours(2.0, 5.0, 1.0), Lately::ClosedAt(closed_at)));
    }
    tickets
}

/// Writes the steps of one ticket, and the contact's first words into its opening.
pub(super) fn write(
    dice: &mut Dice,
    hours: &Hours,
    contacts: &[Contact],
    (ticket, opening): (usize, &mut Opening),
    lately: Option<Lately>,
) -> Vec<Scene> {
    let contact = contacts.get(opening.contact);
    let (name, first_name) = contact.map_or(("", ""), |contact| (contact.name, contact.first_name()));
    let request = fill(opening.case.request, opening);
    let mut script = Script {
        hours,
        at: opening.received_at,
        scenes: Vec::new(),
        agent: 0,
        contact: first_name,
        host: contact.and_then(|contact| contact.email.split_once('@')).map_or("mail.example", |(_, host)| host).to_owned(),
        ticket,
        opening: opening.clone(),
        team: opening.team,
        dice,
    };
    script.agent = script.agent_of(opening.team);
    match (opening.channel, lately) {
        (Channel::Phone, _) => script.opening.body = script.phone(&request),
        (Channel::Chat, _) => script.opening.body = Some(script.chat(&request)),
        (Channel::Email | Channel::Web, lately) => {
            let (greeting, farewell) = (script.dice.pick(words::GREETINGS), script.dice.pick(words::FAREWELLS));
            script.opening.body = Some(format!("{greeting}\n\n{request}\n\n{farewell}\n{name}"));
            script.opening.mail_id = Some(script.mail_id());
            match lately {
                None => script.email(),
                Some(lately) => script.email_lately(lately),
            }
        }
    }
    *opening = script.opening;
    script.scenes
}

/// A share of a stretch of time.
fn part(of: TimeDelta, share: f64) -> TimeDelta {
    TimeDelta::milliseconds((of.num_milliseconds() as f64 * share) as i64)
}

fn fill(text: &str, opening: &Opening) -> String {
    text.replace("{domain}", &opening.domain).replace("{code}", &opening.code)
}

/// A ticket's steps while they are written.
pub(super) struct Script<'a> {
    pub(super) dice: &'a mut Dice,
    hours: &'a Hours,
    /// When the last step was.
    pub(super) at: DateTime<Utc>,
    scenes: Vec<Scene>,
    /// Who works on it.
    pub(super) agent: AgentIx,
    pub(super) contact: &'static str,
    host: String,
    ticket: usize,
    pub(super) opening: Opening,
    pub(super) team: TeamIx,
}

impl Script<'_> {
    pub(super) fn act(&mut self, after: TimeDelta, act: Act) {
        self.at += after;
        self.scenes.push(Scene { at: self.at, ticket: self.ticket, act });
    }

    /// Lets time pass, and then the night.
    pub(super) fn work_after(&mut self, pause: TimeDelta) {
        self.at += pause;
        self.at = self.at_work(self.at);
    }

    /// The instant itself where somebody is at work then, else one of the next morning.
    fn at_work(&mut self, at: DateTime<Utc>) -> DateTime<Utc> {
        if self.hours.is_open(at) {
            return at;
        }
        self.hours.next_opening(at).unwrap_or(at) + self.dice.minutes(1.0, 75.0)
    }

    pub(super) fn agent_of(&mut self, team: TeamIx) -> AgentIx {
        let team = if matches!(team, PAYMENTS | COMPLIANCE) && is_weekend(self.at) { RESELLER_SUPPORT } else { team };
        TEAMS.get(team).map_or(0, |team| self.dice.weigh(&team.weights))
    }

    fn mail_id(&mut self) -> String {
        format!("<{}@{}>", self.dice.hex(), self.host)
    }

    pub(super) fn say(&mut self, list: &[&'static str]) -> String {
        let text = self.dice.pick(list);
        self.text(text)
    }

    pub(super) fn text(&self, text: &str) -> String {
        fill(text, &self.opening).replace("{contact}", self.contact).replace("{agent}", people::first_name(self.agent))
    }

    pub(super) fn reply(&mut self, after: TimeDelta, parts: &[&str]) {
        let body = format!("Hello {},\n\n{}", self.contact, parts.join("\n\n"));
        self.act(after, Act::Reply(self.agent, body));
    }

    pub(super) fn note(&mut self, after: TimeDelta, body: String) {
        self.act(after, Act::Note(self.agent, body));
    }

    /// The contact writes again, by chat or by mail.
    pub(super) fn contact_writes(&mut self, after: TimeDelta, body: String) {
        let mail_id = if self.opening.channel == Channel::Chat { None } else { Some(self.mail_id()) };
        self.act(after, Act::Write(body, mail_id));
    }

    /// A call: picked up or left on the answering machine.
    fn phone(&mut self, request: &str) -> Option<String> {
        let received_at = self.at;
        let intake = self.dice.seconds(0.15, 0.6);
        self.act(intake, Act::Receive);
        if !self.hours.is_open(received_at) {
            self.opening.tags.push("voicemail".to_owned());
            let seconds = 12 + self.dice.index(60);
            let mail = self.say(words::VOICEMAILS).replace("{seconds}", &seconds.to_string()).replace("{request}", request);
            let pause = self.dice.minutes(2.0, 30.0);
            self.work_after(pause);
            let called = self.say(words::CALL_BACKS);
            self.note(TimeDelta::zero(), called);
            self.answer_by_mail(2.0, 20.0);
            self.finish();
            return Some(mail);
        }
        self.pick_up(received_at);
        let call = self.say(words::CALL_NOTES).replace("{request}", request);
        let (talk, wrap_up) = (self.dice.minutes(1.5, 11.0), self.dice.minutes(0.5, 3.0));
        self.note(talk, call);
        match self.dice.weigh(&[34, 26, 20, 12, 8]) {
            0 => self.at += wrap_up,
            1 => self.answer_by_mail(1.0, 8.0),
            2 => self.ask(),
            3 => self.hand_over(),
            _ => self.hold(),
        }
        self.finish();
        None
    }

    /// Seconds from the ring to a person.
    fn pick_up(&mut self, received_at: DateTime<Utc>) {
        let wait = if self.dice.chance(PICKED_UP_IN_TIME) {
            3.0 + 16.8 * self.dice.fraction().powf(1.1)
        } else {
            20.3 + 85.0 * self.dice.fraction().powf(2.2)
        };
        let picked_up_at = received_at + TimeDelta::milliseconds((wait * 1_000.0) as i64);
        self.act(picked_up_at - self.at, Act::PickUp(self.agent));
    }

    /// A chat: some lines to and fro.
    fn chat(&mut self, request: &str) -> String {
        let received_at = self.at;
        let opening = format!("{} {request}", self.dice.pick(words::CHAT_OPENINGS));
        let intake = self.dice.seconds(0.1, 0.5);
        self.act(intake, Act::Receive);
        if !self.hours.is_open(received_at) {
            let pause = self.dice.minutes(2.0, 40.0);
            self.work_after(pause);
            self.answer_by_mail(2.0, 15.0);
            self.finish();
            return opening;
        }
        self.pick_up(received_at);
        let (greeting, typing) = (self.say(words::CHAT_GREETINGS), self.dice.seconds(5.0, 25.0));
        self.act(typing, Act::Reply(self.agent, greeting));
        let (middle, reading) = (self.say(words::CHAT_MIDDLES), self.dice.seconds(8.0, 50.0));
        self.contact_writes(reading, middle);
        match self.dice.weigh(&[66, 14, 12, 8]) {
            0 => {
                let (answer, work) = (self.text(self.opening.case.answer), self.dice.minutes(1.0, 9.0));
                self.act(work, Act::Reply(self.agent, answer));
                if self.dice.chance(60.0) {
                    let (thanks, reading) = (self.say(words::THANKS), self.dice.seconds(10.0, 90.0));
                    self.contact_writes(reading, thanks);
                }
                self.at += self.dice.minutes(0.3, 4.0);
            }
            1 => self.ask(),
            2 => self.hand_over(),
            _ => self.hold(),
        }
        self.finish();
        opening
    }

    /// A mail, from its receipt to its close.
    fn email(&mut self) {
        let (received_at, topic) = (self.at, self.opening.topic);
        let intake = self.dice.seconds(1.5, 35.0);
        self.act(intake, Act::Receive);
        let (answered_at, is_late) = self.first_answer(received_at);
        if self.team != topic.team || self.dice.chance(25.0) {
            let pause = part(answered_at - self.at, self.dice.between(0.1, 0.5));
            let after = self.at_work(self.at + pause).min(answered_at - TimeDelta::minutes(2)).max(self.at) - self.at;
            let by = self.agent_of(RESELLER_SUPPORT);
            if self.team == topic.team {
                self.act(after, Act::Assign(by, self.agent));
            } else {
                self.team = topic.team;
                self.act(after, Act::HandOver(by, topic.team));
                self.agent = self.agent_of(topic.team);
            }
        }
        if self.dice.chance(18.0) && answered_at - self.at > TimeDelta::minutes(5) {
            self.note(answered_at - self.at - TimeDelta::minutes(4), self.text(topic.note));
        }
        self.at = self.at.max(answered_at);
        if is_late {
            self.answer_late();
            return self.finish();
        }
        match self.dice.weigh(&[52, 26, 8, 14]) {
            0 => self.answer_by_mail(0.0, 1.0),
            1 => self.ask(),
            2 => {
                self.answer_by_mail(0.0, 1.0);
                let (more, pause) = (self.say(words::STILL_BROKEN), self.dice.hours(0.3, 20.0, 2.0));
                self.contact_writes(pause, more);
                let pause = self.dice.hours(0.3, 6.0, 2.0);
                self.work_after(pause);
                let answer = self.say(words::SECOND_ANSWERS);
                self.reply(TimeDelta::zero(), &[&answer]);
            }
            _ => self.hold(),
        }
        self.finish();
    }

    /// When the first answer goes out, and whether that is too late.
    fn first_answer(&mut self, received_at: DateTime<Utc>) -> (DateTime<Utc>, bool) {
        if self.dice.chance(ANSWERED_LATE) {
            let pause = self.dice.hours(ANSWER_HOURS + 0.2, ANSWER_HOURS + 16.0, 1.8);
            return (self.at_work(received_at + pause), true);
        }
        let pause = match self.dice.weigh(&[64, 24, 12]) {
            0 => self.dice.hours(0.2, 4.0, 1.6),
            1 => self.dice.hours(4.0, 10.0, 1.2),
            _ => self.dice.hours(10.0, ANSWER_HOURS - 0.5, 1.0),
        };
        let answered_at = self.at_work(received_at + pause);
        let latest = received_at + TimeDelta::minutes((ANSWER_HOURS * 60.0) as i64 - 10);
        // Nobody waits for the morning if the promise would be broken by then: it is done in the evening before.
        (answered_at.min(latest), false)
    }

    fn answer_late(&mut self) {
        let (sorry, answer) = (self.say(words::LATE_OPENINGS), self.text(self.opening.case.answer));
        self.reply(TimeDelta::zero(), &[&sorry, &answer]);
    }

    fn email_lately(&mut self, lately: Lately) {
        let intake = self.dice.seconds(1.5, 35.0);
        self.act(intake, Act::Receive);
        if let Lately::ClosedAt(closed_at) = lately {
            let answer = self.text(self.opening.case.answer);
            self.reply(closed_at - TimeDelta::minutes(9) - self.at, &[&answer]);
            self.act(closed_at - self.at, Act::Close(self.agent));
        }
    }
}

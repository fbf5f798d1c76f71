//! The turns a ticket can take after its first contact, up to its close and another round. Pure.
use super::script::Script;
use super::story::Act;
use super::words;
use crate::tickets::model::{Channel, Priority, Status};
use chrono::TimeDelta;

/// Closed tickets that turn out not to be solved, in percent.
const REOPENED: f64 = 5.0;

impl Script<'_> {
    pub(super) fn answer_by_mail(&mut self, low: f64, high: f64) {
        let answer = self.text(self.opening.case.answer);
        let after = self.dice.minutes(low, high);
        if self.opening.channel == Channel::Phone {
            let summary = self.say(words::SUMMARIES);
            self.reply(after, &[&summary, &answer]);
        } else {
            self.reply(after, &[&answer]);
        }
    }

    /// Needs something from the contact first.
    pub(super) fn ask(&mut self) {
        let (question, writing) = (self.text(self.opening.topic.question), self.dice.minutes(0.5, 4.0));
        self.reply(writing, &[&question]);
        let pause = self.dice.seconds(3.0, 40.0);
        self.act(pause, Act::Set(self.agent, Status::Pending));
        if self.dice.chance(12.0) {
            let pause = self.dice.hours(70.0, 130.0, 1.0);
            self.work_after(pause);
            let chaser = self.say(words::CHASERS);
            return self.reply(TimeDelta::zero(), &[&chaser]);
        }
        let (told, pause) = (self.text(self.opening.topic.reply), self.dice.hours(0.2, 60.0, 3.0));
        self.contact_writes(pause, told);
        let pause = self.dice.hours(0.2, 9.0, 2.0);
        self.work_after(pause);
        self.answer_by_mail(0.0, 3.0);
    }

    /// Another department finishes it.
    pub(super) fn hand_over(&mut self) {
        let to = self.opening.topic.team;
        if to == self.team {
            return self.answer_by_mail(2.0, 25.0);
        }
        let (note, writing) = (self.say(words::HAND_OVER_NOTES), self.dice.seconds(20.0, 120.0));
        self.note(writing, note);
        let pause = self.dice.seconds(3.0, 20.0);
        self.act(pause, Act::HandOver(self.agent, to));
        self.team = to;
        self.agent = self.agent_of(to);
        let pause = self.dice.hours(0.1, 7.0, 2.0);
        self.work_after(pause);
        self.act(TimeDelta::zero(), Act::Assign(self.agent, self.agent));
        self.answer_by_mail(3.0, 25.0);
    }

    /// A third party has to act.
    pub(super) fn hold(&mut self) {
        let answer = self.say(words::HOLD_ANSWERS);
        let writing = self.dice.minutes(1.0, 6.0);
        self.reply(writing, &[&answer]);
        let note = self.say(words::HOLD_NOTES);
        self.note(TimeDelta::seconds(35), note);
        self.act(TimeDelta::seconds(4), Act::Set(self.agent, Status::OnHold));
        let pause = self.dice.hours(3.0, 110.0, 1.6);
        self.work_after(pause);
        self.act(TimeDelta::zero(), Act::Set(self.agent, Status::Open));
        self.answer_by_mail(1.0, 10.0);
    }

    /// What else happens on the way, the close, and sometimes another round.
    pub(super) fn finish(&mut self) {
        if self.dice.chance(5.0) && self.opening.priority < Priority::High {
            self.act(TimeDelta::seconds(20), Act::Prioritize(self.agent, Priority::High));
        }
        if self.dice.chance(8.0) {
            let tag = self.dice.pick(&["vip", "known-issue", "product-feedback", "documentation"]);
            let mut tags = self.opening.tags.clone();
            tags.push(tag.to_owned());
            self.act(TimeDelta::seconds(11), Act::Tag(self.agent, tags));
        }
        if self.opening.channel == Channel::Email && self.dice.chance(40.0) {
            let (thanks, pause) = (self.say(words::THANKS), self.dice.hours(0.1, 26.0, 2.5));
            self.contact_writes(pause, thanks);
            let pause = self.dice.hours(0.05, 4.0, 2.0);
            self.work_after(pause);
        }
        let pause = self.dice.minutes(0.3, 12.0);
        self.act(pause, Act::Close(self.agent));
        if self.dice.chance(REOPENED) {
            self.another_round();
        }
    }

    fn another_round(&mut self) {
        if self.dice.chance(30.0) {
            let pause = self.dice.minutes(2.0, 90.0);
            self.work_after(pause);
            self.act(TimeDelta::zero(), Act::Reopen(self.agent));
            self.note(TimeDelta::seconds(50), self.text(self.opening.topic.note));
        } else {
            let (words, pause) = (self.say(words::STILL_BROKEN), self.dice.hours(0.3, 90.0, 2.0));
            self.contact_writes(pause, words);
            let pause = self.dice.hours(0.2, 8.0, 2.0);
            self.work_after(pause);
            let answer = self.say(words::SECOND_ANSWERS);
            self.reply(TimeDelta::zero(), &[&answer]);
        }
        let pause = self.dice.minutes(5.0, 60.0);
        self.act(pause, Act::Close(self.agent));
    }
}

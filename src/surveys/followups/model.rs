//! The rules of follow-ups: when one is owed, and when it may end. Pure.

names! {
    /// How somebody tried to reach the contact.
    pub enum How {
        /// A call.
        Phone = "phone",
        /// A mail.
        Email = "email",
        /// A chat.
        Chat = "chat",
        /// In person.
        InPerson = "in_person",
        /// Another way.
        Other = "other",
    }
}

names! {
    /// How a follow-up ended.
    pub enum Ending {
        /// What was wrong is put right.
        Resolved = "resolved",
        /// The contact was spoken to.
        Contacted = "contacted",
        /// The contact did not answer.
        NoReply = "no_reply",
        /// The contact did not want to talk.
        Declined = "declined",
        /// There was nothing to follow up; why is written down.
        NotNeeded = "not_needed",
    }
}

/// How a follow-up stands when its answer changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// It has an outcome.
    pub is_ended: bool,
    /// The desk ended it, not a person.
    pub is_ended_by_desk: bool,
    /// Somebody owns it, has tried, or opened a ticket.
    pub is_touched: bool,
}

/// What becomes of the follow-up of an answer that is new or has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// One is owed and there is none.
    Open,
    /// One is owed again that the desk had ended.
    Reopen,
    /// None is owed any more, and nobody has begun.
    End,
    /// It stays as it is: people decide about what people began.
    Leave,
}

/// Every counted detractor is owed a follow-up.
pub fn keep(is_owed: bool, standing: Option<Standing>) -> Keep {
    match (is_owed, standing) {
        (true, None) => Keep::Open,
        (true, Some(Standing { is_ended_by_desk: true, .. })) => Keep::Reopen,
        (false, Some(Standing { is_ended: false, is_touched: false, .. })) => Keep::End,
        (true | false, _) => Keep::Leave,
    }
}

/// Why a follow-up cannot end so: the field, a stable word, a sentence.
pub type Refused = (&'static str, &'static str, &'static str);

/// Nobody was reached, or not, without a try; and what was not needed says why.
pub fn may_end(ending: Ending, attempts: usize, why: &str) -> Result<(), Refused> {
    match ending {
        Ending::NotNeeded if why.trim().is_empty() => Err(("why", "no_reason", "say why no follow-up is needed")),
        Ending::NotNeeded => Ok(()),
        Ending::Resolved | Ending::Contacted | Ending::NoReply | Ending::Declined if attempts == 0 => {
            Err(("outcome", "no_attempt", "write down the attempt to reach the contact first"))
        }
        Ending::Resolved | Ending::Contacted | Ending::NoReply | Ending::Declined => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follow_up_is_owed_until_people_have_it_in_hand() {
        let open = Standing { is_ended: false, is_ended_by_desk: false, is_touched: false };
        let touched = Standing { is_touched: true, ..open };
        let ended = Standing { is_ended: true, ..touched };
        let by_desk = Standing { is_ended: true, is_ended_by_desk: true, is_touched: false };
        let rows = [
            (true, None, Keep::Open),
            (true, Some(open), Keep::Leave),
            (true, Some(touched), Keep::Leave),
            (true, Some(ended), Keep::Leave),
            (true, Some(by_desk), Keep::Reopen),
            (false, None, Keep::Leave),
            (false, Some(open), Keep::End),
            (false, Some(touched), Keep::Leave),
            (false, Some(ended), Keep::Leave),
            (false, Some(by_desk), Keep::Leave),
        ];
        for (is_owed, standing, expected) in rows {
            assert_eq!(keep(is_owed, standing), expected, "{is_owed} {standing:?}");
        }
    }

    #[test]
    fn an_ending_needs_an_attempt_or_a_reason() {
        for ending in Ending::ALL {
            let is_spared = *ending == Ending::NotNeeded;
            assert_eq!(may_end(*ending, 0, "they sold their company").is_ok(), is_spared, "{ending}");
            assert_eq!(may_end(*ending, 1, " ").is_ok(), !is_spared, "{ending}");
        }
    }
}

//! Who may do what: the one table, asked by the server before every request. Pure.

names! {
    /// What a token may be used for.
    pub enum Scope {
        /// Work on tickets as a person.
        Agent = "agent",
        /// And read reports, see and release outgoing mail, give back reviews of others.
        Manager = "manager",
        /// And set up the desk.
        Admin = "admin",
        /// A phone system, mail gate or chat widget: reports what came in, and when.
        Channel = "channel",
        /// A migration from another desk: accounts and tickets with their receipts.
        Import = "import",
    }
}

names! {
    /// What an agent is; a token of theirs can never do more.
    pub enum Role {
        /// Works on tickets.
        Agent = "agent",
        /// Also reads reports.
        Manager = "manager",
        /// Also sets up the desk.
        Admin = "admin",
    }
}

names! {
    /// What a route asks of its caller.
    pub enum Right {
        /// Hand in a ticket or a contact's message.
        TakeIn = "take_in",
        /// Report what happens to calls; only machines can.
        ReportCalls = "report_calls",
        /// Create and change organizations and contacts.
        KeepAccounts = "keep_accounts",
        /// Read and work on tickets, surveys, calendars; keep views.
        Work = "work",
        /// Read reports, see and release outgoing mail, keep canned replies, rename and merge tags.
        Manage = "manage",
        /// Change agents, teams, tokens, calendars, policies and custom fields.
        Administer = "administer",
        /// Import and export everything.
        Transfer = "transfer",
    }
}

/// The table: what each scope grants.
pub fn grants(scope: Scope, right: Right) -> bool {
    use Right::{Administer, KeepAccounts, Manage, ReportCalls, TakeIn, Transfer, Work};
    match scope {
        Scope::Agent => matches!(right, TakeIn | KeepAccounts | Work),
        Scope::Manager => matches!(right, TakeIn | KeepAccounts | Work | Manage),
        Scope::Admin => matches!(right, TakeIn | KeepAccounts | Work | Manage | Administer | Transfer),
        Scope::Channel => matches!(right, TakeIn | ReportCalls),
        Scope::Import => matches!(right, TakeIn | KeepAccounts | Transfer),
    }
}

/// Whether an agent of this role can use this scope; channel and import belong to machines.
pub fn can_hold(role: Role, scope: Scope) -> bool {
    match scope {
        Scope::Agent => true,
        Scope::Manager => role >= Role::Manager,
        Scope::Admin => role >= Role::Admin,
        Scope::Channel | Scope::Import => false,
    }
}

/// Whether the scope is for machines, which act for no agent.
pub fn is_machine(scope: Scope) -> bool {
    matches!(scope, Scope::Channel | Scope::Import)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_role_can_do_all_that_a_lower_one_can() {
        for right in Right::ALL {
            assert!(!grants(Scope::Agent, *right) || grants(Scope::Manager, *right));
            assert!(!grants(Scope::Manager, *right) || grants(Scope::Admin, *right));
        }
        assert!(!grants(Scope::Manager, Right::Administer));
        assert!(!grants(Scope::Channel, Right::Work));
    }
}

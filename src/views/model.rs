//! Who sees a saved view, and who keeps it. Pure.
use crate::accounts::rights::Role;

names! {
    /// Whom a view is for.
    pub enum Audience {
        /// Whoever made it.
        Own = "own",
        /// A team.
        Team = "team",
        /// All agents.
        Everyone = "everyone",
    }
}

/// How somebody stands to a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What they are.
    pub role: Role,
    /// Whether they made it.
    pub is_maker: bool,
    /// Whether they belong to its team.
    pub is_member: bool,
}

/// Whether they see it.
pub fn may_see(audience: Audience, standing: Standing) -> bool {
    match audience {
        Audience::Own => standing.is_maker,
        Audience::Team => standing.is_maker || standing.is_member || standing.role >= Role::Manager,
        Audience::Everyone => true,
    }
}

/// Whether they may make, change and remove it: a team's is kept by its members, everyone's by managers.
pub fn may_keep(audience: Audience, standing: Standing) -> bool {
    match audience {
        Audience::Own => standing.is_maker,
        Audience::Team => standing.is_member || standing.role >= Role::Manager,
        Audience::Everyone => standing.role >= Role::Manager,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table() {
        let mut table = Vec::new();
        for audience in Audience::ALL {
            for (who, role, is_maker, is_member) in [
                ("maker", Role::Agent, true, false),
                ("member", Role::Agent, false, true),
                ("other", Role::Agent, false, false),
                ("manager", Role::Manager, false, false),
            ] {
                let standing = Standing { role, is_maker, is_member };
                let verb = match (may_see(*audience, standing), may_keep(*audience, standing)) {
                    (true, true) => "keeps",
                    (true, false) => "sees",
                    (false, false) => "-",
                    (false, true) => "keeps what they do not see",
                };
                table.push(format!("{audience} {who} {verb}"));
            }
        }
        assert_eq!(
            table,
            [
                "own maker keeps",
                "own member -",
                "own other -",
                "own manager -",
                "team maker sees",
                "team member keeps",
                "team other -",
                "team manager keeps",
                "everyone maker sees",
                "everyone member sees",
                "everyone other sees",
                "everyone manager keeps",
            ]
        );
    }
}

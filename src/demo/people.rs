//! Who is there: departments, agents, resellers and their contacts. Pure.
use crate::accounts::rights::Role;

/// A department, by its place in [`TEAMS`].
pub(super) type TeamIx = usize;
/// An agent, by their place in [`AGENTS`]; the one after the last is the desk's admin.
pub(super) type AgentIx = usize;

pub(super) const RESELLER_SUPPORT: TeamIx = 0;
pub(super) const PAYMENTS: TeamIx = 1;
pub(super) const COMPLIANCE: TeamIx = 2;
pub(super) const SERVICE_BUREAU: TeamIx = 3;

/// Opening and closing in local time.
pub(super) type Day = (&'static str, &'static str);

/// The hours of a department.
#[derive(Clone, Copy)]
pub(super) struct Week {
    /// From Monday to Friday.
    pub(super) weekday: Day,
    /// Where it is open then.
    pub(super) saturday: Option<Day>,
}

/// A department to make.
pub(super) struct TeamCast {
    pub(super) name: &'static str,
    /// Its own hours; none keeps the desk's.
    pub(super) hours: Option<Week>,
    /// Its members.
    pub(super) members: &'static [AgentIx],
    /// How often each agent takes one of its tickets, the admin last.
    pub(super) weights: [u32; AGENTS.len() + 1],
}

/// The departments.
pub(super) const TEAMS: [TeamCast; 4] = [
    TeamCast { name: "Reseller Support", hours: None, members: &[0, 1, 2, 6], weights: [34, 30, 26, 2, 2, 4, 2, 0] },
    TeamCast {
        name: "Payments",
        hours: Some(Week { weekday: ("09:00", "17:00"), saturday: None }),
        members: &[3, 6],
        weights: [3, 3, 0, 40, 0, 0, 3, 0],
    },
    TeamCast {
        name: "Compliance",
        hours: Some(Week { weekday: ("08:00", "18:00"), saturday: None }),
        members: &[4, 6],
        weights: [0, 4, 3, 0, 40, 0, 2, 0],
    },
    TeamCast {
        name: "Service Bureau",
        hours: Some(Week { weekday: ("08:00", "20:00"), saturday: Some(("10:00", "16:00")) }),
        members: &[5, 2, 7],
        weights: [0, 0, 12, 0, 0, 40, 0, 2],
    },
];

/// An agent to make.
pub(super) struct AgentCast {
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    pub(super) role: Role,
}

const fn agent(name: &'static str, email: &'static str, role: Role) -> AgentCast {
    AgentCast { name, email, role }
}

/// The agents beside the admin.
pub(super) const AGENTS: [AgentCast; 7] = [
    agent("Amara Osei", "amara.osei@desk.example", Role::Agent),
    agent("Liam Tremblay", "liam.tremblay@desk.example", Role::Agent),
    agent("Priya Raman", "priya.raman@desk.example", Role::Agent),
    agent("Noah Feldman", "noah.feldman@desk.example", Role::Agent),
    agent("Sofia Marchetti", "sofia.marchetti@desk.example", Role::Agent),
    agent("Jonas Weber", "jonas.weber@desk.example", Role::Agent),
    agent("Claire Dubois", "claire.dubois@desk.example", Role::Manager),
];
/// The agent whose token is shown for trying.
pub(super) const AGENT_SHOWN: AgentIx = 0;
/// The manager.
pub(super) const MANAGER: AgentIx = 6;
/// The desk's own admin.
pub(super) const ADMIN: AgentIx = AGENTS.len();

/// What contacts know an agent by.
pub(super) fn first_name(agent: AgentIx) -> &'static str {
    AGENTS.get(agent).and_then(|agent| agent.name.split(' ').next()).unwrap_or("the team")
}

/// A reseller to make.
pub(super) struct Reseller {
    pub(super) name: &'static str,
    pub(super) account: &'static str,
    pub(super) domain: &'static str,
    pub(super) zone: &'static str,
    pub(super) language: &'static str,
    /// Country code and number up to the last two digits, in ranges kept for fiction where the country has one.
    pub(super) phone: &'static str,
    pub(super) contacts: &'static [&'static str],
    /// How many tickets they write, beside others.
    pub(super) weight: u32,
}

macro_rules! resellers {
    ($($name:literal, $account:literal, $domain:literal, $zone:literal, $language:literal, $phone:literal, $weight:literal: $($contact:literal),+;)+) => {
        &[$(Reseller {
            name: $name, account: $account, domain: $domain, zone: $zone, language: $language, phone: $phone, weight: $weight,
            contacts: &[$($contact),+],
        }),+]
    };
}

/// The resellers, in 21 countries.
pub(super) const RESELLERS: &[Reseller] = resellers! {
    "Maple Hosting Inc.", "R-10023", "maplehosting.example", "America/Toronto", "en", "+141655501", 9: "Emily Carter", "Marcus Lee", "Nadia Fournier";
    "Prairie Web Services", "R-10087", "prairieweb.example", "America/Winnipeg", "en", "+120455501", 4: "Owen Sinclair", "Grace Redbird";
    "Hébergement Laurentien", "R-10141", "laurentien.example", "America/Montreal", "fr-CA", "+151455501", 6: "Julie Gagnon", "Étienne Roy", "Mathieu Côté";
    "Blue Mesa Domains LLC", "R-10212", "bluemesa.example", "America/Denver", "en-US", "+130355501", 8: "Jordan Ellis", "Teresa Alvarado", "Kyle Brandt", "Monica Reyes";
    "Harborline Internet", "R-10255", "harborline.example", "America/New_York", "en-US", "+121255501", 7: "Rachel Stein", "Anthony Russo";
    "Sunset Coast Hosting", "R-10301", "sunsetcoast.example", "America/Los_Angeles", "en-US", "+131055501", 5: "Kevin Tran", "Ashley Moore", "Diego Fuentes";
    "Thames Digital Ltd", "R-10344", "thamesdigital.example", "Europe/London", "en-GB", "+4420794601", 7: "Oliver Hughes", "Charlotte Bennett", "Imran Sheikh";
    "Liffey Names", "R-10390", "liffeynames.example", "Europe/Dublin", "en-IE", "+35320915010", 3: "Aoife Brennan", "Ciarán Walsh";
    "Nordwind Hosting GmbH", "R-10412", "nordwind.example", "Europe/Berlin", "de", "+493023125", 9: "Ana Krüger", "Stefan Vogel", "Miriam Haas", "Tobias Lindner";
    "Alpenweb AG", "R-10466", "alpenweb.example", "Europe/Zurich", "de-CH", "+4144555010", 4: "Reto Baumann", "Sandra Keller";
    "Donau Domains", "R-10479", "donau-domains.example", "Europe/Vienna", "de-AT", "+4315550100", 2: "Katharina Moser";
    "Rhône Registre SARL", "R-10503", "rhoneregistre.example", "Europe/Paris", "fr", "+3319900", 5: "Camille Laurent", "Hugo Perrin", "Inès Marchand";
    "Polder Online BV", "R-10558", "polderonline.example", "Europe/Amsterdam", "nl", "+3120555010", 6: "Sanne de Vries", "Bram Jansen", "Lotte Visser";
    "Fjord Internett AS", "R-10590", "fjordinternett.example", "Europe/Oslo", "nb", "+472155501", 3: "Ingrid Solberg", "Lars Eriksen";
    "Mälaren Domäner AB", "R-10615", "malaren.example", "Europe/Stockholm", "sv", "+46846500", 3: "Elin Lundqvist", "Oskar Nyström";
    "Vistula Host", "R-10677", "vistulahost.example", "Europe/Warsaw", "pl", "+482255501", 4: "Agnieszka Nowak", "Piotr Zieliński";
    "Iberia Dominios SL", "R-10702", "iberiadominios.example", "Europe/Madrid", "es", "+3491555010", 5: "Lucía Romero", "Javier Ortega", "Nuria Vidal";
    "Tejo Hospedagem", "R-10735", "tejohosting.example", "Europe/Lisbon", "pt", "+351215550100", 2: "Inês Carvalho";
    "Adria Web Srl", "R-10768", "adriaweb.example", "Europe/Rome", "it", "+3906555010", 4: "Giulia Conti", "Marco Bellini";
    "Bosphorus Hosting", "R-10801", "bosphorushost.example", "Europe/Istanbul", "tr", "+90212555010", 3: "Elif Demir", "Can Yıldız";
    "Savanna Net Ltd", "R-10844", "savannanet.example", "Africa/Nairobi", "en", "+25420555010", 3: "Wanjiru Kamau", "David Otieno";
    "Cerrado Hospedagem Ltda", "R-10889", "cerradohost.example", "America/Sao_Paulo", "pt-BR", "+551155550", 5: "Rafael Souza", "Beatriz Lima", "Thiago Martins";
    "Southern Cross Domains", "R-10920", "southerncross.example", "Australia/Sydney", "en-AU", "+6125550", 6: "Mia Thompson", "Jack O'Brien", "Harriet Nguyen";
    "Lion City Names Pte", "R-10963", "lioncity.example", "Asia/Singapore", "en-SG", "+656555010", 4: "Wei Ling Tan", "Arjun Pillai";
    "Sakura Domains KK", "R-11008", "sakuradomains.example", "Asia/Tokyo", "ja", "+8135550", 3: "Haruka Sato", "Kenji Watanabe";
};

/// A contact of a reseller.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contact {
    /// Place of the reseller in [`RESELLERS`].
    pub(super) reseller: usize,
    pub(super) name: &'static str,
    pub(super) email: String,
    pub(super) phone: String,
    /// How many tickets they write, beside others.
    pub(super) weight: u32,
}

impl Contact {
    /// What they are called by agents.
    pub(super) fn first_name(&self) -> &'static str {
        self.name.split(' ').next().unwrap_or(self.name)
    }
}

/// A name in letters that every mail server takes.
fn plain(name: &str) -> String {
    let letter = |c: char| match c {
        'é' | 'è' | 'ê' | 'É' => 'e',
        'ü' | 'ú' => 'u',
        'ö' | 'ô' | 'ó' => 'o',
        'á' | 'ä' => 'a',
        'í' | 'ı' => 'i',
        'ń' | 'ñ' => 'n',
        'ł' => 'l',
        'ç' => 'c',
        ' ' => '.',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(letter).filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect()
}

/// All contacts, in the order of their resellers; the first of each writes most.
pub(super) fn contacts() -> Vec<Contact> {
    let of = |(reseller, cast): (usize, &'static Reseller)| {
        cast.contacts.iter().enumerate().map(move |(place, name)| Contact {
            reseller,
            name,
            email: format!("{}@{}", plain(name), cast.domain),
            phone: format!("{}{:02}", cast.phone, 10 + 7 * place),
            weight: cast.weight * if place == 0 { 3 } else { 2 },
        })
    };
    RESELLERS.iter().enumerate().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::contacts::model::{normal_email, normal_phone};
    use std::collections::HashSet;

    #[test]
    fn every_contact_has_an_address_and_a_number_of_their_own() {
        let contacts = contacts();
        let (mut emails, mut phones) = (HashSet::new(), HashSet::new());
        for contact in &contacts {
            assert_eq!(normal_email(&contact.email).as_deref(), Some(&*contact.email));
            assert_eq!(normal_phone(&contact.phone).as_deref(), Some(&*contact.phone));
            assert!(contact.email.ends_with(".example") && emails.insert(contact.email.clone()), "{}", contact.email);
            assert!(phones.insert(contact.phone.clone()), "{}", contact.phone);
        }
        assert_eq!(RESELLERS.len(), 25);
        assert!(RESELLERS.iter().all(|reseller| (1..=4).contains(&reseller.contacts.len())));
        assert!(RESELLERS.iter().all(|reseller| reseller.zone.parse::<chrono_tz::Tz>().is_ok()));
    }

    #[test]
    fn members_and_weights_name_agents() {
        for team in &TEAMS {
            assert!(team.members.iter().all(|agent| *agent <= ADMIN && team.weights.get(*agent).is_some_and(|w| *w > 0)));
        }
    }
}

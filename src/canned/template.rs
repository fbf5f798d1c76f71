//! Texts with variables: `Dear {{contact.name}}`. A variable that does not exist is found when the text is saved. Pure.

names! {
    /// What a text can stand for.
    pub enum Variable {
        /// The contact's name.
        ContactName = "contact.name",
        /// The name of the ticket's organization; empty where it has none.
        OrganizationName = "organization.name",
        /// The number people know the ticket by.
        TicketNumber = "ticket.number",
        /// What the ticket is about.
        TicketSubject = "ticket.subject",
        /// The name of the ticket's team; empty where it has none.
        TeamName = "team.name",
        /// Who writes the reply.
        AgentName = "agent.name",
        /// The company that the desk works for.
        CompanyName = "company.name",
    }
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// As it is.
    Text(&'a str),
    /// To be filled in.
    Variable(Variable),
}

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing is called so.
    Unknown(String),
    /// A `{{` without its `}}`.
    Unclosed,
}

/// The pieces of a text. `\{{` stands for two braces.
///
/// ```
/// use deskbell::canned::template::{Part, Variable, parse};
/// let parts = parse("Dear {{ contact.name }},").unwrap();
/// assert_eq!(parts, [Part::Text("Dear "), Part::Variable(Variable::ContactName), Part::Text(",")]);
/// ```
pub fn parse(text: &str) -> Result<Vec<Part<'_>>, Wrong> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        if let Some(before) = before.strip_suffix('\\') {
            parts.extend([Part::Text(before), Part::Text("{{")]);
            rest = after;
            continue;
        }
        let (name, after) = after.split_once("}}").ok_or(Wrong::Unclosed)?;
        let name = name.trim();
        let variable = name.parse().map_err(|_| Wrong::Unknown(name.chars().take(50).collect()))?;
        parts.extend([Part::Text(before), Part::Variable(variable)]);
        rest = after;
    }
    parts.push(Part::Text(rest));
    parts.retain(|part| *part != Part::Text(""));
    Ok(parts)
}

/// The whole text; what is filled in is not looked through again.
pub fn fill(parts: &[Part<'_>], value: impl Fn(Variable) -> String) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Variable(variable) => value(*variable),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, Wrong> {
        Ok(fill(&parse(text)?, |variable| format!("<{{{{{variable}}}}}>")))
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
    }

    #[test]
    fn every_variable_is_filled_in_once() {
        for variable in Variable::ALL {
            check(&format!("a{{{{{variable}}}}}b"), &format!("a<{{{{{variable}}}}}>b"));
        }
        check("", "");
        check("{{contact.name}}{{ ticket.number\t}}", "<{{contact.name}}><{{ticket.number}}>");
        check("a { b } }} c", "a { b } }} c");
        check("\\{{contact.name}} is {{contact.name}}", "{{contact.name}} is <{{contact.name}}>");
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        for (text, wrong) in [
            ("{{contact.nmae}}", Wrong::Unknown("contact.nmae".into())),
            ("{{}}", Wrong::Unknown(String::new())),
            ("{{Contact.Name}}", Wrong::Unknown("Contact.Name".into())),
            ("{{ {{contact.name}} }}", Wrong::Unknown("{{contact.name".into())),
            ("ends with {{contact.name", Wrong::Unclosed),
            ("{{", Wrong::Unclosed),
        ] {
            assert_eq!(filled(text), Err(wrong), "{text}");
        }
    }
}

//! The pages a contact sees when answering or stopping surveys, as askama templates. Pure.

use askama::Template;

/// What `/assets/survey.css` serves: the one stylesheet of these pages.
pub const STYLESHEET: &str = include_str!("templates/survey.css");

/// What these pages need and nothing else: our stylesheet, and forms that go to ourselves.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// The name of the field that people neither see nor hear: what fills it is a machine.
pub const TRAP: &str = "subject";

/// The question, to be answered for the first time or anew.
#[derive(Debug, Clone, Template)]
#[template(path = "surveys/templates/page.html")]
pub struct SurveyPage {
    /// Whom the contact would recommend.
    pub company: String,
    /// The number people know the ticket by, and what it is about; a relationship survey is about none.
    pub ticket: Option<(i64, String)>,
    /// The URL the form is posted to.
    pub action: String,
    /// The score that is already chosen, 0 to 10.
    pub score: Option<u8>,
    /// The comment so far, empty if none.
    pub comment: String,
    /// Whole sentences on why a posted answer was not taken, empty if none was posted.
    pub errors: Vec<String>,
    /// Whether an answer is stored already, which makes this an edit.
    pub answered: bool,
    /// When the page was served, sealed.
    pub stamp: String,
}

impl SurveyPage {
    fn comment_characters_max(&self) -> usize {
        super::model::COMMENT_MAX
    }

    fn trap(&self) -> &'static str {
        TRAP
    }
}

/// The answer is stored.
#[derive(Debug, Clone, Template)]
#[template(path = "surveys/templates/thanks.html")]
pub struct ThanksPage {
    /// Who asked.
    pub company: String,
    /// The number people know the ticket by; a relationship survey is about none.
    pub ticket_number: Option<i64>,
    /// The score that was stored, 0 to 10.
    pub score: u8,
    /// Where the answer can be changed, while it can be.
    pub edit_url: Option<String>,
    /// Until when, in words with a time zone; shown only beside `edit_url`.
    pub edit_until: Option<String>,
}

/// The invitation is too old to be answered: goes with status 410.
#[derive(Debug, Clone, Template)]
#[template(path = "surveys/templates/expired.html")]
pub struct ExpiredPage {
    /// Who asked.
    pub company: String,
}

/// No invitation has this token: goes with status 404.
#[derive(Debug, Clone, Template)]
#[template(path = "surveys/templates/unknown.html")]
pub struct UnknownPage;

/// Asks to confirm that surveys shall stop, because opening a link must change nothing.
#[derive(Debug, Clone, Template)]
#[template(path = "surveys/templates/unsubscribe.html")]
pub struct UnsubscribePage {
    /// Whose surveys would stop.
    pub company: String,
    /// The URL the form is posted to.
    pub action: String,
}

/// Surveys have stopped.
#[derive(Debug, Clone, Template)]
#[template(path = "surveys/templates/unsubscribed.html")]
pub struct UnsubscribedPage {
    /// Whose surveys stopped.
    pub company: String,
}

/// Anything else that went wrong on a survey page.
#[derive(Debug, Clone, Template)]
#[template(path = "surveys/templates/error.html")]
pub struct ErrorPage {
    /// What is wrong, in a few words.
    pub title: String,
    /// What the contact can do now, in whole sentences.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &str = "On a scale of zero to ten, how likely is it that you would recommend \
         Acme to a friend or colleague?";

    fn page() -> SurveyPage {
        SurveyPage {
            company: "Acme".into(),
            ticket: Some((1042, "Transfer <fails>".into())),
            action: "/survey/token".into(),
            score: None,
            comment: String::new(),
            errors: Vec::new(),
            answered: false,
            stamp: "17.x".into(),
        }
    }

    #[track_caller]
    fn check(page: &SurveyPage, present: &[&str], absent: &[&str]) {
        let html = page.render().expect("the page renders");
        for part in present {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        for part in absent {
            assert!(!html.contains(part), "{part} is in {html}");
        }
    }

    #[test]
    fn a_first_visit_asks_the_question_and_chooses_nothing() {
        check(
            &page(),
            &[QUESTION, "#1042: Transfer &#60;fails&#62;", "Send my answer", "maxlength=\"2000\""],
            &[" checked", "role=\"alert\"", "Change my answer", "<script", "style=\"", "http"],
        );
    }

    #[test]
    fn every_score_can_be_chosen_and_zero_too() {
        for score in 0..=10 {
            let html = SurveyPage { score: Some(score), ..page() }.render().expect("the page renders");
            assert_eq!(html.matches("type=\"radio\"").count(), 11);
            assert_eq!(html.matches(" checked").count(), 1);
            assert!(html.contains(&format!("value=\"{score}\" required checked>")));
        }
    }

    #[test]
    fn a_refused_answer_says_why_and_keeps_what_was_written() {
        check(
            &SurveyPage { comment: "\nfirst line is empty </textarea>".into(), errors: vec!["Choose a score.".into()], ..page() },
            &["role=\"alert\"", "<li>Choose a score.</li>", ">\n\nfirst line is empty &#60;/textarea"],
            &["Change my answer"],
        );
    }

    #[test]
    fn the_trap_is_out_of_the_way_of_people() {
        check(
            &page(),
            &[
                "<div class=\"trap\" aria-hidden=\"true\">",
                "name=\"subject\" value=\"\" tabindex=\"-1\" autocomplete=\"off\"",
                "name=\"stamp\" value=\"17.x\"",
            ],
            &[],
        );
        assert!(STYLESHEET.contains(".trap {"));
    }

    #[test]
    fn an_edit_says_so() {
        check(&SurveyPage { answered: true, ..page() }, &["Change my answer"], &["Send my answer"]);
    }

    #[test]
    fn a_relationship_survey_asks_about_no_request() {
        check(
            &SurveyPage { ticket: None, ..page() },
            &[QUESTION, "about everything you have seen of Acme"],
            &["request", "#1042", "Based on"],
        );
    }

    #[test]
    fn an_answer_past_its_time_offers_no_edit() {
        let thanks = ThanksPage { company: "Acme".into(), ticket_number: Some(1042), score: 0, edit_url: None, edit_until: None };
        let html = thanks.render().expect("the page renders");
        assert!(html.contains("<strong>0</strong> out of 10"));
        assert!(!html.contains("Change my answer"));
    }
}

//! What an agent wrote as HTML for a letter: Markdown, in which HTML is text, made harmless like any other. Pure.
use crate::inbound::html::clean;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html::push_html};

/// Mail programs put no space between paragraphs by themselves, or too much.
const PARAGRAPH: &str = "<p dir=\"auto\" style=\"margin:0 0 16px;\">";

/// Markdown as HTML; each line break is kept, as people who write mails mean them.
pub fn to_html(text: &str) -> String {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    let events = Parser::new_ext(text, options).filter_map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Some(Event::Text(html)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        // Nothing is loaded from elsewhere: what an image shows is said in words.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::SoftBreak => Some(Event::HardBreak),
        other => Some(other),
    });
    let mut is_harmless = true;
    let mut html = String::new();
    push_html(&mut html, events.inspect(|event| is_harmless &= is_harmless_alone(event)));
    // Making it harmless costs more than all else of a reply. Where it is, no text has a bare `>`.
    let html = if is_harmless { html.replace(" />", ">") } else { clean(&html).html };
    html.replace("<p>", PARAGRAPH)
}

/// Whether what is written for an event cannot do harm, whatever its text: plain elements without attributes, and escaped text.
fn is_harmless_alone(event: &Event<'_>) -> bool {
    match event {
        Event::Text(_) | Event::Code(_) | Event::HardBreak | Event::Rule => true,
        Event::Start(tag) => matches!(
            tag,
            Tag::Paragraph | Tag::BlockQuote(None) | Tag::List(_) | Tag::Item | Tag::Emphasis | Tag::Strong | Tag::Strikethrough
        ),
        Event::End(tag) => matches!(
            tag,
            TagEnd::Paragraph
                | TagEnd::BlockQuote(None)
                | TagEnd::List(_)
                | TagEnd::Item
                | TagEnd::Emphasis
                | TagEnd::Strong
                | TagEnd::Strikethrough
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn what_is_taken_for_harmless_is(text in "([a-z <>&\"'/=:*_`~#>!\\[\\]()|-]|\n|<script>|onclick=|https://|\n- |\n1[.] |\n> |\\*\\*){0,40}") {
            let html = to_html(&text).replace(PARAGRAPH, "<p>");
            // Made harmless once more, it stays as it is but for how it is written.
            let again = clean(&html).html;
            let bare = |html: &str| html.replace("&quot;", "\"").replace("&#39;", "'").replace(['\n', ' '], "");
            prop_assert_eq!(bare(&again), bare(&html));
        }
    }

    #[test]
    fn markdown_is_html_and_html_is_text() {
        for (text, expected) in [
            ("one\ntwo", "one<br>\ntwo</p>"),
            ("**bold** and *soft*", "<strong>bold</strong> and <em>soft</em></p>"),
            ("- a\n- b", "<li>b</li>"),
            ("see https://x.example/?a=1&b=2", "see https://x.example/?a=1&amp;b=2</p>"),
            ("[here](https://x.example)", "<a href=\"https://x.example\" rel=\"noopener noreferrer nofollow\">here</a>"),
            ("`a < b`", "<code>a &lt; b</code>"),
            ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ] {
            assert!(to_html(text).contains(expected), "{text}: {}", to_html(text));
        }
    }

    #[test]
    fn nothing_in_it_runs_or_loads() {
        for text in [
            "[x](javascript:alert(1))",
            "![x](https://evil.example/pixel.gif)",
            "<img src=x onerror=alert(1)>",
            "<style>p{}</style>\n\n<iframe src=x>",
            "[x](data:text/html;base64,AAAA)",
        ] {
            let html = to_html(text);
            for bad in ["<script", "<style>", "<iframe", "href=\"javascript", "href=\"data", "src=\"http", "<img src=x"] {
                assert!(!html.contains(bad), "{text}: {html}");
            }
        }
    }
}

//! HTML of a mail, as far as it may be shown, and as text. Pure.
//!
//! Two passes: `tame` writes a small, well nested HTML in linear time, because a browser's rules for broken HTML can take quadratic
//! time; `ammonia` then decides what may stay.
mod lists;
mod scan;
mod tame;
mod text;

pub use text::{of_text, to_text};

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

/// How an image begins that waits until it is asked for.
const BLOCKED_IMAGE: &str = "<img data-blocked-src=\"";
/// How it begins when it was asked for: without telling from where.
const SHOWN_IMAGE: &str = "<img referrerpolicy=\"no-referrer\" src=\"";

/// HTML that may be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clean {
    /// It, without anything that runs or is loaded from elsewhere.
    pub html: String,
    /// Whether images of other servers wait in it.
    pub has_remote_images: bool,
    /// Whether tags inside tags were left out, because there were too many.
    pub is_deep: bool,
}

static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = ammonia::Builder::empty();
    cleaner.tags(lists::ELEMENTS.iter().copied().collect());
    cleaner.clean_content_tags(HashSet::from(["script", "style"]));
    cleaner.generic_attributes(HashSet::from(["dir", "lang", "title", "align", "valign"]));
    cleaner.tag_attributes(lists::ATTRIBUTES.iter().map(|(tag, names)| (*tag, names.iter().copied().collect())).collect());
    cleaner.url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid"]));
    cleaner.url_relative(ammonia::UrlRelative::Deny);
    cleaner.link_rel(Some("noopener noreferrer nofollow"));
    cleaner.attribute_filter(|tag, name, value| {
        let is_ours = value.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("cid:"));
        match (tag, name) {
            ("img", "src") => is_ours.then_some(Cow::from(value)),
            ("a", "href") => (!is_ours).then_some(Cow::from(value)),
            _ => Some(Cow::from(value)),
        }
        .map(|value| match value.contains(['<', '>']) {
            // So that a tag is a tag wherever clean HTML has one.
            true => Cow::from(value.replace('<', "‹").replace('>', "›")),
            false => value,
        })
    });
    cleaner
});

/// What of it may be shown.
pub fn clean(html: &str) -> Clean {
    let tame = tame::tame(html);
    let html = CLEANER.clean(&tame.html).to_string();
    Clean { has_remote_images: html.contains(BLOCKED_IMAGE), html, is_deep: tame.is_deep }
}

/// Clean HTML with its remote images, for who asked for them.
pub fn with_remote_images(clean: &str) -> String {
    // In clean HTML no text and no value has a bare `<`.
    clean.replace(BLOCKED_IMAGE, SHOWN_IMAGE)
}

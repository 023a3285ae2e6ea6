//! The frame of every page: skip link, masthead, banner, one `main`.

use maud::{DOCTYPE, Markup, html};

use crate::{assets, text};

/// What goes into the frame. `main` brings the page's one `h1`.
pub struct Frame<'a> {
    /// The page's own title; the window shows "title · Firsthand".
    pub title: &'a str,
    /// Language of the page's own words, as a BCP 47 tag.
    pub lang: &'a str,
    /// What stands beside the name in the masthead: "Desk", "Status", or nothing for the reader.
    pub place: &'a str,
    /// Links of the masthead.
    pub nav: &'a [Link<'a>],
    /// A sentence above everything, such as that this is a demonstration network.
    pub banner: Option<&'a str>,
    /// What was drawn when the program started, by which the page knows it again ([`crate::Guard::run`]). `None` where a page
    /// is for everybody.
    pub run: Option<&'a str>,
    /// Without script, the page loads itself again after this many seconds. `None`: never.
    pub again_s: Option<u32>,
    /// The page.
    pub main: Markup,
}

/// A link in the masthead.
pub struct Link<'a> {
    /// Where it leads, on this service.
    pub href: &'a str,
    /// What it says.
    pub text: &'a str,
    /// Whether this is the page shown.
    pub here: bool,
    /// Whether the module draws its target in place, leaving the address as it is.
    pub in_place: bool,
}

impl<'a> Link<'a> {
    /// An ordinary link.
    pub fn new(href: &'a str, text: &'a str, here: bool) -> Link<'a> {
        Link { href, text, here, in_place: false }
    }
}

impl Default for Frame<'_> {
    fn default() -> Self {
        Frame {
            title: "",
            lang: "en",
            place: "",
            nav: &[],
            banner: None,
            run: None,
            again_s: None,
            main: html! {},
        }
    }
}

/// The banner of a demonstration network, the same on every screen that speaks of it.
pub const DEMONSTRATION: &str = "Demonstration network: not for real tips.";

/// A whole page.
pub fn page(frame: Frame<'_>) -> Markup {
    let Frame { title, lang, place, nav, banner, run, again_s, main } = frame;
    html! {
        (DOCTYPE)
        // No translation offered: what is read would leave this machine for it.
        html lang=(lang) translate="no" data-run=[run] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="google" content="notranslate";
                meta name="color-scheme" content="light dark";
                title { (text::tame(title)) " · Firsthand" }
                link rel="stylesheet" href=(assets::css());
                link rel="icon" type="image/svg+xml" href=(assets::icon());
                script type="module" src=(assets::js()) {}
                @if let Some(seconds) = again_s {
                    noscript { meta http-equiv="refresh" content=(seconds); }
                }
            }
            body {
                a.skip href="#main" { "Skip to the page" }
                header.masthead {
                    @if let Some(banner) = banner { p.banner { (banner) } }
                    div.masthead-row {
                        p.name {
                            a href="/" { "Firsthand" }
                            @if !place.is_empty() { " " span.place { (place) } }
                        }
                        @if !nav.is_empty() {
                            nav aria-label="Main" {
                                ul { @for link in nav { li { (anchor(link)) } } }
                            }
                        }
                    }
                }
                main #main tabindex="-1" { (main) }
            }
        }
    }
}

fn anchor(link: &Link<'_>) -> Markup {
    html! {
        a href=(link.href) aria-current=[link.here.then_some("page")] data-in-place[link.in_place] { (link.text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_landmark_and_nothing_inline() {
        let nav = [Link::new("/", "Front page", true)];
        let shown = page(Frame {
            title: "A <b> title",
            nav: &nav,
            banner: Some(DEMONSTRATION),
            main: html! { h1 { "A" } },
            ..Frame::default()
        })
        .into_string();
        for once in ["<main ", "<header ", "<nav ", "<h1>", "href=\"#main\"", "lang=\"en\""] {
            assert_eq!(shown.matches(once).count(), 1, "{once}");
        }
        assert!(shown.contains("<title>A &lt;b&gt; title · Firsthand</title>"));
        assert!(!shown.contains(" style=") && !shown.contains("<style") && !shown.contains("onclick"));
        assert_eq!(shown.matches("<script").count(), 1);
        assert!(shown.contains("aria-current=\"page\"") && shown.contains(DEMONSTRATION));
    }
}

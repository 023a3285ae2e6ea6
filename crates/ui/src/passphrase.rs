//! Six words on the page: shown once, typed back, typed to open.
//!
//! Words are shown while they are typed, because hidden ones are mistyped; one key hides them. They are never in a
//! password field: that would call up the browser's offer to keep them.

use maud::{Markup, html};

/// How many words a passphrase has.
pub const WORDS: usize = 6;

/// The words, numbered. `hide` labels the box that hides them.
pub fn shown(words: &[&str], hide: &str) -> Markup {
    html! {
        div.veiled.flow translate="no" {
            ol.six.shown { @for word in words { li { b { (word) } } } }
            (veil(hide))
        }
    }
}

/// Six boxes under the given field names. `wrong` counts from 0; those boxes are marked and described by the element
/// with the id `problem`. All six words pasted or typed into one box are fine, with script and without.
pub fn boxes(names: &[String; WORDS], typed: &[String; WORDS], wrong: &[usize], hide: &str) -> Markup {
    let first = wrong.first().copied().unwrap_or(0);
    html! {
        div.veiled.flow translate="no" {
            ol.six data-words {
                @for (n, (name, word)) in names.iter().zip(typed).enumerate() {
                    li {
                        label for=(name) { "Word " (n + 1) }
                        input type="text" #(name) name=(name) value=(word) data-focus[n == first] autocomplete="off"
                            autocorrect="off" autocapitalize="none" spellcheck="false" writingsuggestions="false"
                            aria-invalid=[wrong.contains(&n).then_some("true")]
                            aria-describedby=[wrong.contains(&n).then_some("problem")];
                    }
                }
            }
            (veil(hide))
        }
    }
}

/// Which words typed differ from those drawn, counted from 0.
pub fn differing<'a>(drawn: impl Iterator<Item = &'a str>, typed: &[String; WORDS]) -> Vec<usize> {
    drawn.zip(typed).enumerate().filter(|(_, (word, typed))| word != typed).map(|(n, _)| n).collect()
}

/// Six boxes as they were sent: lower case; six words in the first box are spread over all.
pub fn spread(boxes: [String; WORDS]) -> [String; WORDS] {
    let joined = boxes.join(" ").to_lowercase();
    let words: Vec<&str> = joined.split_whitespace().collect();
    let filled = boxes.iter().filter(|b| !b.trim().is_empty()).count();
    if words.len() == WORDS && filled < WORDS {
        return std::array::from_fn(|n| words[n].to_owned());
    }
    boxes.map(|typed| typed.trim().to_lowercase())
}

/// "2", "2 and 5", "2, 3 and 5": places, counted from 0, as people count them.
pub fn places(places: &[usize]) -> String {
    let names: Vec<String> = places.iter().map(|n| (n + 1).to_string()).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

fn veil(label: &str) -> Markup {
    html! { p.hint { label { input.veil type="checkbox" accesskey="h" autocomplete="off"; (label) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn six(words: [&str; 6]) -> [String; 6] {
        words.map(str::to_owned)
    }

    #[test]
    fn boxes_are_no_password_fields_and_are_labelled() {
        let names = six(["n0", "n1", "n2", "n3", "n4", "n5"]);
        let page = boxes(&names, &six(["a", "b", "\"c", "d", "e", "f"]), &[2], "Hide").into_string();
        assert!(!page.contains("password"));
        for n in 0..6 {
            assert!(page.contains(&format!("<label for=\"n{n}\">Word {}</label>", n + 1)));
        }
        assert_eq!(page.matches("aria-invalid=\"true\"").count(), 1);
        assert_eq!(page.matches("autocomplete=\"off\"").count(), 7);
        assert!(page.contains("value=\"&quot;c\""));
    }

    #[test]
    fn six_words_in_one_box_are_spread() {
        let spread_out = spread(six(["Ant bee  cat dog", "", "eel fly", "", "", ""]));
        assert_eq!(spread_out, six(["ant", "bee", "cat", "dog", "eel", "fly"]));
        assert_eq!(spread(six([" Ant", "", "", "", "", ""])), six(["ant", "", "", "", "", ""]));
    }

    #[test]
    fn says_which_words_differ() {
        let drawn = ["ant", "bee", "cat", "dog", "eel", "fly"];
        let wrong = differing(drawn.into_iter(), &six(["ant", "bea", "cat", "dog", "el", "fly"]));
        assert_eq!((wrong.as_slice(), places(&wrong).as_str()), (&[1, 4][..], "2 and 5"));
        assert_eq!(places(&[0]), "1");
        assert_eq!(places(&[0, 2, 5]), "1, 3 and 6");
    }
}

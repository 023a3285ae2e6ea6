//! What the system writes down of a program's memory, which everybody on the machine can read.

#![cfg(target_os = "linux")]

use crate::founded::Founded;
use crate::run::{Here, Running, http};

/// Six words of the list that open nothing.
const WORDS: [&str; 6] = ["abacus", "abandon", "abbey", "abide", "ability", "able"];

/// The most memory that the program took so far, in KiB.
fn peak(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// A browser at the program's pages.
struct Window {
    client: reqwest::Client,
    cookie: String,
    home: reqwest::Url,
}

impl Window {
    async fn open(link: &str) -> Self {
        let answer = http(link).get(link).send().await.unwrap();
        let link = answer.headers()["location"].to_str().unwrap();
        let client = http(link);
        let answer = client.get(link).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { client, cookie, home: answer.url().join("/").unwrap() }
    }

    async fn get(&self, path: &str) -> String {
        let request = self.client.get(self.home.join(path).unwrap()).header("cookie", &self.cookie);
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Presses the button `label` of a page, with words in the boxes that are there for them.
    async fn press(&self, page: &str, label: &str, words: &[&str]) -> String {
        let mut forms = page.split("<form ").skip(1).map(|form| form.split("</form>").next().unwrap());
        let form = forms.find(|form| form.contains(&format!(">{label}</button>"))).unwrap();
        let part = |tag: &str, key: &str| {
            tag.split_once(&format!(" {key}=\""))
                .map_or("", |(_, rest)| rest.split('"').next().unwrap())
                .to_owned()
        };
        let mut words = words.iter();
        let mut body = String::new();
        for tag in form.split('<') {
            if tag.contains(" type=\"text\"") {
                body += &format!("{}={}&", part(tag, "name"), words.next().unwrap());
            } else if tag.contains(" type=\"hidden\"") || tag.ends_with(&format!(">{label}")) {
                body += &format!("{}={}&", part(tag, "name"), part(tag, "value"));
            }
        }
        let request = self
            .client
            .post(self.home.join(&part(&format!(" {form}"), "action")).unwrap())
            .header("cookie", &self.cookie)
            .header("origin", self.home.origin().ascii_serialization())
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(body).send().await.unwrap();
        self.get(answer.headers()["location"].to_str().unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_memory_a_program_took_does_not_tell_that_words_were_typed() {
    let here = Here::new();
    let town = Founded::new(&here, "town", 5_000);
    for (role, door, says) in [
        ("reader", "/contact", "These words open nothing here."),
        ("desk", "/vault", "These words do not open the vault."),
    ] {
        let file = town.configure(role, "state", "http://127.0.0.1:9");
        let mut running = here.start(&[role, "--config", &file]);
        let window = Window::open(&running.says("ready ").await).await;
        let mut page = window.get(door).await;
        if role == "reader" {
            page = window.press(&page, "I have six words", &[]).await;
        }
        let before = peak(&running);
        for _ in 0..2 {
            page = window.press(&page, "Open", &WORDS).await;
            assert!(page.contains(says), "{page}");
        }
        let after = peak(&running);
        assert_eq!(before, after, "KiB of a {role} before words were typed, and after");
        // Both are peaks of a derivation, and not of a cheaper one: 256 MiB and more.
        assert!(before > 256 * 1024, "{before} KiB");
        running.signal("TERM").await;
        assert_eq!(running.ended().await.code, Some(0), "{role}");
    }
}

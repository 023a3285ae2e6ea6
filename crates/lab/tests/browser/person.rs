//! Somebody at a browser: sees words, presses what says words, or goes by keyboard alone.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use fantoccini::Locator;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use serde::Deserialize;
use serde_json::Value;

use crate::chromium::{Browser, Driver, Look};

/// The two widths and the two schemes of the walk-throughs.
const LOOKS: [(&str, Look); 3] = [
    ("wide", Look { width: 1280, height: 800, dark: false }),
    ("narrow", Look { width: 390, height: 844, dark: false }),
    ("dark", Look { width: 1280, height: 800, dark: true }),
];

/// How long anything in a fast demonstration may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A person, and what is on the screen before them.
pub(crate) struct Person {
    name: &'static str,
    pub(crate) browser: Browser,
    host: String,
    /// The host in the link that they opened.
    first_host: String,
}

/// What has the keyboard.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Focus {
    /// What it says.
    pub label: String,
    /// Its element's name, in capitals.
    pub tag: String,
    /// Whether a ring of two pixels or more is drawn around it.
    ring: bool,
    /// Whether it is in view with nothing over it.
    seen: bool,
    /// Whether it stands in the page's `main`.
    pub inside: bool,
}

impl Person {
    /// Opens `link` in a browser that is theirs alone.
    pub(crate) async fn new(driver: &Driver, name: &'static str, link: &str) -> anyhow::Result<Self> {
        Self::at(driver.browser(true).await?, name, link).await
    }

    /// Opens `link` in `browser`.
    pub(crate) async fn at(browser: Browser, name: &'static str, link: &str) -> anyhow::Result<Self> {
        let host =
            |link: &str| link.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
        browser.look(LOOKS[0].1).await?;
        browser.client.goto(link).await?;
        // A launch link leads to another name, and from there the page goes on by itself.
        let arriving = async {
            loop {
                let here = browser.client.current_url().await?;
                if here.query().is_none() {
                    return anyhow::Ok(host(here.as_str()));
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let arrived = tokio::time::timeout(PATIENCE, arriving).await;
        let arrived = arrived.with_context(|| format!("{name} does not arrive by {link}"))??;
        Ok(Self { name, browser, host: arrived, first_host: host(link) })
    }

    /// The same person at another browser of theirs, on the front page; with scripts or without.
    pub(crate) async fn elsewhere(
        &self,
        driver: &Driver,
        name: &'static str,
        scripts: bool,
    ) -> anyhow::Result<Self> {
        let home = self.home();
        let browser = driver.browser(scripts).await?;
        browser.be_given(&self.browser.cookies(&home).await?).await?;
        Self::at(browser, name, &home).await
    }

    /// The address of the front page.
    pub(crate) fn home(&self) -> String {
        format!("http://{}/", self.host)
    }

    /// The element that this XPath finds, once it is there.
    pub(crate) async fn find(&self, path: &str) -> anyhow::Result<Element> {
        let find = self.browser.client.wait().at_most(PATIENCE).for_element(Locator::XPath(path));
        find.await.with_context(|| format!("{} does not see {path}", self.name))
    }

    /// Presses the button or follows the link that says `label`.
    pub(crate) async fn press(&self, label: &str) -> anyhow::Result<()> {
        self.press_at(&format!(
            "(//button[normalize-space()={label:?}] | //a[normalize-space()={label:?}])[1]"
        ))
        .await
    }

    /// Presses what stands at `path`, again if the page was drawn anew in between.
    pub(crate) async fn press_at(&self, path: &str) -> anyhow::Result<()> {
        for _ in 0..20 {
            match self.find(path).await?.click().await {
                Err(why) if why.is_stale_element_reference() => {}
                pressed => return pressed.with_context(|| format!("{} cannot press {path}", self.name)),
            }
        }
        bail!("{} cannot press {path}: it is drawn anew again and again", self.name)
    }

    /// Waits until the page's text holds `words`.
    pub(crate) async fn sees(&self, words: &str) -> anyhow::Result<()> {
        let looking = async {
            while !self.text().await?.contains(words) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            anyhow::Ok(())
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(seen) => seen,
            Err(_) => bail!("{} does not see {words:?} but:\n{}", self.name, self.text().await?),
        }
    }

    /// Everything the page says.
    pub(crate) async fn text(&self) -> anyhow::Result<String> {
        let text = self.run("return document.body ? document.body.innerText : ''").await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, script: &str) -> anyhow::Result<Value> {
        Ok(self.browser.client.execute(script, vec![]).await?)
    }

    /// Runs the body of an async function in the page, and gives what it returns.
    pub(crate) async fn run_async(&self, body: &str) -> anyhow::Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {body} }})().then(done, (why) => done({{ failed: String(why) }}));"
        );
        let answer = self.browser.client.execute_async(&script, vec![]).await?;
        ensure!(answer.get("failed").is_none(), "{}: {answer}", self.name);
        Ok(answer)
    }

    /// Types six words into the six boxes.
    pub(crate) async fn type_words(&self, words: &[String]) -> anyhow::Result<()> {
        for (n, word) in (1..).zip(words) {
            let input = self.find(&format!("//ol/li[{n}]/input")).await?;
            input.clear().await?;
            input.send_keys(word).await?;
        }
        Ok(())
    }

    /// The six words on the screen.
    pub(crate) async fn six_words(&self) -> anyhow::Result<Vec<String>> {
        self.find("//ol[contains(@class, 'shown')]/li[6]").await?;
        let words = self.run("return [...document.querySelectorAll('ol.shown b')].map(b => b.textContent)");
        let words: Vec<String> = serde_json::from_value(words.await?)?;
        ensure!(words.len() == 6, "six words, not {words:?}");
        Ok(words)
    }

    /// What stands in the page's one text box.
    pub(crate) async fn draft(&self) -> anyhow::Result<String> {
        let text = self.run("return document.querySelector('textarea').value").await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    // ---- by keyboard ----

    /// Presses these keys one after the other, wherever the keyboard goes.
    pub(crate) async fn keys(&self, keys: impl IntoIterator<Item = char>) -> anyhow::Result<()> {
        let strokes = keys
            .into_iter()
            .flat_map(|value| [KeyAction::Down { value }, KeyAction::Up { value }])
            .fold(KeyActions::new("keyboard".into()), |strokes, stroke| strokes.then(stroke));
        Ok(self.browser.client.perform_actions(strokes).await?)
    }

    /// Presses one key.
    pub(crate) async fn key(&self, key: Key) -> anyhow::Result<()> {
        self.keys([char::from(key)]).await
    }

    /// What has the keyboard now.
    pub(crate) async fn focus(&self) -> anyhow::Result<Focus> {
        let focus = self
            .run(
                "const e = document.activeElement, s = getComputedStyle(e);
                 const rects = [...e.getClientRects()], r = rects[0] ?? e.getBoundingClientRect();
                 const hit = document.elementFromPoint((r.left + r.right) / 2, (r.top + r.bottom) / 2);
                 const label = e.tagName === 'BODY' ? '' : e.labels?.[0]?.innerText || e.innerText || '';
                 return {
                   label: label.trim(), tag: e.tagName, inside: !!e.closest('main'),
                   ring: e.matches(':focus-visible') && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,
                   seen: !!hit && (e.contains(hit) || [...e.labels ?? []].some(l => l.contains(hit))),
                 };",
            )
            .await?;
        Ok(serde_json::from_value(focus)?)
    }

    /// Presses Tab until the keyboard is at something in the page's `main`, or anywhere, that says `label`. Whatever it
    /// comes by on the way is in view and ringed.
    pub(crate) async fn tab_to(&self, label: &str, inside: bool) -> anyhow::Result<Vec<Focus>> {
        let mut way: Vec<Focus> = Vec::new();
        for _ in 0..60 {
            self.key(Key::Tab).await?;
            let focus = self.focus().await?;
            ensure!(
                focus.tag == "BODY" || focus.ring && focus.seen,
                "{}: the keyboard is somewhere that cannot be seen: {focus:?}",
                self.name
            );
            let there = focus.label.contains(label) && (focus.inside || !inside);
            way.push(focus);
            if there {
                return Ok(way);
            }
        }
        bail!("{}: Tab never comes to {label:?}, only by {way:?}", self.name)
    }

    /// Goes to what says `label` in the page's `main` and presses Enter.
    pub(crate) async fn enter(&self, label: &str) -> anyhow::Result<()> {
        self.tab_to(label, true).await?;
        self.key(Key::Enter).await
    }

    // ---- looking ----

    /// Looks at the page in every way: one `h1`, no sideways scroll, nothing said by axe or the console, no stranger asked.
    pub(crate) async fn look(&self, step: &str) -> anyhow::Result<()> {
        for (name, look) in LOOKS {
            self.browser.look(look).await?;
            tokio::time::sleep(Duration::from_millis(150)).await;
            self.shoot(step, name).await?;
            let wide = self.run("return document.documentElement.scrollWidth - innerWidth").await?;
            ensure!(wide.as_i64() <= Some(0), "{} {step} {name}: scrolls sideways by {wide}", self.name);
            self.axe(step, name).await?;
        }
        self.browser.look(LOOKS[0].1).await?;
        let headings = self.run("return document.querySelectorAll('h1').length").await?;
        ensure!(headings == 1, "{} {step}: {headings} h1", self.name);
        let complaints = self.browser.complaints().await?;
        ensure!(complaints.is_empty(), "{} {step}: the console says {complaints:?}", self.name);
        self.asked_nobody_else().await
    }

    /// Every request went to our own address.
    pub(crate) async fn asked_nobody_else(&self) -> anyhow::Result<()> {
        let hosts = self.browser.hosts().await?;
        let ours = |host: &String| [&self.host, &self.first_host].contains(&host);
        ensure!(hosts.iter().all(ours), "{}: asked {hosts:?}", self.name);
        Ok(())
    }

    /// Takes a picture; of the whole page where it is narrow.
    pub(crate) async fn shoot(&self, step: &str, look: &str) -> anyhow::Result<()> {
        let whole = look == "narrow";
        if whole {
            // Pictures further down are fetched once they are near, so somebody has to go there.
            self.run_async(
                "const top = scrollY;
                 for (const picture of document.images) {
                   picture.scrollIntoView();
                   await picture.decode().catch(() => {});
                 }
                 scrollTo(0, top);
                 return true;",
            )
            .await?;
        }
        let shots = root().join("tests/browser/shots");
        std::fs::create_dir_all(&shots)?;
        let picture = self.browser.picture(whole).await?;
        std::fs::write(shots.join(format!("{}-{step}-{look}.png", self.name)), picture)?;
        Ok(())
    }

    /// Serious and critical findings of axe-core.
    async fn axe(&self, step: &str, look: &str) -> anyhow::Result<()> {
        let axe = std::fs::read_to_string(root().join("tests/browser/node_modules/axe-core/axe.min.js"))
            .context("axe-core is not there; `cargo xtask test browser` installs it")?;
        // Evaluated by the driver, so the page's own policy stays as strict as it is.
        let script = format!(
            "{axe}; const done = arguments[arguments.length - 1];
             axe.run(document, {{ resultTypes: ['violations'] }}).then(r => done(r.violations
               .filter(v => v.impact === 'serious' || v.impact === 'critical')
               .map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(', '))), e => done([String(e)]));"
        );
        let found = self.browser.client.execute_async(&script, vec![]).await?;
        ensure!(
            found.as_array().is_some_and(Vec::is_empty),
            "{} {step} {look}: axe finds {found}",
            self.name
        );
        Ok(())
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

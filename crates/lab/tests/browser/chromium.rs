//! A real Chromium under ChromeDriver, each with a fresh profile, and what it saw: requests, console, violations.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context as _, bail};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// ChromeDriver, ended when dropped.
pub(crate) struct Driver {
    process: Child,
    address: String,
}

impl Driver {
    /// Starts ChromeDriver on a free port.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut process = Command::new("chromedriver")
            .args(["--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start chromedriver; `cargo xtask test browser` installs it")?;
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        for line in lines {
            // "ChromeDriver was started successfully on port 40123."
            let line = line?;
            if let Some((_, port)) = line.split_once("successfully on port ") {
                let address = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
                return Ok(Self { process, address });
            }
        }
        bail!("chromedriver ended before it was ready")
    }

    /// Has the driver end all browsers that it started.
    fn shut_down(&self) -> std::io::Result<()> {
        const PATIENCE: Duration = Duration::from_secs(5);
        let host = self.address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /shutdown HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }

    /// A new browser with a profile of its own, which runs the pages' scripts or none.
    pub(crate) async fn browser(&self, scripts: bool) -> anyhow::Result<Browser> {
        let profile = tempfile::tempdir()?;
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            &format!("--user-data-dir={}", profile.path().display()),
        ]
        .map(str::to_owned);
        let prefs = match scripts {
            true => json!({}),
            false => json!({ "profile.managed_default_content_settings.javascript": 2 }),
        };
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": args, "prefs": prefs },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(serde_json::from_value(capabilities)?)
            .connect(&self.address)
            .await
            .context("chromedriver did not start a browser")?;
        Ok(Browser { client, traffic: Mutex::default(), profile })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Killed, it would leave its browsers running.
        let _ = self.shut_down();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One browser.
pub(crate) struct Browser {
    /// The WebDriver session.
    pub client: Client,
    traffic: Mutex<Traffic>,
    profile: tempfile::TempDir,
}

/// What went over the wire so far.
#[derive(Default)]
struct Traffic {
    hosts: BTreeSet<String>,
    answers: Vec<Answer>,
}

/// An answer that the browser got.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Where from.
    pub url: String,
    /// Its `Cache-Control`, empty if there was none.
    pub cache: String,
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// `prefers-color-scheme`.
    pub dark: bool,
}

impl Browser {
    /// Sets the page's width, height and colour scheme, as a device would.
    pub(crate) async fn look(&self, look: Look) -> anyhow::Result<()> {
        let metrics = json!({
            "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.width < 600,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await?;
        Ok(())
    }

    /// A picture of what is in view, or of the whole page down to 8,000 pixels, PNG.
    pub(crate) async fn picture(&self, whole: bool) -> anyhow::Result<Vec<u8>> {
        if !whole {
            return Ok(self.client.screenshot().await?);
        }
        let metrics = self.devtools("Page.getLayoutMetrics", json!({})).await?;
        let size = &metrics["cssContentSize"];
        // Longer pages make pictures that many programs do not open.
        let height = size["height"].as_f64().context("no height")?.min(8_000.0);
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1 });
        let params = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let shot = self.devtools("Page.captureScreenshot", params).await?;
        let data = shot["data"].as_str().context("no picture")?;
        Ok(data_encoding::BASE64.decode(data.as_bytes())?)
    }

    /// Hosts of every request that any page of this browser made.
    pub(crate) async fn hosts(&self) -> anyhow::Result<BTreeSet<String>> {
        self.watch().await?;
        Ok(self.traffic().hosts.clone())
    }

    /// Every answer that any page of this browser got.
    pub(crate) async fn answers(&self) -> anyhow::Result<Vec<Answer>> {
        self.watch().await?;
        Ok(self.traffic().answers.clone())
    }

    /// Addresses and titles in this tab's history, oldest first.
    pub(crate) async fn history(&self) -> anyhow::Result<Vec<(String, String)>> {
        let history = self.devtools("Page.getNavigationHistory", json!({})).await?;
        let entries = history["entries"].as_array().context("no history")?;
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        Ok(entries.iter().map(|e| (text(&e["url"]), text(&e["title"]))).collect())
    }

    /// The cookies of this address.
    pub(crate) async fn cookies(&self, address: &str) -> anyhow::Result<Value> {
        let answer = self.devtools("Network.getCookies", json!({ "urls": [address] })).await?;
        Ok(answer["cookies"].clone())
    }

    /// Gives it another browser's cookies, as if it had opened the launch link itself.
    pub(crate) async fn be_given(&self, cookies: &Value) -> anyhow::Result<()> {
        self.devtools("Network.setCookies", json!({ "cookies": cookies })).await?;
        Ok(())
    }

    /// Ends the browser as a person does, and gives back the folder of its profile.
    pub(crate) async fn close(self) -> anyhow::Result<tempfile::TempDir> {
        self.client.close().await?;
        Ok(self.profile)
    }

    /// Reads what the browser noted of its traffic since it was last read.
    async fn watch(&self) -> anyhow::Result<()> {
        let entries = self.log("performance").await?;
        let mut traffic = self.traffic();
        for entry in entries {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap_or("{}"))?;
            let (method, params) = (&message["message"]["method"], &message["message"]["params"]);
            if method == "Network.requestWillBeSent" {
                if let Some(host) = host(&params["request"]) {
                    traffic.hosts.insert(host);
                }
                traffic.answers.extend(answer(&params["redirectResponse"]));
            }
            if method == "Network.responseReceived" {
                traffic.answers.extend(answer(&params["response"]));
            }
        }
        Ok(())
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().expect("no holder panics")
    }

    /// Everything the console said since this was last asked.
    pub(crate) async fn said(&self) -> anyhow::Result<Vec<String>> {
        let log = self.log("browser").await?;
        Ok(log.iter().map(|e| e["message"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// What the console said at level warning or above since this was last asked: errors, and violations of the policy.
    pub(crate) async fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let log = self.log("browser").await?;
        let bad = |e: &&Value| e["level"] == "SEVERE" || e["level"] == "WARNING";
        Ok(log.iter().filter(bad).map(|e| e["message"].as_str().unwrap_or_default().to_owned()).collect())
    }

    async fn log(&self, kind: &str) -> anyhow::Result<Vec<Value>> {
        let answer = self.client.issue_cmd(Raw { path: "se/log", body: json!({ "type": kind }) }).await?;
        Ok(answer.as_array().cloned().unwrap_or_default())
    }

    async fn devtools(&self, command: &str, params: Value) -> anyhow::Result<Value> {
        let body = json!({ "cmd": command, "params": params });
        Ok(self.client.issue_cmd(Raw { path: "goog/cdp/execute", body }).await?)
    }
}

/// Whom a request asks. The browser's own pages (its empty first tab) and inline data ask nobody.
fn host(request: &Value) -> Option<String> {
    let (scheme, rest) = request["url"].as_str()?.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    (!scheme.starts_with("chrome")).then(|| host.to_owned())
}

fn answer(response: &Value) -> Option<Answer> {
    host(response)?;
    let headers = response["headers"].as_object()?;
    let cache = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("cache-control"));
    let cache = cache.and_then(|(_, value)| value.as_str()).unwrap_or_default().to_owned();
    Some(Answer { url: response["url"].as_str()?.to_owned(), cache })
}

/// A command of ChromeDriver's own.
#[derive(Debug)]
struct Raw {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Raw {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

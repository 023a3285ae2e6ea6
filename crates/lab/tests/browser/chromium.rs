//! A real Chromium under ChromeDriver, each with a fresh profile, and what it saw: requests, console, violations.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

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

    /// A new browser with a profile of its own.
    pub(crate) async fn browser(&self) -> anyhow::Result<Browser> {
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
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": args },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(serde_json::from_value(capabilities)?)
            .connect(&self.address)
            .await
            .context("chromedriver did not start a browser")?;
        Ok(Browser { client, _profile: profile })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One browser.
pub(crate) struct Browser {
    /// The WebDriver session.
    pub client: Client,
    _profile: tempfile::TempDir,
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

    /// A picture of the page, PNG.
    pub(crate) async fn picture(&self, whole: bool) -> anyhow::Result<Vec<u8>> {
        if !whole {
            return Ok(self.client.screenshot().await?);
        }
        let shot = self
            .devtools("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true }))
            .await?;
        let data = shot["data"].as_str().context("no picture")?;
        Ok(data_encoding::BASE64.decode(data.as_bytes())?)
    }

    /// Hosts of every request that any page of this browser made since this was last asked.
    pub(crate) async fn hosts(&self) -> anyhow::Result<Vec<String>> {
        let mut hosts = Vec::new();
        for entry in self.log("performance").await? {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap_or("{}"))?;
            let message = &message["message"];
            if message["method"] != "Network.requestWillBeSent" {
                continue;
            }
            let address = message["params"]["request"]["url"].as_str().unwrap_or_default();
            // The browser's own pages (its empty first tab) and inline data ask nobody.
            let Some((scheme, rest)) = address.split_once("://") else { continue };
            if scheme.starts_with("chrome") {
                continue;
            }
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            if !hosts.iter().any(|known| known == host) {
                hosts.push(host.to_owned());
            }
        }
        Ok(hosts)
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

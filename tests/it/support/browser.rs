//! A real browser on a phone's screen, driven through W3C WebDriver.
use super::{Test, plain, process, servers};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A page has so long to show what is looked for.
const PATIENCE: Duration = Duration::from_secs(50);
/// How WebDriver names an element (W3C WebDriver, 12.3).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const PHONE: (u32, u32) = (390, 844);
const ARGUMENTS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The program that starts browsers.
pub struct Chromedriver {
    server: Child,
    base: String,
}

impl Chromedriver {
    /// Starts it on a port that it picks.
    pub fn start() -> Result<Self, String> {
        let program = Path::new("/usr/bin/chromedriver");
        if !program.exists() {
            return Err("there is no /usr/bin/chromedriver: run `bash tests/run.sh`, it installs one".to_owned());
        }
        let mut command = process::command(program, "TERM", None);
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = process::start(command)?;
        let mut lines = BufReader::new(server.stdout.take().ok_or("chromedriver has no output")?).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split("successfully on port ").nth(1).map(|rest| rest.trim_end_matches('.').to_owned()));
        let Some(port) = port else {
            process::stop(&mut server, "TERM");
            return Err("chromedriver does not start".to_owned());
        };
        // What nobody reads would block it one day.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Self { server, base: format!("http://127.0.0.1:{port}") })
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        process::stop(&mut self.server, "TERM");
    }
}

/// A browser with a profile of its own; it closes when it is dropped.
pub struct Browser {
    http: ureq::Agent,
    session: String,
    _profile: TempDir,
}

/// A part of a page.
pub struct Element<'a> {
    browser: &'a Browser,
    id: String,
}

impl Browser {
    /// A phone.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(&json!({}))
    }

    /// A phone with JavaScript switched off.
    #[track_caller]
    pub fn without_javascript() -> Self {
        Self::with(&json!({ "profile.managed_default_content_settings.javascript": 2 }))
    }

    #[track_caller]
    fn with(preferences: &Value) -> Self {
        let driver = servers::chromedriver();
        let profile = tempfile::Builder::new().prefix("deskbell-browser-").tempdir().unwrap();
        let own = format!("--user-data-dir={}", profile.path().display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([own.as_str()]).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "timeouts": { "implicit": PATIENCE.as_millis() as u64, "pageLoad": 50_000, "script": 30_000 },
            "goog:chromeOptions": {
                "binary": "/usr/bin/chromium",
                "args": arguments,
                "prefs": preferences,
            },
        } } });
        let http = super::client::agent();
        let made =
            ask(&http, "POST", &format!("{}/session", driver.base), Some(wanted)).unwrap_or_else(|error| panic!("{error}"));
        let id = made["sessionId"].as_str().expect("a session");
        let browser = Self { session: format!("{}/session/{id}", driver.base), http, _profile: profile };
        // chromedriver's own mobileEmulation hangs now and then where JavaScript is off.
        let (width, height) = PHONE;
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": true });
        browser.devtools("Emulation.setDeviceMetricsOverride", &screen);
        browser.devtools("Emulation.setTouchEmulationEnabled", &json!({ "enabled": true }));
        browser
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        match ask(&self.http, method, &format!("{}{path}", self.session), body) {
            Ok(value) => value,
            Err(error) => panic!("{method} {path}: {error}"),
        }
    }

    /// A command of the browser's developer tools.
    #[track_caller]
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.ask("POST", "/goog/cdp/execute", Some(json!({ "cmd": command, "params": parameters })))
    }

    /// Goes to a page and waits until it is loaded.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.ask("POST", "/url", Some(json!({ "url": url })));
    }

    /// Where it is.
    #[track_caller]
    pub fn current_url(&self) -> String {
        self.ask("GET", "/url", None).as_str().unwrap_or_default().to_owned()
    }

    /// The title of the page.
    #[track_caller]
    pub fn title(&self) -> String {
        self.ask("GET", "/title", None).as_str().unwrap_or_default().to_owned()
    }

    /// The page as HTML.
    #[track_caller]
    pub fn source(&self) -> String {
        self.ask("GET", "/source", None).as_str().unwrap_or_default().to_owned()
    }

    /// The first element that the selector names; waits until there is one.
    #[track_caller]
    pub fn find(&self, css: &str) -> Element<'_> {
        let found =
            ask(&self.http, "POST", &format!("{}/element", self.session), Some(json!({ "using": "css selector", "value": css })));
        match found {
            Ok(value) => Element { browser: self, id: value[ELEMENT].as_str().expect("an element").to_owned() },
            Err(error) => panic!("{css}: {error}\n{}", self.source()),
        }
    }

    /// The first element that the selector names in the shadow tree of another one; waits until there is one.
    #[track_caller]
    pub fn find_inside(&self, host: &str, css: &str) -> Element<'_> {
        let script =
            "const host = document.querySelector(arguments[0]); return host && host.shadowRoot.querySelector(arguments[1])";
        let mut found = Value::Null;
        self.wait_until(css, || {
            found = self.script(script, json!([host, css]));
            !found.is_null()
        });
        Element { browser: self, id: found[ELEMENT].as_str().expect("an element").to_owned() }
    }

    /// How many elements the selector names now.
    #[track_caller]
    pub fn count(&self, css: &str) -> u64 {
        self.script("return document.querySelectorAll(arguments[0]).length", json!([css])).as_u64().unwrap_or(0)
    }

    /// What people can read.
    #[track_caller]
    pub fn text(&self) -> String {
        self.find("body").text()
    }

    /// Runs a script of the test's own, also where the page's are switched off.
    #[track_caller]
    pub fn script(&self, text: &str, arguments: Value) -> Value {
        self.ask("POST", "/execute/sync", Some(json!({ "script": text, "args": arguments })))
    }

    /// Presses a key on the page, such as `"\u{E004}"` for the tabulator.
    #[track_caller]
    pub fn press(&self, key: &str) {
        let strokes = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.ask("POST", "/actions", Some(json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] })));
    }

    /// The element that has the focus.
    #[track_caller]
    pub fn focused(&self) -> Element<'_> {
        let value = self.ask("GET", "/element/active", None);
        Element { browser: self, id: value[ELEMENT].as_str().expect("an element").to_owned() }
    }

    /// Waits until something holds of the page.
    #[track_caller]
    pub fn wait_until(&self, what: &str, holds: impl FnMut() -> bool) {
        if process::wait_for(PATIENCE, holds).is_err() {
            panic!("in vain waited for {what}:\n{}", self.source());
        }
    }

    /// Writes what it shows as a PNG file.
    #[track_caller]
    pub fn screenshot(&self, path: &Path) {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let encoded = self.ask("GET", "/screenshot", None);
        std::fs::write(path, STANDARD.decode(encoded.as_str().unwrap_or_default()).unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = ask(&self.http, "DELETE", &self.session, None);
    }
}

impl Element<'_> {
    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.browser.ask(method, &format!("/element/{}{path}", self.id), body)
    }

    /// Clicks it.
    #[track_caller]
    pub fn click(&self) {
        self.ask("POST", "/click", Some(json!({})));
    }

    /// Types into it.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        self.ask("POST", "/value", Some(json!({ "text": text })));
    }

    /// What people can read of it.
    #[track_caller]
    pub fn text(&self) -> String {
        self.ask("GET", "/text", None).as_str().unwrap_or_default().to_owned()
    }

    /// An attribute, as it was written.
    #[track_caller]
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.ask("GET", &format!("/attribute/{name}"), None).as_str().map(str::to_owned)
    }

    /// Whether it is chosen (radio buttons, check boxes, options).
    #[track_caller]
    pub fn is_selected(&self) -> bool {
        self.ask("GET", "/selected", None) == true
    }

    /// What a screen reader calls it.
    #[track_caller]
    pub fn spoken_name(&self) -> String {
        self.ask("GET", "/computedlabel", None).as_str().unwrap_or_default().to_owned()
    }

    /// Left, top, width and height, in pixels.
    #[track_caller]
    pub fn place(&self) -> [f64; 4] {
        let place = self.ask("GET", "/rect", None);
        ["x", "y", "width", "height"].map(|name| place[name].as_f64().unwrap_or(f64::NAN))
    }
}

fn ask(http: &ureq::Agent, method: &str, url: &str, body: Option<Value>) -> Result<Value, String> {
    let request = ureq::http::Request::builder().method(method).uri(url).header("Content-Type", "application/json");
    let answer = match body {
        None => http.run(request.body(()).unwrap()),
        Some(body) => http.run(request.body(body.to_string()).unwrap()),
    };
    let mut answer = answer.map_err(|error| error.to_string())?;
    let text = answer.body_mut().with_config().limit(100_000_000).read_to_string().map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    if answer.status().is_success() {
        return Ok(value["value"].clone());
    }
    let message = value["value"]["message"].as_str().unwrap_or(&text);
    Err(message.lines().next().unwrap_or_default().to_owned())
}

/// The harness's own tests.
pub const TESTS: &[Test] = plain![javascript_can_be_switched_off];

fn javascript_can_be_switched_off() {
    let page = "data:text/html,<meta name=viewport content=width=device-width><p>off</p><label><input type=radio>Yes</label><script>document.querySelector('p').textContent='on'</script>";
    for (browser, expected) in [(Browser::start(), "on"), (Browser::without_javascript(), "off")] {
        browser.open(page);
        assert_eq!(browser.find("p").text(), expected);
        assert_eq!(browser.script("return window.innerWidth", json!([])), PHONE.0);
        browser.press("\u{E004}");
        assert_eq!(browser.focused().spoken_name(), "Yes");
        browser.find("input").click();
        assert!(browser.find("input").is_selected());
    }
}

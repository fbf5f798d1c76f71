//! A visitor in the widget on another site's page, and an agent on the agent's page: both in a real browser.
use crate::support::browser::Browser;
use crate::support::websocket::with_chat;
use crate::support::{Desk, Test, sqlite};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

/// In a browser, on SQLite alone: pages do not know the database.
pub const TESTS: &[Test] = sqlite![
    a_visitor_and_an_agent_talk_in_their_browsers,
    at_night_a_message_is_left_with_the_keyboard_alone,
    a_file_goes_both_ways_in_another_language,
];

const HOST: &str = "#deskbell-chat";

/// A site of somebody else, with a strict policy of its own; gives its origin.
fn site(desk: &str) -> String {
    site_in(desk, "en")
}

/// The same in a language.
fn site_in(desk: &str, language: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let policy = format!("default-src 'none'; script-src {desk}; connect-src {} {desk}", desk.replace("http", "ws"));
    let page = format!(
        "<!doctype html><html lang={language}><meta name=viewport content='width=device-width'><title>Nordwind</title><h1>Nordwind</h1>\
         <p>Domains and more.</p><script src='{desk}/chat/widget.js'></script>"
    );
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let head = format!("Content-Type: text/html\r\nContent-Security-Policy: {policy}\r\nConnection: close");
            let _ = write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        }
    });
    origin
}

/// What people read in the widget.
fn text(browser: &Browser, css: &str) -> String {
    let script = "const found = document.querySelector(arguments[0]).shadowRoot.querySelector(arguments[1]); \
                  return found ? found.innerText : ''";
    browser.script(script, json!([HOST, css])).as_str().unwrap_or_default().to_owned()
}

/// What was said, as one end shows it.
fn bodies(browser: &Browser, root: &str) -> Vec<String> {
    let script = format!("return [...{root}.querySelectorAll('li')].map(line => line.lastChild.textContent)");
    let list: Vec<Value> = browser.script(&script, json!([])).as_array().cloned().unwrap_or_default();
    list.iter().map(|body| body.as_str().unwrap_or_default().to_owned()).collect()
}

fn in_widget(browser: &Browser) -> Vec<String> {
    bodies(browser, "document.querySelector('#deskbell-chat').shadowRoot.querySelector('ol')")
}

fn on_page(browser: &Browser) -> Vec<String> {
    bodies(browser, "document.querySelector('#log')")
}

/// The name of the field in the widget that has the focus.
fn focused(browser: &Browser) -> String {
    let script = "const active = document.querySelector(arguments[0]).shadowRoot.activeElement; \
                  return active ? active.name || active.className : ''";
    browser.script(script, json!([HOST])).as_str().unwrap_or_default().to_owned()
}

/// What both ends show as links: their texts and where they lead.
fn links(browser: &Browser, root: &str) -> Vec<(String, String)> {
    let script = format!("return [...{root}.querySelectorAll('li a')].map(link => [link.textContent, link.href])");
    let list: Vec<Value> = browser.script(&script, json!([])).as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.iter().map(|link| (text(&link[0]), text(&link[1]))).collect()
}

fn picture(browser: &Browser, name: &str) {
    browser.screenshot(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chat-{name}.png")));
}

fn a_visitor_and_an_agent_talk_in_their_browsers(desk: &Desk) {
    let origin = site(&desk.base());
    with_chat(desk, |chat| chat.sites[0].origin = origin.clone());
    let (visitor, agent) = (Browser::start(), Browser::start());
    agent.open(&format!("{}/chat/agent", desk.base()));
    agent.find("#token").type_text("guess");
    agent.find("#enter button").click();
    agent.wait_until("a wrong token is refused", || agent.find("#wrong").text().contains("unknown"));
    agent.script("document.querySelector('#token').value = ''", json!([]));
    agent.find("#token").type_text(&desk.people.agent.secret);
    agent.find("#enter button").click();
    agent.wait_until("the queue is shown", || agent.text().contains("Nobody waits."));
    let kept = agent.script("return localStorage.length + sessionStorage.length + document.cookie.length", json!([]));
    assert_eq!(kept, 0, "the token is in memory alone");

    visitor.open(&origin);
    visitor.find_inside(HOST, "button.launch").click();
    visitor.wait_until("the window is open and its first field has the focus", || focused(&visitor) == "name");
    visitor.find_inside(HOST, "input[name=name]").type_text("Ana Castro");
    visitor.find_inside(HOST, "input[name=email]").type_text("ana@nordwind.example");
    visitor.find_inside(HOST, "textarea[name=first]").type_text("My transfer is stuck <b>& so am I</b>");
    visitor.find_inside(HOST, "form.start button").click();
    visitor.wait_until("the place is shown", || text(&visitor, "[role=status]").contains("You are next"));
    picture(&visitor, "waiting");
    agent.wait_until("it rings", || agent.text().contains("it rings for you"));
    picture(&agent, "ringing");
    agent.find("#waiting button").click();
    agent.wait_until("the first words are there", || on_page(&agent) == ["My transfer is stuck <b>& so am I</b>"]);
    visitor.wait_until("somebody is there", || text(&visitor, "[role=status]").contains("Amir Agent is here"));
    agent.find("#text").type_text("Good day! Which domain is it?\u{E007}");
    visitor.wait_until("it is read", || in_widget(&visitor).len() == 2);
    visitor.find_inside(HOST, "textarea[name=text]").type_text("nordwind.example");
    agent.wait_until("typing is seen", || agent.find("#standing").text().contains("typing"));
    visitor.find_inside(HOST, "textarea[name=text]").type_text("\u{E007}");
    agent.wait_until("it is read", || on_page(&agent).len() == 3);
    picture(&visitor, "talking-visitor");
    picture(&agent, "talking-agent");

    // The desk starts anew: both come back by themselves, and nothing is lost or doubled.
    desk.restart(|_| {});
    visitor.find_inside(HOST, "textarea[name=text]").type_text("Are you still there?\u{E007}");
    agent.wait_until("it is read", || on_page(&agent).len() == 4);
    agent.find("#text").type_text("Yes. It is on its way now.\u{E007}");
    visitor.wait_until("it is read", || in_widget(&visitor).len() == 5);
    // A reload goes on where it was.
    visitor.open(&origin);
    visitor.wait_until("the chat is there again", || in_widget(&visitor).len() == 5);
    assert_eq!(in_widget(&visitor), on_page(&agent));

    visitor.find_inside(HOST, "textarea[name=text]").click();
    visitor.press("\u{E00C}");
    visitor.find_inside(HOST, ".panel[hidden]");
    assert_eq!(focused(&visitor), "launch", "and the focus is where it was");
    visitor.find_inside(HOST, "button.launch").click();
    let log = visitor.find_inside(HOST, "ol");
    assert_eq!((log.attribute("role").as_deref(), log.spoken_name().as_str()), (Some("log"), "What was said"));
    let motion = "return getComputedStyle(document.querySelector(arguments[0]).shadowRoot.querySelector('.panel')).animationName";
    assert_eq!(visitor.script(motion, json!([HOST])), "up");
    let calm = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
    visitor.devtools("Emulation.setEmulatedMedia", &calm);
    assert_eq!(visitor.script(motion, json!([HOST])), "none");

    agent.find("#end").click();
    visitor.wait_until("it is over", || text(&visitor, "[role=status]").contains("The chat is over"));
    picture(&visitor, "over");
    let chats = desk.agent().get("/api/v1/chats").ok();
    assert_eq!((&chats["items"][0]["state"], &chats["items"][0]["messages"]), (&json!("ended"), &json!(5)));
    desk.advance(TimeDelta::hours(3));
    desk.mail_to("ana@nordwind.example");
}

fn at_night_a_message_is_left_with_the_keyboard_alone(desk: &Desk) {
    let origin = site(&desk.base());
    with_chat(desk, |chat| chat.sites[0].origin = origin.clone());
    desk.advance(TimeDelta::hours(12));
    let visitor = Browser::start();
    visitor.open(&origin);
    visitor.find_inside(HOST, "button.launch");
    let tab = "\u{E004}";
    visitor.press(tab);
    assert_eq!(focused(&visitor), "launch");
    visitor.press("\u{E007}");
    visitor.wait_until("the window is open", || focused(&visitor) == "name");
    visitor.wait_until("it says that nobody is there", || text(&visitor, ".start p").contains("We are not here now"));
    visitor.press(tab);
    visitor.press(tab);
    assert_eq!(focused(&visitor), "first");
    visitor.press("H");
    visitor.press("i");
    visitor.press(tab);
    visitor.press("\u{E007}");
    visitor.wait_until("the address is asked for", || {
        text(&visitor, "[role=alert]").contains("e-mail address") && focused(&visitor) == "email"
    });
    for letter in ["a", "@", "b", ".", "e", "x"] {
        visitor.press(letter);
    }
    visitor.press("\u{E007}");
    visitor.wait_until("it is taken", || text(&visitor, "[role=status]").contains("We will write to you within 24 hours"));
    picture(&visitor, "left");
    let ticket = desk.agent().get("/api/v1/tickets").ok()["items"][0].clone();
    assert_eq!(ticket["channel"], "chat");
}

fn a_file_goes_both_ways_in_another_language(desk: &Desk) {
    let origin = site_in(&desk.base(), "de-AT");
    with_chat(desk, |chat| chat.sites[0].origin = origin.clone());
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (visitor, agent) = (Browser::start(), Browser::start());
    agent.open(&format!("{}/chat/agent", desk.base()));
    agent.find("#token").type_text(&desk.people.agent.secret);
    agent.find("#enter button").click();
    agent.wait_until("the queue is shown", || agent.text().contains("Nobody waits."));
    visitor.open(&origin);
    let launch = visitor.find_inside(HOST, "button.launch");
    assert_eq!(launch.text(), "Chatten Sie mit uns");
    launch.click();
    visitor.wait_until("it opens", || focused(&visitor) == "name");
    assert!(text(&visitor, ".start").contains("Wie k\u{f6}nnen wir helfen?"), "{}", text(&visitor, ".start"));
    visitor.find_inside(HOST, "textarea[name=first]").type_text("Guten Tag");
    visitor.find_inside(HOST, "form.start button").click();
    visitor.wait_until("the place is shown", || text(&visitor, "[role=status]").contains("als N\u{e4}chstes dran"));
    agent.wait_until("it rings", || agent.text().contains("it rings for you"));
    agent.find("#waiting button").click();
    visitor.wait_until("somebody is there", || text(&visitor, "[role=status]").contains("Amir Agent ist da"));
    let attach = visitor.find_inside(HOST, "button.file");
    assert_eq!(attach.spoken_name(), "Datei anh\u{e4}ngen");
    visitor.find_inside(HOST, "input[type=file]").type_text(&file("Rechnung 7.txt", "An invoice"));
    let in_widget = "document.querySelector('#deskbell-chat').shadowRoot.querySelector('ol')";
    let on_page = "document.querySelector('#log')";
    agent.wait_until("the file is there", || links(&agent, on_page).len() == 1);
    agent.find("#picker").type_text(&file("guide.txt", "Read me"));
    visitor.wait_until("the answer is there", || links(&visitor, in_widget).len() == 2);
    picture(&visitor, "files-visitor");
    picture(&agent, "files-agent");
    agent.wait_until("both are there", || links(&agent, on_page) == links(&visitor, in_widget));
    for ((name, address), bytes) in links(&visitor, in_widget).iter().zip([b"An invoice".as_slice(), b"Read me"]) {
        assert!(name.ends_with("(1 KB)"), "{name}");
        assert_eq!(desk.anonymous().get(address.strip_prefix(&desk.base()).unwrap()).is(200).bytes, bytes);
    }
    agent.find("#keep").click();
    visitor.wait_until("it is over", || text(&visitor, "[role=status]").contains("Der Chat ist beendet"));
    let ticket = desk.agent().get("/api/v1/tickets").ok()["items"][0].clone();
    assert_eq!(ticket["status"], "open", "the agent kept it");
}

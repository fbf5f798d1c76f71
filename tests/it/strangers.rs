//! What strangers try at the doors without a token: forged signatures are refused and logged, a flood of one takes nothing from others.
use crate::binary::Binary;
use crate::support::websocket::{SECRET, SITE, Socket, with_chat};
use crate::support::{Desk, Test, plain, process, tests};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// On a desk.
pub const TESTS: &[Test] = tests![a_flood_of_one_address_takes_nothing_from_others];
/// With a server of its own, whose log is read.
pub const SERVED: &[Test] = plain![what_is_forged_is_refused_and_logged];

fn what_is_forged_is_refused_and_logged() {
    let folder = tempfile::tempdir().unwrap();
    let server = Binary::in_folder(folder.path())
        .with("server.public_url", "https://desk.example")
        .with("calls.twilio_auth_token", "a token that only Twilio knows")
        .with("chat.sites", format!(r#"[{{ origin = "{SITE}", secret = "{SECRET}" }}]"#))
        .serve();
    let logged = |event: &str| {
        let text = format!("forged_{event}");
        process::wait_for(Duration::from_secs(20), || server.logged().contains(&text))
            .unwrap_or_else(|_| panic!("{text} is not logged"));
    };
    let stranger = server.client("none");
    let call = [("CallSid", "CA1"), ("From", "+493023125000"), ("CallStatus", "ringing")];
    let hook = stranger.with("X-Twilio-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=").post_form("/hooks/twilio/voice", &call);
    hook.refused(403, "bad_signature");
    logged("webhook");
    let refused = |hello: Value, code: &str| {
        let mut socket = Socket::open(&server.base, "/chat/ws", &[("origin", SITE)]).unwrap();
        socket.tell(hello);
        assert_eq!(socket.of_type("refused")["code"], code);
        assert!(socket.is_closed());
    };
    refused(json!({ "type": "hello", "visitor": "0.1.AAAA" }), "bad_visitor");
    logged("visitor");
    refused(json!({ "type": "hello", "identity": "eyJhbGciOiJub25lIn0.e30." }), "bad_identity");
    logged("identity");
    server.stop();
}

fn a_flood_of_one_address_takes_nothing_from_others(desk: &Desk) {
    desk.restart(|config| config.server.trusted_proxies = vec!["127.0.0.0/8".into()]);
    with_chat(desk, |chat| (chat.asks_per_minute_per_address, chat.connections_per_address) = (3, 5));
    let base = desk.base();
    let open = |address: &str| Socket::open(&base, "/chat/ws", &[("origin", SITE), ("x-forwarded-for", address)]);
    let served = |address: &str| {
        let started = Instant::now();
        let mut socket = open(address).unwrap_or_else(|refused| panic!("{address}: {refused:?}"));
        socket.tell(json!({ "type": "hello" }));
        socket.of_type("welcome");
        socket.tell(json!({ "type": "ask" }));
        socket.of_type("chat");
        started.elapsed()
    };
    std::thread::scope(|scope| {
        // One address tries from eight sides at once: new lines and asking again and again.
        let floods: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let (mut asked, mut limited) = (0, 0);
                    for _ in 0..40 {
                        let Ok(mut socket) = open("198.51.100.1") else {
                            limited += 1;
                            continue;
                        };
                        socket.tell(json!({ "type": "hello" }));
                        socket.tell(json!({ "type": "ask" }));
                        loop {
                            match socket.try_next() {
                                Some(frame) if frame["type"] == "chat" => asked += 1,
                                Some(frame) if frame["type"] == "refused" => limited += 1,
                                Some(_) => continue,
                                None => {}
                            }
                            break;
                        }
                    }
                    (asked, limited)
                })
            })
            .collect();
        let waits: Vec<Duration> = (2..12).map(|number| served(&format!("198.51.100.{number}"))).collect();
        let (asked, limited) =
            floods.into_iter().map(|flood| flood.join().unwrap()).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        assert!(asked <= 3 && limited >= 300, "{asked} chats and {limited} refusals of one address");
        assert!(waits.iter().all(|wait| *wait < Duration::from_secs(10)), "others were served: {waits:?}");
    });
    let waiting = desk.agent().get("/api/v1/chats?limit=100").ok()["items"].as_array().unwrap().len();
    assert!((10..=13).contains(&waiting), "{waiting} chats");
}

//! A client with somebody's token: plain HTTP, blocking, and quick to fail.
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use ureq::http::{HeaderMap, Method, Request};

/// No answer takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who asks the desk.
#[derive(Clone)]
pub struct Client {
    http: ureq::Agent,
    base: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
    may_see_server_errors: Arc<AtomicBool>,
}

/// What the desk answered.
#[derive(Debug)]
pub struct Answer {
    /// The method and path that were asked.
    pub asked: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
    /// The body, as text.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub json: Value,
}

/// Connections to one server, without redirects and without errors for refusals.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(PATIENCE))
        // A kept connection may be closed by the server at the very moment of a request.
        .max_idle_connections(0)
        .proxy(None)
        .build()
        .new_agent()
}

impl Client {
    /// Somebody with a token, or without.
    pub fn new(http: &ureq::Agent, base: &str, token: Option<&str>, may_see_server_errors: &Arc<AtomicBool>) -> Self {
        Self {
            http: http.clone(),
            base: base.to_owned(),
            token: token.map(str::to_owned),
            headers: Vec::new(),
            may_see_server_errors: may_see_server_errors.clone(),
        }
    }

    /// The same client with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same client, sending one header more.
    pub fn with(&self, name: &str, value: impl ToString) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_string()));
        client
    }

    /// GET.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None)
    }

    /// HEAD.
    #[track_caller]
    pub fn head(&self, path: &str) -> Answer {
        self.send(Method::HEAD, path, None)
    }

    /// DELETE.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None)
    }

    /// POST of JSON.
    #[track_caller]
    pub fn post(&self, path: &str, body: impl Serialize) -> Answer {
        self.send_json(Method::POST, path, body)
    }

    /// PUT of JSON.
    #[track_caller]
    pub fn put(&self, path: &str, body: impl Serialize) -> Answer {
        self.send_json(Method::PUT, path, body)
    }

    /// PATCH of JSON.
    #[track_caller]
    pub fn patch(&self, path: &str, body: impl Serialize) -> Answer {
        self.send_json(Method::PATCH, path, body)
    }

    /// POST of an HTML form.
    #[track_caller]
    pub fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, path, Some(("application/x-www-form-urlencoded", body.into_bytes())))
    }

    #[track_caller]
    fn send_json(&self, method: Method, path: &str, body: impl Serialize) -> Answer {
        let body = serde_json::to_vec(&body).unwrap();
        self.send(method, path, Some(("application/json", body)))
    }

    /// Any method with any body: `(content type, bytes)`. An empty content type sends none.
    #[track_caller]
    pub fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let mut request = Request::builder().method(&method).uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let shown = body.as_ref().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        let result = match body {
            None => self.http.run(request.body(()).unwrap()),
            Some((kind, bytes)) => {
                if !kind.is_empty() {
                    request = request.header("Content-Type", kind);
                }
                self.http.run(request.body(bytes).unwrap())
            }
        };
        let asked = format!("{method} {path}");
        let mut response = result.unwrap_or_else(|error| panic!("{asked}: {error}"));
        let bytes = response.body_mut().read_to_vec().unwrap_or_else(|error| panic!("{asked}: {error}"));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            bytes,
            asked,
        };
        let is_expected = answer.status < 500 || self.may_see_server_errors.load(Ordering::Relaxed);
        assert!(is_expected, "{} {shown} was answered {}: {}", answer.asked, answer.status, answer.text);
        answer
    }
}

impl Answer {
    /// Expects success; gives the JSON.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{} was answered {}: {}", self.asked, self.status, self.text);
        self.json.clone()
    }

    /// Expects this status.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{} was answered {}: {}", self.asked, self.status, self.text);
        self
    }

    /// Expects a problem (RFC 9457) with this status and code; gives it.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        self.is(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}: {}", self.asked, self.text);
        assert_eq!(self.json["status"], status, "{}: {}", self.asked, self.text);
        assert_eq!(self.json["code"], code, "{}: {}", self.asked, self.text);
        self.json.clone()
    }

    /// Expects 422 with this field among the refused ones; gives the field's code.
    #[track_caller]
    pub fn refuses_field(&self, field: &str) -> String {
        let problem = self.refused(422, "invalid_input");
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let named = errors.iter().find(|error| error["field"] == field);
        let error = named.unwrap_or_else(|| panic!("{}: {field} is not among {}", self.asked, self.text));
        error["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The ETag, to send as `If-Match`.
    #[track_caller]
    pub fn etag(&self) -> String {
        self.header("etag").unwrap_or_else(|| panic!("{} was answered without an ETag", self.asked)).to_owned()
    }

    /// The `id` of the JSON.
    #[track_caller]
    pub fn id(&self) -> String {
        self.ok()["id"].as_str().unwrap_or_else(|| panic!("{} was answered without an id: {}", self.asked, self.text)).to_owned()
    }
}

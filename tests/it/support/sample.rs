//! Smallest values that a JSON schema allows, for tests that walk the API's own description.
use serde_json::{Value, json};

/// A key for maps: those of ours are by date or by any text.
const KEY: &str = "2026-12-25";

/// The description of an API.
pub struct Description(pub Value);

/// Where an object stands in a body: the keys on the way; `[]` is an item of a list, `{}` a value of a map.
pub type Way = Vec<String>;

impl Description {
    /// Every operation: method in lower case, path, and what is said of it.
    pub fn operations(&self) -> Vec<(String, String, &Value)> {
        let mut all = Vec::new();
        for (path, item) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap().iter().filter(|(_, said)| said.get("responses").is_some()) {
                all.push((method.clone(), path.clone(), operation));
            }
        }
        all
    }

    /// The schema of an operation's JSON body.
    pub fn body<'a>(&'a self, operation: &'a Value) -> Option<&'a Value> {
        operation.pointer("/requestBody/content/application~1json/schema")
    }

    /// A smallest body, or none where it takes none.
    pub fn sample_body(&self, method: &str, path: &str) -> Option<Value> {
        let operation = &self.0["paths"][path][method];
        self.body(operation).map(|schema| self.sample(schema))
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self.resolved(self.0.pointer(name.trim_start_matches('#')).expect("a schema that is there")),
            None => schema,
        }
    }

    /// The alternatives of a schema that are not null; itself where it has none.
    fn alternatives<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolved(schema);
        let listed = ["oneOf", "anyOf", "allOf"].iter().find_map(|word| schema[*word].as_array());
        match listed {
            Some(list) => list.iter().filter(|one| one["type"] != "null").flat_map(|one| self.alternatives(one)).collect(),
            None => vec![schema],
        }
    }

    /// A smallest value of a schema.
    pub fn sample(&self, schema: &Value) -> Value {
        let Some(schema) = self.alternatives(schema).into_iter().next() else { return Value::Null };
        if let Some(known) = schema.get("const").or_else(|| schema["enum"].get(0)).or_else(|| schema["examples"].get(0)) {
            return known.clone();
        }
        match kind(schema) {
            "object" => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                Value::Object(required.map(|name| (name.to_owned(), self.sample(&schema["properties"][name]))).collect())
            }
            "array" => Value::Array(vec![self.sample(&schema["items"]); schema["minItems"].as_u64().unwrap_or(0) as usize]),
            "integer" => json!(schema["minimum"].as_i64().unwrap_or(1)),
            "number" => json!(schema["minimum"].as_f64().unwrap_or(1.0)),
            "boolean" => json!(true),
            "string" => match schema["format"].as_str() {
                Some("uuid") => json!(deskbell::ids::TicketId::new().to_string()),
                Some("date-time") => json!("2026-06-10T14:00:00Z"),
                Some("date") => json!("2026-12-25"),
                _ => json!("x".repeat(schema["minLength"].as_u64().unwrap_or(1).max(1) as usize)),
            },
            _ => Value::Null,
        }
    }

    /// Every object of a schema that has fields of its own: the way to it, whether it takes no others, and a smallest one.
    pub fn objects(&self, schema: &Value) -> Vec<(Way, bool, Value)> {
        let mut found = Vec::new();
        self.walk(schema, &mut Vec::new(), &mut found);
        found
    }

    fn walk(&self, schema: &Value, way: &mut Way, found: &mut Vec<(Way, bool, Value)>) {
        if way.len() > 8 {
            return;
        }
        for schema in self.alternatives(schema) {
            let mut step = |key: &str, inner: &Value| {
                way.push(key.to_owned());
                self.walk(inner, way, found);
                way.pop();
            };
            schema["items"].is_object().then(|| step("[]", &schema["items"]));
            if schema["additionalProperties"].is_object() {
                step("{}", &schema["additionalProperties"]);
            } else if kind(schema) == "object" {
                let fields = schema["properties"].as_object().into_iter().flatten();
                fields.for_each(|(name, inner)| step(name, inner));
                found.push((way.clone(), schema["additionalProperties"] == false, self.sample(schema)));
            }
        }
    }
}

/// The type of a schema that is not null.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default(),
        other => other.as_str().unwrap_or_default(),
    }
}

/// A body that has `inner` at the end of a way, and nothing else.
pub fn at(way: &[String], inner: Value) -> Value {
    way.iter().rev().fold(inner, |inner, key| match key.as_str() {
        "[]" => json!([inner]),
        "{}" => json!({ KEY: inner }),
        name => json!({ name: inner }),
    })
}

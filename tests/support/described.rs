//! `docs/openapi.json`, held against what the gateway really answers.
//!
//! Stricter than JSON Schema: a member that the document does not name is broken as well, unless it says that others may
//! stand there. **Invariant:** a keyword that is not understood here fails the test.

use std::collections::BTreeSet;

use reqwest::{Method, Response};
use serde_json::{Map, Value};

/// The document.
pub struct Described(Value);

/// Names of members that a schema speaks of, or why a value does not fit.
type Fits = Result<BTreeSet<String>, Vec<String>>;

// === impl Described ===

impl Described {
    /// The one of the repository, which is the one that is served.
    pub fn read() -> Self {
        Self(serde_json::from_str(include_str!("../../docs/openapi.json")).expect("docs/openapi.json is JSON"))
    }

    /// The whole of it.
    pub fn document(&self) -> &Value {
        &self.0
    }

    /// What is wrong with this answer to a request for a path as the document writes it.
    pub fn answer(&self, method: &Method, path: &str, status: u16, body: &Value) -> Vec<String> {
        let answer = &self.operation(method, path)["responses"][status.to_string()];
        let schema = &self.followed(answer)["content"]["application/json"]["schema"];
        if schema.is_null() {
            return vec![format!("{method} {path}: the document knows no JSON with status {status}")];
        }
        self.whole(schema, body, &format!("{method} {path}: ")).err().unwrap_or_default()
    }

    /// The same of an event of a stream; `*` stands for every name.
    pub fn event(&self, method: &Method, path: &str, name: &str, data: &Value) -> Vec<String> {
        let events = &self.operation(method, path)["responses"]["200"]["content"]["text/event-stream"]["x-events"];
        let Some(schema) = events.get(name).or_else(|| events.get("*")) else {
            return vec![format!("{method} {path}: the document knows no event {name:?}")];
        };
        self.whole(schema, data, &format!("{method} {path} {name}: ")).err().unwrap_or_default()
    }

    /// Reads the answer, which must be as the document says, and gives its body.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn told(&self, method: &Method, path: &str, status: u16, text: &str) -> Value {
        let body: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{method} {path}: {error}: {text}"));
        let broken = self.answer(method, path, status, &body);
        assert!(broken.is_empty(), "docs/openapi.json and the answer differ:\n  {}\n{body:#}", broken.join("\n  "));
        body
    }

    fn operation(&self, method: &Method, path: &str) -> &Value {
        let operation = &self.0["paths"][path][method.as_str().to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not in docs/openapi.json");
        operation
    }

    fn followed<'v>(&'v self, value: &'v Value) -> &'v Value {
        match value["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere"),
            None => value,
        }
    }

    /// A value that nothing else speaks of: all its members must be known.
    fn whole(&self, schema: &Value, value: &Value, at: &str) -> Fits {
        let known = self.fits(schema, value, at)?;
        let members = value.as_object().into_iter().flat_map(Map::keys);
        let strange: Vec<_> = members.filter(|name| !known.contains(*name)).collect();
        if strange.is_empty() { Ok(known) } else { Err(vec![format!("{at} nobody tells of {strange:?}")]) }
    }

    fn fits(&self, schema: &Value, value: &Value, at: &str) -> Fits {
        let (mut known, mut broken) = (BTreeSet::new(), Vec::new());
        let mut note = |fits: Fits| match fits {
            Ok(names) => known.extend(names),
            Err(reasons) => broken.extend(reasons),
        };
        let bad = |why: String| Err(vec![format!("{at} {why}: {value}")]);
        for (keyword, said) in schema.as_object().expect("a schema is an object") {
            match keyword.as_str() {
                "description" | "format" => {}
                "$ref" => note(self.fits(self.followed(schema), value, at)),
                "type" if !is(said, value) => note(bad(format!("is not of type {said}"))),
                "const" if said != value => note(bad(format!("is not {said}"))),
                "enum" if !list(said).contains(value) => note(bad(format!("is none of {said}"))),
                "minimum" if value.as_f64() < said.as_f64() => note(bad(format!("is below {said}"))),
                "type" | "const" | "enum" | "minimum" => {}
                "required" => {
                    for name in list(said).iter().filter_map(Value::as_str).filter(|name| value.get(name).is_none()) {
                        note(bad(format!("has no {name}")));
                    }
                }
                "allOf" => list(said).iter().for_each(|part| note(self.fits(part, value, at))),
                "anyOf" => note(self.any(list(said), value, at)),
                "properties" | "additionalProperties" => note(self.members(schema, keyword, value, at)),
                "propertyNames" => {
                    for name in value.as_object().into_iter().flat_map(Map::keys) {
                        note(self.fits(said, &Value::from(name.as_str()), at).map(|_| BTreeSet::new()));
                    }
                }
                "prefixItems" | "items" => note(self.items(schema, keyword, value, at)),
                other => panic!("tests/support/described.rs does not understand {other}"),
            }
        }
        if broken.is_empty() { Ok(known) } else { Err(broken) }
    }

    fn any(&self, choices: &[Value], value: &Value, at: &str) -> Fits {
        let tried: Vec<_> = choices.iter().map(|choice| self.fits(choice, value, at)).collect();
        if tried.iter().any(Result::is_ok) {
            return Ok(tried.into_iter().flatten().flatten().collect());
        }
        Err(tried.into_iter().filter_map(Result::err).flatten().collect())
    }

    fn members(&self, schema: &Value, keyword: &str, value: &Value, at: &str) -> Fits {
        let own = &schema["properties"];
        let (mut known, mut broken) = (BTreeSet::new(), Vec::new());
        for (name, member) in value.as_object().into_iter().flatten() {
            let within = match (keyword, own.get(name), &schema["additionalProperties"]) {
                ("properties", Some(own), _) => own,
                ("additionalProperties", None, Value::Bool(true)) => {
                    known.insert(name.clone());
                    continue;
                }
                ("additionalProperties", None, others @ Value::Object(_)) => others,
                _ => continue,
            };
            known.insert(name.clone());
            broken.extend(self.whole(within, member, &format!("{at}.{name}")).err().into_iter().flatten());
        }
        if broken.is_empty() { Ok(known) } else { Err(broken) }
    }

    fn items(&self, schema: &Value, keyword: &str, value: &Value, at: &str) -> Fits {
        let first = schema.get("prefixItems").map(list).unwrap_or_default();
        let mut broken = Vec::new();
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            let at = format!("{at}[{index}]");
            let within = match (keyword, first.get(index)) {
                ("prefixItems", Some(own)) => self.whole(own, item, &at),
                ("items", None) if schema["items"] == false => Err(vec![format!("{at} is one too many")]),
                ("items", None) => self.whole(&schema["items"], item, &at),
                _ => continue,
            };
            broken.extend(within.err().into_iter().flatten());
        }
        if broken.is_empty() { Ok(BTreeSet::new()) } else { Err(broken) }
    }
}

/// Status and body of an answer.
pub async fn read(response: Response) -> (u16, String) {
    (response.status().as_u16(), response.text().await.expect("a body"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap_or_default() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Described;

    #[test]
    fn what_does_not_fit_is_found() {
        let described = Described(json!({"components": {"schemas": {
            "A": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}, "required": ["a"]},
        }}}));
        let a = json!({"$ref": "#/components/schemas/A"});
        let beside = json!({"allOf": [a, {"type": "object", "properties": {"b": {"anyOf": [a, {"type": "null"}]}}}]});
        let open = json!({"type": "object", "properties": {}, "additionalProperties": true});
        for (schema, value, fits) in [
            (&a, json!({"a": 1}), true),
            (&a, json!({"a": -1}), false),
            (&a, json!({"a": "1"}), false),
            (&a, json!({}), false),
            (&a, json!({"a": 1, "b": 2}), false),
            (&beside, json!({"a": 1, "b": null}), true),
            (&beside, json!({"a": 1, "b": {"a": 2}}), true),
            (&beside, json!({"a": 1, "b": {"c": 2}}), false),
            (&beside, json!({"a": 1, "c": 2}), false),
            (&open, json!({"c": 2}), true),
        ] {
            assert_eq!(described.whole(schema, &value, "").is_ok(), fits, "{schema} {value}");
        }
    }
}

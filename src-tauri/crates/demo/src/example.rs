//! A value for a JSON schema: the smallest one that fits, the same one each time.

use serde_json::{Map, Value, json};

/// A value that fits the schema. `hint` becomes the text of titles and the like.
pub(crate) fn example(schema: &Value, hint: &str) -> Value {
    Maker { root: schema, hint }.make(schema, "", 0)
}

struct Maker<'a> {
    root: &'a Value,
    hint: &'a str,
}

/// A schema that refers to itself stops here.
const DEPTH: usize = 12;

// === impl Maker ===

impl Maker<'_> {
    fn make(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let Some(object) = schema.as_object().filter(|_| depth < DEPTH) else { return Value::Null };
        for key in ["const", "default"] {
            if let Some(value) = object.get(key) {
                return value.clone();
            }
        }
        for key in ["enum", "examples"] {
            if let Some(first) = object.get(key).and_then(Value::as_array).and_then(|values| values.first()) {
                return first.clone();
            }
        }
        if let Some(target) = object.get("$ref").and_then(Value::as_str) {
            let found = target.strip_prefix('#').and_then(|path| self.root.pointer(path));
            return found.map_or(Value::Null, |schema| self.make(schema, name, depth + 1));
        }
        for key in ["anyOf", "oneOf"] {
            let branches = object.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            if let Some(branch) = branches.iter().find(|branch| branch["type"] != "null").or_else(|| branches.first()) {
                return self.make(branch, name, depth + 1);
            }
        }
        if let Some(parts) = object.get("allOf").and_then(Value::as_array) {
            return self.make(&merged(object, parts), name, depth + 1);
        }
        match kind(object) {
            "object" => self.object(object, depth),
            "array" => self.array(object, name, depth),
            "integer" => json!(bound(object).ceil() as i64),
            "number" => json!(bound(object)),
            "boolean" => json!(true),
            "null" => Value::Null,
            _ => Value::String(self.string(object, name)),
        }
    }

    /// The required properties; all of them where nothing says which are.
    fn object(&self, schema: &Map<String, Value>, depth: usize) -> Value {
        let required: Option<Vec<&str>> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect());
        let mut made = Map::new();
        for (name, child) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if required.as_ref().is_none_or(|names| names.contains(&name.as_str())) {
                made.insert(name.clone(), self.make(child, name, depth + 1));
            }
        }
        Value::Object(made)
    }

    fn array(&self, schema: &Map<String, Value>, name: &str, depth: usize) -> Value {
        if let Some(prefix) = schema.get("prefixItems").and_then(Value::as_array) {
            return prefix.iter().map(|item| self.make(item, name, depth + 1)).collect();
        }
        let wanted = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(0, 64);
        let Some(items) = schema.get("items").filter(|items| items.is_object()) else { return json!([]) };
        (0..wanted).map(|_| self.make(items, name, depth + 1)).collect()
    }

    fn string(&self, schema: &Map<String, Value>, name: &str) -> String {
        let text = match schema.get("format").and_then(Value::as_str) {
            Some("date") => "2026-11-20".to_owned(),
            Some("date-time") => "2026-11-20T12:00:00Z".to_owned(),
            Some("time") => "12:00:00Z".to_owned(),
            Some("email") => "demo@example.com".to_owned(),
            Some("uri" | "url") => "https://example.com/".to_owned(),
            Some("uuid") => "00000000-0000-4000-8000-000000000000".to_owned(),
            Some("ipv4") => "127.0.0.1".to_owned(),
            _ if name == "title" => self.title(),
            _ if name.is_empty() => "demo".to_owned(),
            _ => format!("demo {name}"),
        };
        let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0) as usize;
        let most = schema.get("maxLength").and_then(Value::as_u64).map_or(usize::MAX, |most| most as usize);
        let padding = least.saturating_sub(text.chars().count());
        text.chars().chain(std::iter::repeat_n('.', padding)).take(most).collect()
    }

    /// The first words of what the conversation is about.
    fn title(&self) -> String {
        let words: Vec<&str> =
            self.hint.split_whitespace().filter(|word| !word.starts_with(['<', '['])).take(6).collect();
        if words.is_empty() { "Demo conversation".to_owned() } else { words.join(" ") }
    }
}

fn kind(schema: &Map<String, Value>) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.contains_key("properties") => "object",
        _ if schema.contains_key("items") => "array",
        _ => "string",
    }
}

fn bound(schema: &Map<String, Value>) -> f64 {
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    let low = number("minimum").or_else(|| number("exclusiveMinimum").map(|low| low + 1.0));
    low.unwrap_or(1.0).min(number("maximum").unwrap_or(f64::MAX))
}

fn merged(schema: &Map<String, Value>, parts: &[Value]) -> Value {
    let mut all = schema.clone();
    all.remove("allOf");
    for (key, value) in parts.iter().filter_map(Value::as_object).flatten() {
        match (all.get_mut(key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more.iter().cloned()),
            _ => drop(all.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::example;

    #[test]
    fn every_kind_of_schema_gets_a_value_that_fits() {
        let schema = json!({
            "type": "object",
            "required": ["title", "size", "when", "tags", "who", "either", "pair", "flag", "maybe", "kind"],
            "properties": {
                "title": {"type": "string"},
                "size": {"type": "integer", "minimum": 3},
                "when": {"type": "string", "format": "date"},
                "tags": {"type": "array", "items": {"enum": ["red", "blue"]}, "minItems": 2},
                "who": {"$ref": "#/$defs/person"},
                "either": {"anyOf": [{"type": "null"}, {"type": "number"}]},
                "pair": {"type": "array", "prefixItems": [{"const": 1}, {"type": "boolean"}]},
                "flag": {"type": "boolean"},
                "maybe": {"type": ["null", "string"], "maxLength": 4},
                "kind": {"allOf": [{"type": "object", "properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]},
                "left_out": {"type": "string"},
            },
            "$defs": {"person": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "boss": {"$ref": "#/$defs/person"},
            }}},
        });
        assert_eq!(
            example(&schema, "please sort out all of these files"),
            json!({
                "title": "please sort out all of these", "size": 3, "when": "2026-11-20", "tags": ["red", "red"],
                "who": {"name": "demo name"}, "either": 1.0, "pair": [1, true], "flag": true, "maybe": "demo",
                "kind": {"a": 1, "b": 2},
            })
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}});
        assert!(example(&schema, "").to_string().len() < 200);
    }
}

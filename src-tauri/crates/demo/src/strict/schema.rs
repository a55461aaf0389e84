//! JSON schemas: what the Responses API refuses in a tool's parameters and in a strict answer format.
//!
//! Seen in the wild: "object schema missing properties" (github.com/inboxapi/cli#106, tailcallhq/forgecode#1359) and
//! "array schema missing items" (ogx-ai/ogx#3602) reach MCP tools whose schemas every other host accepts.

use serde_json::Value;

use crate::refusal::Refusal;

/// Parameters of a function tool, strict or not.
pub(super) fn parameters(schema: &Value, tool: &str, path: &str) -> Result<(), Refusal> {
    let refuse = |message: String| {
        let path = format!("{path}.parameters");
        Err(Refusal::invalid(
            &path,
            "invalid_function_parameters",
            format!("Invalid schema for function '{tool}': {message}"),
        ))
    };
    let kind = &schema["type"];
    if kind != "object" {
        let got = kind.as_str().unwrap_or("None");
        return refuse(format!("schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{got}\"'."));
    }
    if ["oneOf", "anyOf", "allOf", "enum", "not"].iter().any(|key| schema.get(key).is_some()) {
        return refuse(
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level."
                .to_owned(),
        );
    }
    if schema.get("properties").is_none() {
        return refuse("In context=(), object schema missing properties.".to_owned());
    }
    match missing_items(schema, &mut Vec::new()) {
        Some(context) => refuse(format!("In context=({context}), array schema missing items.")),
        None => Ok(()),
    }
}

/// Where an array says nothing of its items, as the API writes a place.
fn missing_items(schema: &Value, at: &mut Vec<String>) -> Option<String> {
    let object = schema.as_object()?;
    if object.get("type").is_some_and(|kind| kind == "array")
        && object.get("items").is_none()
        && object.get("prefixItems").is_none()
    {
        let places: Vec<String> = at.iter().map(|place| format!("'{place}'")).collect();
        return Some(places.join(", "));
    }
    let named = ["properties", "$defs", "definitions"].into_iter().flat_map(|group| {
        let children = object.get(group).and_then(Value::as_object);
        children.into_iter().flatten().map(move |(name, child)| (vec![group.to_owned(), name.clone()], child))
    });
    let lists = ["anyOf", "oneOf", "allOf"].into_iter().flat_map(|group| {
        let children = object.get(group).and_then(Value::as_array);
        children
            .into_iter()
            .flatten()
            .enumerate()
            .map(move |(index, child)| (vec![group.to_owned(), index.to_string()], child))
    });
    let items = object.get("items").map(|child| (vec!["items".to_owned()], child));
    for (place, child) in named.chain(lists).chain(items) {
        let depth = at.len();
        at.extend(place);
        if let Some(found) = missing_items(child, at) {
            return Some(found);
        }
        at.truncate(depth);
    }
    None
}

/// An answer format with `strict: true`: every object closed, every property required.
pub(super) fn strict(schema: &Value, name: &str) -> Result<(), Refusal> {
    match loose(schema, &mut Vec::new()) {
        None => Ok(()),
        Some(message) => Err(Refusal::invalid(
            "text.format.schema",
            "invalid_json_schema",
            format!("Invalid schema for response_format '{name}': {message}"),
        )),
    }
}

fn loose(schema: &Value, at: &mut Vec<String>) -> Option<String> {
    let object = schema.as_object()?;
    let context = |at: &[String]| at.iter().map(|place| format!("'{place}'")).collect::<Vec<_>>().join(", ");
    let properties = object.get("properties").and_then(Value::as_object);
    if object.get("type").is_some_and(|kind| kind == "object") || properties.is_some() {
        if object.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Some(format!(
                "In context=({}), 'additionalProperties' is required to be supplied and to be false.",
                context(at)
            ));
        }
        let required: Vec<&str> =
            object.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(missing) =
            properties.into_iter().flat_map(|map| map.keys()).find(|key| !required.contains(&key.as_str()))
        {
            return Some(format!(
                "In context=({}), 'required' is required to be supplied and to be an array including every key in \
                 properties. Missing '{missing}'.",
                context(at)
            ));
        }
    }
    for (key, child) in object {
        let depth = at.len();
        at.push(key.clone());
        let found = match child {
            Value::Object(children) if matches!(key.as_str(), "properties" | "$defs" | "definitions") => {
                children.iter().find_map(|(name, child)| {
                    at.push(name.clone());
                    let found = loose(child, at);
                    at.pop();
                    found
                })
            }
            Value::Object(_) if key == "items" => loose(child, at),
            Value::Array(children) if key == "anyOf" => children.iter().find_map(|child| loose(child, at)),
            _ => None,
        };
        at.truncate(depth);
        if found.is_some() {
            return found;
        }
    }
    None
}

//! Schemas in Google's words, which are a part of OpenAPI 3.0, as JSON schemas.
//!
//! Types are upper case there, `nullable` stands for the type `null`, bounds may be strings of digits, and member names may be
//! written in snake case. The Gemini CLI writes such types into what it calls a JSON schema too, so all schemas are read alike.

use codeferry_wire::json::{Kind, Raw};

use super::Members;

/// A schema as a JSON schema. `None`: it is one already.
pub fn to_json_schema(schema: Raw<'_>) -> Option<String> {
    let (mut out, mut changed) = (Vec::new(), false);
    write(&mut out, schema, &mut changed);
    String::from_utf8(out).ok().filter(|_| changed)
}

/// Whether a schema says that the value is an object.
pub fn is_object(schema: Raw<'_>) -> bool {
    schema.get("type").and_then(Raw::literal).is_none_or(|kind| kind.eq_ignore_ascii_case("object"))
}

/// What a member's value is.
enum Holds {
    Schema,
    Schemas,
    Named,
    Bound,
}

fn holds(name: &str) -> Option<Holds> {
    Some(match name {
        "items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains" => Holds::Schema,
        "anyOf" | "any_of" | "oneOf" | "allOf" | "prefixItems" => Holds::Schemas,
        "properties" | "$defs" | "defs" | "definitions" | "patternProperties" => Holds::Named,
        "minItems" | "min_items" | "maxItems" | "max_items" | "minLength" | "min_length" | "maxLength"
        | "max_length" | "minProperties" | "min_properties" | "maxProperties" | "max_properties" => Holds::Bound,
        _ => return None,
    })
}

fn write(out: &mut Vec<u8>, schema: Raw<'_>, changed: &mut bool) {
    if schema.kind() != Kind::Object {
        return out.extend_from_slice(schema.as_slice_str().as_bytes());
    }
    let nullable = schema.get("nullable").and_then(Raw::bool).unwrap_or(false);
    let mut members = Members::begin(out);
    // The schema was checked when the request was read: reading it again cannot fail.
    let _ = schema.reader().object(|key, reader| {
        let value = reader.value()?;
        match (key, holds(key), value.kind()) {
            // Of no use to anybody else.
            ("nullable" | "propertyOrdering" | "property_ordering", ..) => *changed = true,
            ("type", _, Kind::String) => match lower(value.literal().unwrap_or_default()) {
                Some("") => *changed = true,
                Some(kind) => {
                    *changed = true;
                    members.add(key, |out| write_type(out, kind, nullable));
                }
                None => {
                    *changed |= nullable;
                    members.add(key, |out| write_type(out, value.literal().unwrap_or_default(), nullable));
                }
            },
            (_, Some(Holds::Schema), _) => members.add(&camel(key, changed), |out| write(out, value, changed)),
            (_, Some(Holds::Schemas), Kind::Array) => members.add(&camel(key, changed), |out| {
                out.push(b'[');
                let mut first = true;
                let _ = value.reader().array(|reader| {
                    if !std::mem::replace(&mut first, false) {
                        out.push(b',');
                    }
                    write(out, reader.value()?, changed);
                    Ok(())
                });
                out.push(b']');
            }),
            (_, Some(Holds::Named), Kind::Object) => {
                let name = if key == "defs" { "$defs" } else { key };
                members.add(name, |out| {
                    let mut named = Members::begin(out);
                    let _ = value.reader().object(|name, reader| {
                        let value = reader.value()?;
                        named.add(name, |out| write(out, value, changed));
                        Ok(())
                    });
                    named.end();
                });
            }
            (_, Some(Holds::Bound), Kind::String) => {
                *changed = true;
                if let Some(bound) = value.literal().and_then(|digits| digits.parse::<u64>().ok()) {
                    members.add(&camel(key, changed), |out| out.extend_from_slice(bound.to_string().as_bytes()));
                }
            }
            (_, Some(Holds::Bound), _) => {
                members.add(&camel(key, changed), |out| out.extend_from_slice(value.as_slice_str().as_bytes()));
            }
            _ => members.add(key, |out| out.extend_from_slice(value.as_slice_str().as_bytes())),
        }
        Ok(())
    });
    members.end();
}

/// One of Google's types as JSON schema has it; empty: none at all.
fn lower(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "STRING" => "string",
        "NUMBER" => "number",
        "INTEGER" => "integer",
        "BOOLEAN" => "boolean",
        "ARRAY" => "array",
        "OBJECT" => "object",
        "NULL" => "null",
        "TYPE_UNSPECIFIED" => "",
        _ => return None,
    })
}

/// `kind` is a word without anything to escape, or what stood between quotes.
fn write_type(out: &mut Vec<u8>, kind: &str, nullable: bool) {
    let text = if nullable && kind != "null" { format!("[\"{kind}\",\"null\"]") } else { format!("\"{kind}\"") };
    out.extend_from_slice(text.as_bytes());
}

fn camel(key: &str, changed: &mut bool) -> String {
    let Some((first, second)) = key.split_once('_') else { return key.to_owned() };
    *changed = true;
    let mut letters = second.chars();
    let initial = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.chars().chain(initial).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use codeferry_wire::json::Reader;

    use super::to_json_schema;

    #[test]
    fn only_googles_words_are_changed() {
        for (schema, translated) in [
            (r#"{"type":"object","properties":{"type":{"type":"string"},"nullable":{"enum":["STRING"]}}}"#, None),
            (
                r#"{"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true},"l":{"type":"ARRAY","items":{"type":"INTEGER"},"minItems":"1","max_items":3}},"propertyOrdering":["l"]}"#,
                Some(
                    r#"{"type":"object","properties":{"type":{"type":["string","null"]},"l":{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}}}"#,
                ),
            ),
            (
                r#"{"any_of":[{"type":"NUMBER"},{"type":"TYPE_UNSPECIFIED"}],"default":"STRING","additionalProperties":false}"#,
                Some(r#"{"anyOf":[{"type":"number"},{}],"default":"STRING","additionalProperties":false}"#),
            ),
            (r#"{"type":["string","null"]}"#, None),
            (r#"{"type":"string","nullable":true}"#, Some(r#"{"type":["string","null"]}"#)),
        ] {
            let raw = Reader::of(schema).value().expect("JSON");
            assert_eq!(to_json_schema(raw).as_deref(), translated, "{schema}");
        }
    }
}

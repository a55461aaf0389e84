//! JSON schemas as the upstream takes them: whole, but for the few things it refuses.

use codeferry_wire::json::{self, Kind, Raw, write_str};

/// Writes a tool's input schema.
///
/// Everything stays as the client wrote it (`$ref`, `anyOf`, defaults), except at the top: `$schema` is refused there
/// (`codex-backend.md §2`), a null `required` too (`complaints.md`, theme 5), and an object schema must say that it is one
/// and have `properties`.
pub fn write_parameters(out: &mut Vec<u8>, schema: Option<Raw<'_>>) {
    let schema = schema.filter(|schema| schema.kind() == Kind::Object).unwrap_or(Raw::EMPTY_OBJECT);
    if fits(schema) {
        out.extend_from_slice(schema.as_slice_str().as_bytes());
        return;
    }
    let mut missing = [("type", "\"object\""), ("properties", "{}")].map(Some);
    let mut first = true;
    let mut member = |out: &mut Vec<u8>, key: &str, value: &str| {
        out.push(if std::mem::replace(&mut first, false) { b'{' } else { b',' });
        write_str(out, key);
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    };
    // The schema was checked when the request was read: reading it again cannot fail.
    let _ = schema.reader().object(|key, reader| {
        let value = reader.value()?;
        let refused = key == "$schema" || (matches!(key, "required" | "type" | "properties") && value.is_null());
        if !refused {
            missing.iter_mut().for_each(|entry| *entry = entry.filter(|(name, _)| *name != key));
            member(out, key, value.as_slice_str());
        }
        Ok(())
    });
    for (key, value) in missing.into_iter().flatten() {
        member(out, key, value);
    }
    out.push(b'}');
}

fn fits(schema: Raw<'_>) -> bool {
    let (mut refused, mut typed, mut properties) = (false, false, false);
    let _ = schema.reader().object(|key, reader| {
        match key {
            "$schema" => refused = true,
            "required" => refused |= reader.value()?.is_null(),
            "type" => typed = !reader.value()?.is_null(),
            "properties" => properties = !reader.value()?.is_null(),
            _ => {}
        }
        Ok(())
    });
    !refused && typed && properties
}

/// Whether the upstream would take the schema as a strict one: every object closed, and all its members required.
pub fn is_strict(schema: Raw<'_>) -> bool {
    strict(schema).unwrap_or(false)
}

fn strict(schema: Raw<'_>) -> Result<bool, json::Error> {
    let mut object = false;
    let mut closed = false;
    let mut properties = Vec::new();
    let mut required = Vec::new();
    let mut inner = true;
    if schema.kind() != Kind::Object {
        return Ok(schema.kind() == Kind::Bool);
    }
    schema.reader().object(|key, reader| {
        let value = reader.value()?;
        match key {
            "type" => object = value.string().as_deref() == Some("object") || value.kind() == Kind::Array,
            "additionalProperties" => closed = value.bool() == Some(false),
            "required" if value.kind() == Kind::Array => value.reader().array(|reader| {
                required.push(reader.value()?.string().unwrap_or_default());
                Ok(())
            })?,
            "properties" if value.kind() == Kind::Object => value.reader().object(|name, reader| {
                properties.push(name.to_owned());
                inner &= strict(reader.value()?)?;
                Ok(())
            })?,
            "items" => inner &= strict(value)?,
            "anyOf" if value.kind() == Kind::Array => value.reader().array(|reader| {
                inner &= strict(reader.value()?)?;
                Ok(())
            })?,
            "$defs" | "definitions" if value.kind() == Kind::Object => value.reader().object(|_, reader| {
                inner &= strict(reader.value()?)?;
                Ok(())
            })?,
            // Keywords strict mode does not know.
            "oneOf" | "allOf" | "not" | "if" | "then" | "else" | "patternProperties" | "dependentRequired"
            | "dependentSchemas" | "default" => inner = false,
            _ => {}
        }
        Ok(())
    })?;
    let all_required = properties.iter().all(|name| required.iter().any(|required| required == name));
    Ok(inner && (!object && properties.is_empty() || closed && all_required))
}

#[cfg(test)]
mod tests {
    use codeferry_wire::json::Reader;

    use super::{Raw, is_strict, write_parameters};

    fn raw(text: &str) -> Raw<'_> {
        Reader::of(text).value().expect("JSON")
    }

    #[test]
    fn only_what_is_refused_is_changed() {
        let table = [
            (r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/x"}}, "required":["a"]}"##, None),
            (r#"{"$schema":"s","type":"object","properties":{}}"#, Some(r#"{"type":"object","properties":{}}"#)),
            (r#"{"type":"object"}"#, Some(r#"{"type":"object","properties":{}}"#)),
            (r#"{"anyOf":[1, 2]}"#, Some(r#"{"anyOf":[1, 2],"type":"object","properties":{}}"#)),
            (
                r#"{"type":null,"required":null,"properties":{"a":{}}}"#,
                Some(r#"{"properties":{"a":{}},"type":"object"}"#),
            ),
            ("{}", Some(r#"{"type":"object","properties":{}}"#)),
        ];
        for (schema, written) in table {
            let mut out = Vec::new();
            write_parameters(&mut out, Some(raw(schema)));
            assert_eq!(String::from_utf8(out).unwrap(), written.unwrap_or(schema));
        }
    }

    #[test]
    fn strictness() {
        let table = [
            (
                r#"{"type":"object","properties":{"t":{"type":"string"}},"required":["t"],"additionalProperties":false}"#,
                true,
            ),
            (r#"{"type":"object","properties":{"t":{"type":"string"}},"required":["t"]}"#, false),
            (
                r#"{"type":"object","properties":{"t":{"type":"string"}},"required":[],"additionalProperties":false}"#,
                false,
            ),
            (r#"{"type":"array","items":{"type":"object","properties":{"a":{}}}}"#, false),
            (r#"{"type":"object","properties":{},"additionalProperties":false}"#, true),
        ];
        for (schema, strict) in table {
            assert_eq!(is_strict(raw(schema)), strict, "{schema}");
        }
    }
}

//! JSON schemas as the upstream takes them: whole, but for the few things it refuses.

use codeferry_wire::json::{self, Kind, Raw, Reader, write_str};

pub mod google;

/// Writes a tool's input schema. Says whether something had to be given up for it.
///
/// Everything stays as the client wrote it (`$ref`, `anyOf`, defaults), except for what is refused
/// (`codex-backend.md §2`; `complaints.md`, theme 5; the public API's errors `array schema missing items` and `schema must
/// have type 'object' and not have 'oneOf'/'anyOf'/'allOf' at the top level`): `$schema` and null members go, the top
/// says that it is an object and has `properties`, an array says what its `items` are, and alternatives at the top are
/// laid side by side.
pub fn write_parameters(out: &mut Vec<u8>, schema: Option<Raw<'_>>) -> bool {
    let schema = schema.filter(|schema| schema.kind() == Kind::Object).unwrap_or(Raw::EMPTY_OBJECT);
    if fits_at_top(schema) && fits(schema) {
        out.extend_from_slice(schema.as_slice_str().as_bytes());
        return false;
    }
    let mut top = Top::default();
    top.take(schema, true);
    let mut members = Members::begin(out);
    members.add("type", |out| out.extend_from_slice(b"\"object\""));
    members.add("properties", |out| {
        let mut properties = Members::begin(out);
        for (name, property) in &top.properties {
            properties.add(name, |out| write_mended(out, *property));
        }
        properties.end();
    });
    if !top.required.is_empty() {
        members.add("required", |out| {
            out.push(b'[');
            for (place, name) in top.required.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_str(out, name);
            }
            out.push(b']');
        });
    }
    for (name, value) in &top.rest {
        members.add(name, |out| write_mended(out, *value));
    }
    members.end();
    top.merged
}

/// The members of a schema's top, with those of its alternatives.
#[derive(Default)]
struct Top<'a> {
    properties: Vec<(String, Raw<'a>)>,
    required: Vec<String>,
    rest: Vec<(String, Raw<'a>)>,
    /// Alternatives were laid side by side.
    merged: bool,
}

impl<'a> Top<'a> {
    /// `must` says whether what is required here is required of everybody: it is not in one of several alternatives.
    fn take(&mut self, schema: Raw<'a>, must: bool) {
        // The schema was checked when the request was read: reading it again cannot fail.
        let _ = schema.reader().object(|key, reader| {
            let value = reader.value()?;
            match (key, value.kind()) {
                ("$schema" | "type", _) | (_, Kind::Null) => {}
                ("properties", Kind::Object) => value.reader().object(|name, reader| {
                    let property = reader.value()?;
                    if self.properties.iter().all(|(known, _)| known != name) {
                        self.properties.push((name.to_owned(), property));
                    }
                    Ok(())
                })?,
                ("required", Kind::Array) => {
                    if must {
                        value.reader().array(|reader| {
                            let name = reader.value()?.string().unwrap_or_default().into_owned();
                            if !self.required.contains(&name) {
                                self.required.push(name);
                            }
                            Ok(())
                        })?;
                    }
                }
                ("anyOf" | "oneOf" | "allOf", Kind::Array) => {
                    self.merged = true;
                    let all = key == "allOf";
                    value.reader().array(|reader| {
                        self.take(reader.value()?, must && all);
                        Ok(())
                    })?;
                }
                ("not" | "enum" | "if" | "then" | "else", _) => self.merged = true,
                _ => {
                    if self.rest.iter().all(|(known, _)| known != key) {
                        self.rest.push((key.to_owned(), value));
                    }
                }
            }
            Ok(())
        });
    }
}

/// Writes the members of an object.
struct Members<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Members<'o> {
    fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    fn add(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        write_str(self.out, name);
        self.out.push(b':');
        value(self.out);
    }

    fn end(self) {
        self.out.push(b'}');
    }
}

/// Whether the top is as it must be.
fn fits_at_top(schema: Raw<'_>) -> bool {
    let (mut refused, mut object, mut properties) = (false, false, false);
    let _ = schema.reader().object(|key, reader| {
        match key {
            "$schema" | "anyOf" | "oneOf" | "allOf" | "not" | "enum" | "if" | "then" | "else" => refused = true,
            "type" => object = reader.value()?.literal() == Some("object"),
            "properties" => properties = reader.value()?.kind() == Kind::Object,
            _ => refused |= reader.value()?.is_null(),
        }
        Ok(())
    });
    !refused && object && properties
}

/// Whether every array within says what its items are.
fn fits(schema: Raw<'_>) -> bool {
    let mut fits = true;
    // Checked when the request was read.
    let _ = fits_within(&mut schema.reader(), &mut fits);
    fits
}

/// One pass, however deep: schemas come with every request.
fn fits_within(reader: &mut Reader<'_>, fits: &mut bool) -> Result<(), json::Error> {
    match reader.peek()? {
        Kind::Object => {
            let (mut array, mut items) = (false, false);
            reader.object(|key, reader| {
                match key {
                    "type" => {
                        let value = reader.value()?;
                        array = is_array_type(value);
                        // A property may be called so.
                        if value.kind() == Kind::Object {
                            fits_within(&mut value.reader(), fits)?;
                        }
                    }
                    _ => {
                        items |= matches!(key, "items" | "prefixItems");
                        fits_within(reader, fits)?;
                    }
                }
                Ok(())
            })?;
            *fits &= !array || items;
            Ok(())
        }
        Kind::Array => reader.array(|reader| fits_within(reader, fits)),
        _ => reader.value().map(|_| ()),
    }
}

/// `"array"`, or a list of types with it.
fn is_array_type(value: Raw<'_>) -> bool {
    let mut found = value.literal() == Some("array");
    if value.kind() == Kind::Array {
        let _ = value.reader().array(|reader| {
            found |= reader.value()?.literal() == Some("array");
            Ok(())
        });
    }
    found
}

/// Writes a value as it stands, but for arrays within that do not say what their items are.
fn write_mended(out: &mut Vec<u8>, value: Raw<'_>) {
    if fits(value) {
        out.extend_from_slice(value.as_slice_str().as_bytes());
        return;
    }
    match value.kind() {
        Kind::Array => {
            out.push(b'[');
            let mut first = true;
            let _ = value.reader().array(|reader| {
                if !std::mem::replace(&mut first, false) {
                    out.push(b',');
                }
                write_mended(out, reader.value()?);
                Ok(())
            });
            out.push(b']');
        }
        _ => {
            let (mut array, mut items) = (false, false);
            let mut members = Members::begin(out);
            let _ = value.reader().object(|key, reader| {
                let value = reader.value()?;
                array |= key == "type" && is_array_type(value);
                items |= matches!(key, "items" | "prefixItems");
                members.add(key, |out| write_mended(out, value));
                Ok(())
            });
            if array && !items {
                members.add("items", |out| out.extend_from_slice(b"{}"));
            }
            members.end();
        }
    }
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
    use super::{Raw, Reader, is_strict, write_parameters};

    fn raw(text: &str) -> Raw<'_> {
        Reader::of(text).value().expect("JSON")
    }

    #[test]
    fn only_what_is_refused_is_changed() {
        let table = [
            (r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/x"}}, "required":["a"]}"##, None),
            (r#"{"$schema":"s","type":"object","properties":{}}"#, Some(r#"{"type":"object","properties":{}}"#)),
            (r#"{"type":"object"}"#, Some(r#"{"type":"object","properties":{}}"#)),
            (
                r#"{"type":null,"required":null,"properties":{"a":{}}}"#,
                Some(r#"{"type":"object","properties":{"a":{}}}"#),
            ),
            (
                r#"{"type":"object","properties":{"l":{"type":"array"}, "m":{"type":["array","null"],"items":{}}},"required":["l"]}"#,
                Some(
                    r#"{"type":"object","properties":{"l":{"type":"array","items":{}},"m":{"type":["array","null"],"items":{}}},"required":["l"]}"#,
                ),
            ),
            (
                r#"{"anyOf":[{"properties":{"a":{},"b":{}},"required":["a"]},{"properties":{"b":{},"c":{}}}],"required":["x"],"$defs":{"d":{}}}"#,
                Some(r#"{"type":"object","properties":{"a":{},"b":{},"c":{}},"required":["x"],"$defs":{"d":{}}}"#),
            ),
            (
                r#"{"allOf":[{"properties":{"a":{}},"required":["a"]}]}"#,
                Some(r#"{"type":"object","properties":{"a":{}},"required":["a"]}"#),
            ),
            ("{}", Some(r#"{"type":"object","properties":{}}"#)),
        ];
        for (schema, written) in table {
            let mut out = Vec::new();
            let lossy = write_parameters(&mut out, Some(raw(schema)));
            assert_eq!(lossy, schema.contains("Of"), "{schema}");
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

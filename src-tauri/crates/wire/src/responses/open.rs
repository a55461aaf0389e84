//! A Responses request of a client, taken apart only as far as somebody has to change it or to know of it.
//!
//! **Invariant:** as for [`json::Open`]: what nobody changes is written byte for byte.

use std::ops::Range;

use crate::json::{self, Kind, Open, Raw, Reader};

/// A request, open for changes.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Its members.
    pub object: Open<'a>,
    /// The items of `input`, if that is a list.
    pub items: Vec<Item<'a>>,
}

/// An item of the input, as far as it is looked at.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    /// The whole item.
    pub raw: Raw<'a>,
    /// Where it stands in the document.
    pub range: Range<usize>,
    /// Its `type`, still escaped. `None`: it has none, or it is no object.
    pub tag: Option<&'a str>,
    /// Its `role`, still escaped.
    pub role: Option<&'a str>,
    /// Its `encrypted_content`.
    pub sealed: Option<Raw<'a>>,
}

// === impl Request ===

impl<'a> Request<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// When it is not one JSON object.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, json::Error> {
        let mut items = Vec::new();
        let object = Open::read(bytes, |name, reader| {
            if name == "input" {
                items.clear();
                if reader.peek()? == Kind::Array {
                    reader.array(|reader| {
                        items.push(Item::read(reader)?);
                        Ok(())
                    })?;
                }
            }
            Ok(())
        })?;
        Ok(Self { object, items })
    }
}

// === impl Item ===

impl<'a> Item<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, json::Error> {
        let [mut tag, mut role, mut sealed] = [Raw::NULL; 3];
        let kind = reader.peek()?;
        let from = reader.position();
        if kind == Kind::Object {
            reader.object(|key, reader| {
                match key {
                    "type" => tag = reader.value()?,
                    "role" => role = reader.value()?,
                    "encrypted_content" => sealed = reader.value()?,
                    _ => {}
                }
                Ok(())
            })?;
        } else {
            reader.value()?;
        }
        let raw = reader.since(from);
        let sealed = Some(sealed).filter(|sealed| sealed.kind() == Kind::String);
        Ok(Self { raw, range: from..reader.position(), tag: tag.literal(), role: role.literal(), sealed })
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn items_are_where_they_stand() {
        let text = r#" {"model":"m", "input" : [ {"role":"user","content":"a"} , 7,
            {"type":"reasoning","encrypted_content":"x","id":"rs"}], "future": {"x":[1]}}"#;
        let request = Request::parse(text.as_bytes()).expect("a request");
        assert_eq!(request.object.write().bytes, text.as_bytes());
        let tags: Vec<_> = request.items.iter().map(|item| (item.tag, item.role, item.sealed.is_some())).collect();
        assert_eq!(tags, [(None, Some("user"), false), (None, None, false), (Some("reasoning"), None, true)]);
        for item in &request.items {
            assert_eq!(&text[item.range.clone()], item.raw.as_slice_str());
        }
        let input = request.object.range("input").expect("a list");
        assert!(text[input.clone()].starts_with("[ {") && text[input].ends_with("}]"));
        assert!(Request::parse(br#"{"model":"m","input":"hello"}"#).expect("a request").items.is_empty());
        assert!(Request::parse(b"[]").is_err());
    }
}

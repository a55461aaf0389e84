//! Arguments that models get wrong in a way that is known, put right tool by tool.
//!
//! GPT models fill in every optional member, and Claude Code's `Read` fails on `pages: ""` again and again
//! (complaints.md 25). A rule for all tools would be wrong: `Write` with `content: ""` means it. So a repair is for one
//! member of one tool, and only while that tool's own schema says that the member may be absent.

use std::borrow::Cow;

use codeferry_wire::json::{self, Raw, Reader};

/// The repairs that are known, as tool and member.
const KNOWN: [(&str, &str); 1] = [("Read", "pages")];

/// Drops one member of one tool's arguments when it is the empty string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The tool, by the client's name.
    pub(super) tool: &'static str,
    member: &'static str,
}

// === impl Repair ===

impl Repair {
    /// The repair for a tool, if one is known and the tool's input schema allows it.
    pub fn for_tool(name: &str, input_schema: Raw<'_>) -> Option<Self> {
        let (tool, member) = KNOWN.into_iter().find(|(tool, _)| *tool == name)?;
        input_schema.get("properties")?.get(member)?;
        let mut required = false;
        if let Some(list) = input_schema.get("required") {
            list.reader()
                .array(|reader| {
                    required |= reader.value()?.string().as_deref() == Some(member);
                    Ok(())
                })
                .ok()?;
        }
        (!required).then_some(Self { tool, member })
    }

    /// The arguments, put right. What needs no repair, or is no object, comes back as it is.
    pub(super) fn apply<'a>(&self, arguments: &'a str) -> Cow<'a, str> {
        self.without(arguments).map_or(Cow::Borrowed(arguments), Cow::Owned)
    }

    fn without(&self, arguments: &str) -> Option<String> {
        let mut kept = vec![b'{'];
        let mut found = false;
        let mut reader = Reader::of(arguments);
        reader
            .object(|key, reader| {
                let value = reader.value()?;
                if key == self.member && value.literal() == Some("") {
                    found = true;
                    return Ok(());
                }
                if kept.len() > 1 {
                    kept.push(b',');
                }
                json::write_str(&mut kept, key);
                kept.push(b':');
                kept.extend_from_slice(value.as_slice_str().as_bytes());
                Ok(())
            })
            .ok()?;
        reader.finish().ok()?;
        kept.push(b'}');
        found.then(|| String::from_utf8(kept).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use codeferry_wire::json::{Raw, Reader};

    use super::Repair;

    fn raw(text: &str) -> Raw<'_> {
        Reader::of(text).value().expect("JSON")
    }

    #[test]
    fn only_a_known_optional_member_is_dropped_and_only_when_empty() {
        let schema = raw(r#"{"properties":{"file_path":{},"pages":{}},"required":["file_path"]}"#);
        let repair = Repair::for_tool("Read", schema).expect("known and optional");
        for (arguments, wanted) in [
            (r#"{"file_path":"a","pages":""}"#, r#"{"file_path":"a"}"#),
            (r#"{"pages":"","limit": 5 ,"file_path":"a\n"}"#, r#"{"limit":5,"file_path":"a\n"}"#),
            (r#"{"file_path":"","pages":"1-5"}"#, r#"{"file_path":"","pages":"1-5"}"#),
            (r#"{"pages":""}"#, "{}"),
            (r#"{"pages":"#, r#"{"pages":"#),
            (r#"{"pages":""} x"#, r#"{"pages":""} x"#),
            ("[]", "[]"),
            ("", ""),
        ] {
            assert_eq!(repair.apply(arguments), wanted);
        }
    }

    #[test]
    fn a_tool_whose_schema_needs_the_member_is_left_alone() {
        assert_eq!(Repair::for_tool("Read", raw(r#"{"properties":{"pages":{}},"required":["pages"]}"#)), None);
        assert_eq!(Repair::for_tool("Read", raw(r#"{"properties":{"file_path":{}}}"#)), None);
        assert_eq!(Repair::for_tool("Write", raw(r#"{"properties":{"pages":{}}}"#)), None);
        assert_eq!(Repair::for_tool("Read", raw("null")), None);
    }
}

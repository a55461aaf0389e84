//! Tools in forms that only the models' own host knows, said as plain functions for everybody else: those in a namespace, as
//! the Codex CLI sends the tools of MCP servers; those that take free text; and those of the Responses-Lite shape, which stand
//! among the items (`codex-backend.md §0.1`, §2). The answer tells their calls as the client knows them.
//!
//! **Invariant:** a tool has the same plain name in the list, in the choice and in the history of every turn.

use std::borrow::Cow;
use std::collections::HashMap;

use codeferry_wire::json::{Kind, Open, Raw, write_str};
use codeferry_wire::responses::open::Item;
use codeferry_wire::responses::request::{Array, Object};

use super::Asked;
use crate::names::tool_name;

/// The way back from plain names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tools(HashMap<String, Tool>);

/// A tool as the client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// The namespace it is in.
    pub namespace: Option<String>,
    /// It takes free text, which stands in `input` here.
    pub free: bool,
}

/// The one argument of a tool that takes free text.
const INPUT: &str = "input";
const FREE_TEXT: &str = "The whole text goes into the argument `input`.";
const SCHEMA: &str =
    r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}"#;

// === impl Tools ===

impl Tools {
    /// The tool of this plain name, if the client knows it by another or in another form.
    pub fn of(&self, name: &str) -> Option<&Tool> {
        self.0.get(name)
    }

    /// The free text in the arguments of a call. What is not as it should be is taken whole.
    pub fn text_of(arguments: &str) -> Cow<'_, str> {
        let object = codeferry_wire::json::Reader::of(arguments).value().ok();
        object.and_then(|object| object.get(INPUT)).and_then(Raw::string).unwrap_or(Cow::Borrowed(arguments))
    }
}

// === impl Asked ===

impl Asked<'_> {
    /// The same request with plain functions alone, and the way back; `None` where it has no other tools.
    pub fn flattened(&self) -> Option<(Vec<u8>, Tools)> {
        let mut object = self.request.object.clone();
        let mut flat = Flat::default();
        let mut tools = Vec::new();
        let mut list = Array::begin(&mut tools);
        let among_items = self.request.items.iter().filter(|item| item.tag == Some("additional_tools"));
        let among_items = among_items.filter_map(|item| item.raw.get("tools"));
        for given in object.get("tools").into_iter().chain(among_items) {
            flat.tools(given, None, &mut list);
        }
        list.end();
        if let Some(choice) = object.get("tool_choice").and_then(chosen) {
            flat.changed = true;
            object.set("tool_choice", choice);
        }
        let mut input = b"[".to_vec();
        let mut changed = false;
        for item in &self.request.items {
            let rewritten = rewritten(item);
            changed |= rewritten.is_some();
            let bytes = match &rewritten {
                Some(None) => continue,
                Some(Some(bytes)) => bytes.as_slice(),
                None => item.raw.as_slice_str().as_bytes(),
            };
            if input.len() > 1 {
                input.push(b',');
            }
            input.extend_from_slice(bytes);
        }
        input.push(b']');
        if !flat.changed && !changed {
            return None;
        }
        if changed {
            object.set("input", input);
        }
        if tools != b"[]" {
            object.set("tools", tools);
        }
        Some((object.write().bytes, flat.known))
    }
}

#[derive(Default)]
struct Flat {
    known: Tools,
    changed: bool,
}

// === impl Flat ===

impl Flat {
    fn tools(&mut self, list: Raw<'_>, namespace: Option<&str>, out: &mut Array<'_>) {
        if list.kind() != Kind::Array {
            return;
        }
        // It was read once already.
        let _ = list.reader().array(|reader| {
            self.tool(reader.value()?, namespace, out);
            Ok(())
        });
    }

    fn tool(&mut self, tool: Raw<'_>, namespace: Option<&str>, out: &mut Array<'_>) {
        let name = tool.get("name").and_then(Raw::string).unwrap_or_default();
        match tool.get("type").and_then(Raw::literal) {
            Some("namespace") => {
                self.changed = true;
                if let Some(inner) = tool.get("tools") {
                    self.tools(inner, Some(&name), out);
                }
            }
            Some("custom") => {
                if let Some(plain) = self.learn(&name, namespace, true) {
                    out.object(|function| free(tool, &plain, function));
                }
            }
            Some("function") if namespace.is_some() => {
                if let (Some(plain), Some(mut open)) = (self.learn(&name, namespace, false), Open::of(tool)) {
                    open.set_str("name", &plain);
                    out.element().extend_from_slice(&open.write().bytes);
                }
            }
            _ => out.element().extend_from_slice(tool.as_slice_str().as_bytes()),
        }
    }

    /// The plain name of a tool; `None` if another has it.
    fn learn(&mut self, name: &str, namespace: Option<&str>, free: bool) -> Option<String> {
        self.changed = true;
        let plain = plain(namespace, name);
        if self.known.0.contains_key(&plain) {
            return None;
        }
        let tool = Tool { name: name.to_owned(), namespace: namespace.map(str::to_owned), free };
        self.known.0.insert(plain.clone(), tool);
        Some(plain)
    }
}

fn plain(namespace: Option<&str>, name: &str) -> String {
    match namespace.filter(|namespace| !namespace.is_empty()) {
        Some(namespace) => tool_name(&format!("{namespace}__{name}")).into_owned(),
        None => tool_name(name).into_owned(),
    }
}

/// A tool that takes free text, as a function. Its grammar, if it has one, is told in words.
fn free(tool: Raw<'_>, plain: &str, function: &mut Object<'_>) {
    let text = |value: Option<Raw<'_>>| value.and_then(Raw::string).map(Cow::into_owned);
    let mut description = text(tool.get("description")).unwrap_or_default();
    if let Some(grammar) = text(tool.get("format").and_then(|format| format.get("definition"))) {
        description.push_str("\n\nThe text must match this grammar:\n");
        description.push_str(&grammar);
    }
    if !description.is_empty() {
        description.push_str("\n\n");
    }
    description.push_str(FREE_TEXT);
    function.string("type", "function").string("name", plain).string("description", &description);
    function.bool("strict", false).key("parameters").extend_from_slice(SCHEMA.as_bytes());
}

/// The choice of a tool that has a plain name now.
fn chosen(choice: Raw<'_>) -> Option<Vec<u8>> {
    let name = choice.get("name").and_then(Raw::string)?;
    let namespace = choice.get("namespace").and_then(Raw::string);
    let custom = choice.get("type").and_then(Raw::literal) == Some("custom");
    (custom || namespace.is_some()).then(|| {
        let mut out = Vec::new();
        let mut function = Object::begin(&mut out);
        function.string("type", "function").string("name", &plain(namespace.as_deref(), &name));
        function.end();
        out
    })
}

/// An item that is told otherwise; `Some(None)`: it is not told at all.
fn rewritten(item: &Item<'_>) -> Option<Option<Vec<u8>>> {
    let text = |name: &str| item.raw.get(name).and_then(Raw::string);
    let namespace = text("namespace").filter(|namespace| !namespace.is_empty());
    match item.tag? {
        "additional_tools" => Some(None),
        "function_call" => {
            let (namespace, mut open) = (namespace?, Open::of(item.raw)?);
            open.set_str("name", &plain(Some(&namespace), &text("name").unwrap_or_default()));
            open.remove("namespace");
            Some(Some(open.write().bytes))
        }
        "custom_tool_call" => {
            let input = item.raw.get(INPUT).filter(|input| input.kind() == Kind::String).unwrap_or(Raw::EMPTY_STRING);
            let arguments = format!("{{\"{INPUT}\":{}}}", input.as_slice_str());
            let mut out = Vec::new();
            let mut call = Object::begin(&mut out);
            call.string("type", "function_call").raw("call_id", item.raw.get("call_id").unwrap_or(Raw::EMPTY_STRING));
            call.string("name", &plain(namespace.as_deref(), &text("name").unwrap_or_default()));
            write_str(call.key("arguments"), &arguments);
            call.end();
            Some(Some(out))
        }
        "custom_tool_call_output" => {
            let mut open = Open::of(item.raw)?;
            open.set_str("type", "function_call_output");
            // It says what kind of item this was.
            open.remove("id");
            Some(Some(open.write().bytes))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Asked;
    use super::{Tool, Tools};

    fn flattened(body: &str) -> Option<(String, Tools)> {
        let asked = Asked::read(body.as_bytes()).expect("a request");
        asked.flattened().map(|(bytes, tools)| (String::from_utf8(bytes).expect("text"), tools))
    }

    #[test]
    fn tools_of_all_forms_become_functions_and_are_known_again() {
        let body = concat!(
            r#"{"model":"m","tools":[{"type":"function","name":"a"},{"type":"namespace","name":"mcp__own","description":"d","tools":["#,
            r#"{"type":"function","name":"snap","parameters":{"x": 1}},{"type":"function","name":"snap"}]},"#,
            r#"{"type":"custom","name":"patch","description":"Edits.","format":{"type":"grammar","syntax":"lark","definition":"start: x"}},"#,
            r#"{"type":"web_search"}],"tool_choice":{"type":"custom","name":"patch"},"input":["#,
            r#"{"type":"additional_tools","role":"developer","tools":[{"type":"namespace","name":"f","tools":[{"type":"custom","name":"exec"}]}]},"#,
            r#"{"type":"function_call","call_id":"c1","namespace":"mcp__own","name":"snap","arguments":"{}"},"#,
            r#"{"type":"custom_tool_call","call_id":"c2","name":"patch","input":"a \"b\"\n"},"#,
            r#"{"type":"custom_tool_call_output","id":"ctco_1","call_id":"c2","output":"ok"}]}"#
        );
        let (told, tools) = flattened(body).expect("it has such tools");
        let free = r#""strict":false,"parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}}"#;
        let expected = [
            r#"{"model":"m","tools":[{"type":"function","name":"a"},{"type":"function","name":"mcp__own__snap","parameters":{"x": 1}},"#,
            r#"{"type":"function","name":"patch","description":"Edits.\n\nThe text must match this grammar:\nstart: x\n\nThe whole text goes into the argument `input`.","#,
            free,
            r#",{"type":"web_search"},{"type":"function","name":"f__exec","description":"The whole text goes into the argument `input`.","#,
            free,
            r#"],"tool_choice":{"type":"function","name":"patch"},"input":["#,
            r#"{"type":"function_call","call_id":"c1","name":"mcp__own__snap","arguments":"{}"},"#,
            r#"{"type":"function_call","call_id":"c2","name":"patch","arguments":"{\"input\":\"a \\\"b\\\"\\n\"}"},"#,
            r#"{"type":"function_call_output","call_id":"c2","output":"ok"}]}"#,
        ];
        assert_eq!(told, expected.concat());
        let tool = |name: &str, namespace: Option<&str>, free| Tool {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            free,
        };
        assert_eq!(tools.of("mcp__own__snap"), Some(&tool("snap", Some("mcp__own"), false)));
        assert_eq!(tools.of("patch"), Some(&tool("patch", None, true)));
        assert_eq!(tools.of("f__exec"), Some(&tool("exec", Some("f"), true)));
        assert_eq!(tools.of("a"), None);
        assert_eq!(Tools::text_of(r#"{"input":"a \"b\"\n"}"#), "a \"b\"\n");
        assert_eq!(Tools::text_of("*** Begin"), "*** Begin");
    }

    #[test]
    fn a_request_with_functions_alone_is_left_alone() {
        let body = r#"{"model":"m","tools":[{"type":"function","name":"a"}],"tool_choice":{"type":"function","name":"a"},"input":[
            {"type":"function_call","call_id":"c","name":"a","arguments":"{}"},{"type":"tomorrow","namespace":"x"}]}"#;
        assert_eq!(flattened(body), None);
        assert_eq!(flattened(r#"{"model":"m","input":"x"}"#), None);
    }
}

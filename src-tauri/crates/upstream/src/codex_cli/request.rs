//! From a Responses request to a thread of the child.
//!
//! Each request gets a thread of its own: the system text becomes the base instructions, the tools dynamic tools, and the
//! whole history, with its last word, is injected as the items it consists of. The turn then starts with no input of its
//! own. So nothing is kept between two requests (docs/decisions/0005).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use codeferry_translate::loss::Loss;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// A request, cut into the calls that make it.
#[derive(Debug)]
pub(super) struct Asked {
    /// `dynamicTools` of `thread/start`.
    pub(super) tools: Vec<Tool>,
    pub(super) instructions: Option<Box<RawValue>>,
    /// `items` of `thread/inject_items`.
    pub(super) items: Vec<Box<RawValue>>,
    pub(super) effort: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) verbosity: Option<String>,
    pub(super) service_tier: Option<String>,
    /// The schema the answer must keep.
    pub(super) schema: Option<Box<RawValue>>,
    pub(super) names: Names,
    pub(super) losses: Vec<Loss>,
}

/// A dynamic tool.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tool {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    description: String,
    input_schema: Box<RawValue>,
}

/// The way back for tool names that the child reserves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names(HashMap<String, String>);

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    instructions: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Vec<&'a RawValue>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    reasoning: Option<Reasoning>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    service_tier: Option<String>,
}

#[derive(Deserialize)]
struct Reasoning {
    effort: Option<String>,
    summary: Option<String>,
}

#[derive(Deserialize)]
struct Text<'a> {
    verbosity: Option<String>,
    #[serde(borrow)]
    format: Option<Format<'a>>,
}

#[derive(Deserialize)]
struct Format<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
}

/// What of an item or a tool must be looked at.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    filename: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    encrypted_content: Option<Cow<'a, str>>,
}

/// A JSON object whose other members stay as they are.
type Open<'a> = BTreeMap<Cow<'a, str>, Box<RawValue>>;

/// Not a request.
pub(super) type Malformed = serde_json::Error;

const EMPTY_SCHEMA: &str = r#"{"type":"object","properties":{}}"#;
/// Names that begin so are taken for tools of the CLI's own MCP servers, and refused.
const RESERVED: &str = "mcp__";
/// What stands in its place. As long, so that no name grows past a limit.
const INSTEAD: &str = "mcp--";

/// Reads the body that would go to a Responses upstream.
pub(super) fn read(body: &[u8]) -> Result<Asked, Malformed> {
    let body: Body<'_> = serde_json::from_slice(body)?;
    let mut names = Names::default();
    let mut losses = Vec::new();
    let choice = body.tool_choice.map(|choice| choice.get().trim());
    let mut tools = Vec::with_capacity(body.tools.len());
    // Without tools none can be called: that is what `none` asks for.
    if choice != Some("\"none\"") {
        for raw in body.tools {
            match tool(raw, &mut names)? {
                Some(tool) => tools.push(tool),
                None => losses.push(Loss::HostedTool),
            }
        }
    }
    if choice.is_some_and(|choice| choice != "\"auto\"" && choice != "\"none\"") && !tools.is_empty() {
        losses.push(Loss::ToolChoice);
    }
    let mut items = Vec::with_capacity(body.input.len());
    for raw in body.input {
        items.push(item(raw, &mut names, &mut losses)?);
    }
    let format = body.text.as_ref().and_then(|text| text.format.as_ref());
    if format.is_some_and(|format| format.kind.as_deref() == Some("json_object")) {
        losses.push(Loss::JsonObject);
    }
    losses.sort_unstable();
    losses.dedup();
    let (effort, summary) = body.reasoning.map_or((None, None), |asked| (asked.effort, asked.summary));
    let (verbosity, format) = body.text.map_or((None, None), |text| (text.verbosity, text.format));
    Ok(Asked {
        tools,
        instructions: body.instructions.map(ToOwned::to_owned),
        items,
        effort,
        summary,
        verbosity,
        service_tier: body.service_tier,
        schema: format.and_then(|format| format.schema).map(ToOwned::to_owned),
        names,
        losses,
    })
}

/// A function. Tools that run at the host have no counterpart.
fn tool(raw: &RawValue, names: &mut Names) -> Result<Option<Tool>, Malformed> {
    let head: Head<'_> = serde_json::from_str(raw.get())?;
    let (Some("function"), Some(name)) = (head.kind.as_deref(), head.name) else { return Ok(None) };
    let schema = match head.parameters.filter(|schema| schema.get() != "null") {
        Some(schema) => schema.to_owned(),
        None => RawValue::from_string(EMPTY_SCHEMA.to_owned())?,
    };
    Ok(Some(Tool {
        kind: "function",
        name: names.theirs(&name),
        description: head.description.unwrap_or_default().into_owned(),
        input_schema: schema,
    }))
}

/// An item of the history. What the child reads as it is goes as it is.
fn item(raw: &RawValue, names: &mut Names, losses: &mut Vec<Loss>) -> Result<Box<RawValue>, Malformed> {
    let head: Head<'_> = serde_json::from_str(raw.get())?;
    match head.kind.as_deref() {
        Some("function_call") => {
            let Some(name) = head.name.filter(|name| name.starts_with(RESERVED)) else { return Ok(raw.to_owned()) };
            with(raw, "name", to_raw_value(&names.theirs(&name))?)
        }
        Some("function_call_output") => parts(raw, "output", head.output, losses),
        Some("reasoning") => reasoning(raw, head.encrypted_content.as_deref()),
        Some("message") | None => match head.content.filter(|content| content.get().starts_with('"')) {
            Some(text) => with(raw, "content", listed(text, head.role.as_deref())?),
            None => parts(raw, "content", head.content, losses),
        },
        Some(_) => Ok(raw.to_owned()),
    }
}

/// Stands between the id and the sealed content of a reasoning item. Neither has one of its own.
const SEAM: char = '|';

/// The sealed content of a reasoning item, as it goes to the client: with the id of its item before it. The upstream
/// refuses it under another id, and the child gives one to every item that comes without.
pub(super) fn with_id(id: &str, sealed: &str) -> String {
    format!("{id}{SEAM}{sealed}")
}

/// Reasoning under the id it was sealed with.
fn reasoning(raw: &RawValue, sealed: Option<&str>) -> Result<Box<RawValue>, Malformed> {
    let Some((id, sealed)) = sealed.and_then(|sealed| sealed.split_once(SEAM)) else { return Ok(raw.to_owned()) };
    let mut open: Open<'_> = serde_json::from_str(raw.get())?;
    open.insert(Cow::Borrowed("id"), to_raw_value(id)?);
    open.insert(Cow::Borrowed("encrypted_content"), to_raw_value(sealed)?);
    to_raw_value(&open)
}

/// A text as the one piece of a list: the child knows no other form.
fn listed(text: &RawValue, role: Option<&str>) -> Result<Box<RawValue>, Malformed> {
    let kind = if role == Some("assistant") { r#""output_text""# } else { r#""input_text""# };
    let kind = RawValue::from_string(kind.to_owned())?;
    to_raw_value(&[BTreeMap::from([("type", &*kind), ("text", text)])])
}

/// The child refuses a whole history for one part it does not know. Of a file only its name is left.
fn parts(
    raw: &RawValue,
    key: &'static str,
    list: Option<&RawValue>,
    losses: &mut Vec<Loss>,
) -> Result<Box<RawValue>, Malformed> {
    let Some(list) = list.filter(|list| list.get().starts_with('[') && list.get().contains("\"input_file\"")) else {
        return Ok(raw.to_owned());
    };
    let parts: Vec<&RawValue> = serde_json::from_str(list.get())?;
    let mut kept = Vec::with_capacity(parts.len());
    for part in parts {
        let head: Head<'_> = serde_json::from_str(part.get())?;
        if head.kind.as_deref() != Some("input_file") {
            kept.push(part.to_owned());
            continue;
        }
        losses.push(Loss::Document);
        let name = head.filename.as_deref().unwrap_or("without a name");
        let note = format!("[A file ({name}) stood here. It could not be passed on.]");
        kept.push(to_raw_value(&BTreeMap::from([("type", "input_text"), ("text", &note)]))?);
    }
    with(raw, key, to_raw_value(&kept)?)
}

fn with(raw: &RawValue, key: &'static str, value: Box<RawValue>) -> Result<Box<RawValue>, Malformed> {
    let mut open: Open<'_> = serde_json::from_str(raw.get())?;
    open.insert(Cow::Borrowed(key), value);
    to_raw_value(&open)
}

// === impl Names ===

impl Names {
    /// The name under which the child knows a tool.
    fn theirs(&mut self, ours: &str) -> String {
        let Some(rest) = ours.strip_prefix(RESERVED) else { return ours.to_owned() };
        let theirs = format!("{INSTEAD}{rest}");
        self.0.insert(theirs.clone(), ours.to_owned());
        theirs
    }

    /// The name under which the client knows it.
    pub(super) fn ours<'n>(&'n self, theirs: &'n str) -> &'n str {
        self.0.get(theirs).map_or(theirs, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(raw: &[Box<RawValue>]) -> Vec<&str> {
        raw.iter().map(|item| item.get()).collect()
    }

    #[test]
    fn a_request_is_cut_and_its_items_are_left_alone() {
        let items = [
            r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"a \"b\" \ud83d\ude00"},{"type":"input_image","image_url":"data:image/png;base64,AA"}]}"#,
            r#"{"type":"reasoning","summary":[],"encrypted_content":"sealed"}"#,
            r#"{"type":"function_call","call_id":"c1","name":"read","arguments":"{\"p\": 1}"}"#,
            r#"{"type":"function_call_output","call_id":"c1","output":"input_file"}"#,
        ];
        let body = format!(
            r#"{{"model":"m","instructions":"be \"kind\"","tools":[{{"type":"function","name":"read","description":"reads","strict":false,"parameters":{{"type":"object"}}}}],"input":[{}],"tool_choice":"auto","parallel_tool_calls":true,"reasoning":{{"effort":"low","summary":"auto","context":"all_turns"}},"include":[],"prompt_cache_key":"k","text":{{"format":{{"type":"json_schema","name":"output","schema":{{"type":"object"}}}}}},"store":false,"stream":true}}"#,
            items.join(",")
        );
        let asked = read(body.as_bytes()).unwrap();
        assert_eq!(texts(&asked.items), items, "byte for byte");
        assert_eq!(asked.instructions.unwrap().get(), r#""be \"kind\"""#);
        assert_eq!(
            serde_json::to_string(&asked.tools).unwrap(),
            r#"[{"type":"function","name":"read","description":"reads","inputSchema":{"type":"object"}}]"#
        );
        assert_eq!((asked.effort.as_deref(), asked.summary.as_deref()), (Some("low"), Some("auto")));
        assert_eq!(asked.schema.unwrap().get(), r#"{"type":"object"}"#);
        assert_eq!(asked.losses, []);
    }

    #[test]
    fn reasoning_goes_back_under_the_id_it_was_sealed_with() {
        let sealed = with_id("rs_1", "gAAA_-=");
        let body = format!(r#"{{"input":[{{"type":"reasoning","summary":[],"encrypted_content":"{sealed}"}}]}}"#);
        let asked = read(body.as_bytes()).unwrap();
        assert_eq!(
            texts(&asked.items),
            [r#"{"encrypted_content":"gAAA_-=","id":"rs_1","summary":[],"type":"reasoning"}"#]
        );
    }

    #[test]
    fn a_text_is_put_into_a_list() {
        let body =
            r#"{"input":[{"role":"user","content":"a \"b\""},{"type":"message","role":"assistant","content":"c"}]}"#;
        let asked = read(body.as_bytes()).unwrap();
        assert_eq!(
            texts(&asked.items),
            [
                r#"{"content":[{"text":"a \"b\"","type":"input_text"}],"role":"user"}"#,
                r#"{"content":[{"text":"c","type":"output_text"}],"role":"assistant","type":"message"}"#,
            ]
        );
    }

    #[test]
    fn reserved_names_are_changed_everywhere_and_found_again() {
        let body = r#"{"tools":[{"type":"function","name":"mcp__hub__issue"},{"type":"function","name":"mcp"}],"input":[{"type":"function_call","call_id":"c","name":"mcp__hub__issue","arguments":"{}"},{"type":"function_call","call_id":"d","name":"mcp__gone","arguments":"{}"}]}"#;
        let asked = read(body.as_bytes()).unwrap();
        let tools = serde_json::to_string(&asked.tools).unwrap();
        assert!(tools.contains(r#""name":"mcp--hub__issue""#) && tools.contains(EMPTY_SCHEMA), "{tools}");
        assert!(asked.items[0].get().contains(r#""name":"mcp--hub__issue""#), "{:?}", asked.items);
        assert!(asked.items[1].get().contains(r#""name":"mcp--gone""#), "{:?}", asked.items);
        assert_eq!(asked.names.ours("mcp--hub__issue"), "mcp__hub__issue");
        assert_eq!(asked.names.ours("mcp--other"), "mcp--other", "a name of the client's own stays");
    }

    #[test]
    fn what_cannot_cross_is_said() {
        let body = r#"{"tools":[{"type":"web_search"},{"type":"function","name":"a"}],"tool_choice":"required","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"see"},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}]},{"type":"function_call_output","call_id":"c","output":[{"type":"input_file","file_url":"https://x"}]}]}"#;
        let asked = read(body.as_bytes()).unwrap();
        assert_eq!(asked.losses, [Loss::Document, Loss::HostedTool, Loss::ToolChoice]);
        assert!(!texts(&asked.items).concat().contains("input_file"), "{:?}", asked.items);
        assert!(asked.items[0].get().contains("a.pdf") && asked.items[0].get().contains("\"see\""));

        let none = read(br#"{"tools":[{"type":"function","name":"a"}],"tool_choice":"none","input":[]}"#).unwrap();
        assert!(none.tools.is_empty() && none.losses.is_empty());
        let forced =
            r#"{"tools":[{"type":"function","name":"a"}],"tool_choice":{"type":"function","name":"a"},"input":[]}"#;
        assert_eq!(read(forced.as_bytes()).unwrap().losses, [Loss::ToolChoice]);
        assert!(read(b"{\"input\":3}").is_err());
    }
}

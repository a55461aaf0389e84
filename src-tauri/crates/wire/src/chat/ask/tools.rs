//! The functions on offer, and how the model may use them.

use std::borrow::Cow;

use crate::json::{self, Kind, Raw, Reader, What};
use crate::path::{Path, member};

/// A function on offer.
#[derive(Debug)]
pub struct Tool<'a> {
    /// The name the model calls it by.
    pub name: Cow<'a, str>,
    /// What it does, a string literal.
    pub description: Option<Raw<'a>>,
    /// The JSON schema of its arguments.
    pub parameters: Option<Raw<'a>>,
    /// Whether the arguments must follow the schema strictly.
    pub strict: bool,
}

/// `tool_choice`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice<'a> {
    /// The model decides.
    Auto,
    /// No tool may be called.
    None,
    /// Some tool must be called.
    Required,
    /// This tool must be called.
    Named(Cow<'a, str>),
    /// Only these tools may be called.
    Allowed {
        /// One of them must be.
        required: bool,
        /// Their names.
        names: Vec<Cow<'a, str>>,
    },
}

pub(super) fn tools<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Vec<Tool<'a>>, json::Error> {
    each(reader, path, |raw, reader, path| {
        if raw.get("type").and_then(Raw::literal) != Some("function") {
            path.push("type");
            return Err(reader.error(What::Expected("'function'")));
        }
        path.push("function");
        let Some(inner) = raw.get("function").filter(|inner| inner.kind() == Kind::Object) else {
            return Err(reader.error(What::Expected("an object with a name")));
        };
        let tool = function(inner, reader, path)?;
        path.pop();
        Ok(tool)
    })
}

pub(super) fn functions<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Vec<Tool<'a>>, json::Error> {
    each(reader, path, function)
}

fn each<'a>(
    reader: &mut Reader<'a>,
    path: &mut Path,
    one: impl Fn(Raw<'a>, &Reader<'a>, &mut Path) -> Result<Tool<'a>, json::Error>,
) -> Result<Vec<Tool<'a>>, json::Error> {
    let mut tools = Vec::new();
    if reader.peek()? == Kind::Null {
        return Ok(tools);
    }
    reader.array(|reader| {
        path.push_index(tools.len());
        let raw = reader.value()?;
        tools.push(one(raw, reader, path)?);
        path.pop();
        Ok(())
    })?;
    Ok(tools)
}

fn function<'a>(raw: Raw<'a>, reader: &Reader<'a>, path: &mut Path) -> Result<Tool<'a>, json::Error> {
    let Some(name) = raw.get("name").and_then(Raw::string).filter(|name| !name.is_empty()) else {
        path.push("name");
        return Err(reader.error(What::Expected("a name")));
    };
    let description = member(raw, "description", Kind::String, "a string", reader, path)?;
    // What PHP makes of an object without members.
    let parameters = match raw.get("parameters") {
        Some(list) if list.kind() == Kind::Array && is_empty(list) => None,
        _ => member(raw, "parameters", Kind::Object, "a JSON schema, which is an object", reader, path)?,
    };
    let strict = member(raw, "strict", Kind::Bool, "a boolean", reader, path)?;
    Ok(Tool { name, description, parameters, strict: strict.and_then(Raw::bool).unwrap_or(false) })
}

fn is_empty(list: Raw<'_>) -> bool {
    list.as_slice_str().trim_matches(['[', ']']).trim().is_empty()
}

const CHOICES: What = What::Expected("'auto', 'none', 'required', or a function by its name");

pub(super) fn choice<'a>(reader: &mut Reader<'a>) -> Result<Option<Choice<'a>>, json::Error> {
    let raw = reader.value()?;
    match (raw.kind(), raw.literal()) {
        (Kind::Null, _) => Ok(None),
        (_, Some("auto")) => Ok(Some(Choice::Auto)),
        (_, Some("none")) => Ok(Some(Choice::None)),
        // `any` is Anthropic's and Mistral's word, which some libraries use for everybody.
        (_, Some("required" | "any")) => Ok(Some(Choice::Required)),
        (Kind::Object, _) => match raw.get("type").and_then(Raw::literal) {
            Some("function") => match name_in(raw) {
                Some(name) => Ok(Some(Choice::Named(name))),
                None => Err(reader.error(CHOICES)),
            },
            Some("allowed_tools") => {
                let inner = raw.get("allowed_tools").unwrap_or(raw);
                let mut names = Vec::new();
                let list = inner.get("tools").filter(|list| list.kind() == Kind::Array);
                let Some(list) = list else { return Err(reader.error(CHOICES)) };
                list.reader().array(|reader| {
                    names.extend(name_in(reader.value()?));
                    Ok(())
                })?;
                let required = inner.get("mode").and_then(Raw::literal) == Some("required");
                Ok(Some(Choice::Allowed { required, names }))
            }
            _ => Err(reader.error(CHOICES)),
        },
        _ => Err(reader.error(CHOICES)),
    }
}

/// `{"function":{"name"}}`, or the flat form of Responses.
fn name_in(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    raw.get("function").unwrap_or(raw).get("name").and_then(Raw::string)
}

pub(super) fn function_call<'a>(reader: &mut Reader<'a>) -> Result<Option<Choice<'a>>, json::Error> {
    let raw = reader.value()?;
    match (raw.kind(), raw.literal(), raw.get("name").and_then(Raw::string)) {
        (Kind::Null, ..) => Ok(None),
        (_, Some("auto"), _) => Ok(Some(Choice::Auto)),
        (_, Some("none"), _) => Ok(Some(Choice::None)),
        (_, _, Some(name)) => Ok(Some(Choice::Named(name))),
        _ => Err(reader.error(What::Expected("'auto', 'none', or a function by its name"))),
    }
}

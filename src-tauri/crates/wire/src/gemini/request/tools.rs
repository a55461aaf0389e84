//! The tools on offer, and how the model may use them.

use std::borrow::Cow;

use super::{Request, each, members};
use crate::json::{self, Kind, Raw, Reader, What};
use crate::path::{Path, strings};

/// A function on offer.
#[derive(Debug)]
pub struct Tool<'a> {
    /// The name the model calls it by.
    pub name: Cow<'a, str>,
    /// What it does, a string literal.
    pub description: Option<Raw<'a>>,
    /// What its arguments look like: a schema in Google's words or a JSON schema.
    pub parameters: Option<Raw<'a>>,
}

/// `toolConfig.functionCallingConfig`, unless it leaves everything to the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice<'a> {
    /// Some function must be called.
    pub required: bool,
    /// Only these may be called; empty: none of them, unless one must be called, then any.
    pub names: Vec<Cow<'a, str>>,
}

pub(super) fn tools<'a>(
    request: &mut Request<'a>,
    reader: &mut Reader<'a>,
    path: &mut Path,
) -> Result<(), json::Error> {
    each(reader, path, |reader, path| {
        reader.object(|key, reader| {
            let key = super::camel(key);
            path.push(&key);
            match &*key {
                "functionDeclarations" => each(reader, path, |reader, path| {
                    request.tools.push(function(reader, path)?);
                    Ok(())
                })?,
                // The upstream's search opens pages as well.
                "googleSearch" | "googleSearchRetrieval" | "enterpriseWebSearch" | "urlContext" => {
                    request.search |= !reader.value()?.is_null();
                }
                _ => request.hosted |= !reader.value()?.is_null(),
            }
            path.pop();
            Ok(())
        })
    })
}

fn function<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Tool<'a>, json::Error> {
    let raw = reader.value()?;
    if raw.kind() != Kind::Object {
        return Err(reader.error(What::Expected("an object with a name")));
    }
    let [name, description, parameters, json_schema] =
        members(raw, ["name", "description", "parameters", "parametersJsonSchema"])?;
    let Some(name) = name.and_then(Raw::string).filter(|name| !name.is_empty()) else {
        path.push("name");
        return Err(reader.error(What::Expected("a name")));
    };
    Ok(Tool {
        name,
        description: description.filter(|raw| raw.kind() == Kind::String),
        parameters: json_schema.or(parameters).filter(|raw| raw.kind() == Kind::Object),
    })
}

pub(super) fn config<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Option<Choice<'a>>, json::Error> {
    let raw = reader.value()?;
    if raw.kind() != Kind::Object {
        return Ok(None);
    }
    let [config] = members(raw, ["functionCallingConfig"])?;
    let Some(config) = config.filter(|config| config.kind() == Kind::Object) else { return Ok(None) };
    path.push("functionCallingConfig");
    let [mode, allowed] = members(config, ["mode", "allowedFunctionNames"])?;
    path.push("allowedFunctionNames");
    let names = match allowed {
        Some(allowed) => strings(&mut allowed.reader())?,
        None => Vec::new(),
    };
    path.pop();
    path.push("mode");
    let mode = mode.and_then(Raw::string).unwrap_or_default().to_ascii_uppercase();
    let choice = match mode.as_str() {
        "" | "MODE_UNSPECIFIED" | "AUTO" => None,
        // One may be called, and only of these: without names it is as AUTO.
        "VALIDATED" if names.is_empty() => None,
        "VALIDATED" => Some(Choice { required: false, names }),
        "ANY" => Some(Choice { required: true, names }),
        "NONE" => Some(Choice::default()),
        _ => return Err(reader.error(What::Expected("'AUTO', 'ANY', 'NONE' or 'VALIDATED'"))),
    };
    path.pop();
    path.pop();
    Ok(choice)
}

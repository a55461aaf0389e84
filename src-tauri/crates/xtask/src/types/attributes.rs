//! What serde is told of a type, a field or a variant; and what is written above it.

use anyhow::{Result, bail};
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token};

/// What of serde's attributes decides how a value is written.
#[derive(Debug, Default)]
pub(super) struct Serde {
    /// `rename_all = "snake_case"`
    pub(super) snake: bool,
    /// `rename_all = "lowercase"`
    pub(super) lower: bool,
    /// `rename_all = "camelCase"`, the only other way names are changed here.
    pub(super) camel: bool,
    pub(super) tag: Option<String>,
    pub(super) untagged: bool,
    pub(super) rename: Option<String>,
    pub(super) flatten: bool,
    pub(super) skip: bool,
    /// `skip_serializing_if`
    pub(super) may_miss: bool,
    /// `default`: whoever sends it may leave it out.
    pub(super) default: bool,
    /// `deny_unknown_fields`
    pub(super) closed: bool,
}

pub(super) fn serde(attributes: &[Attribute]) -> Result<Serde> {
    let mut serde = Serde::default();
    let mut unknown = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            let text = match meta.input.peek(Token![=]) {
                true => Some(meta.value()?.parse::<LitStr>()?.value()),
                false => None,
            };
            match (word.as_str(), text) {
                ("rename_all", Some(how)) if how == "snake_case" => serde.snake = true,
                ("rename_all", Some(how)) if how == "lowercase" => serde.lower = true,
                ("rename_all", Some(how)) if how == "camelCase" => serde.camel = true,
                ("tag", Some(tag)) => serde.tag = Some(tag),
                ("untagged", None) => serde.untagged = true,
                ("rename", Some(name)) => serde.rename = Some(name),
                ("flatten", None) => serde.flatten = true,
                ("skip" | "skip_serializing", None) => serde.skip = true,
                ("skip_serializing_if", Some(_)) => serde.may_miss = true,
                ("default", _) => serde.default = true,
                ("deny_unknown_fields", None) => serde.closed = true,
                (word, _) => unknown = Some(word.to_owned()),
            }
            Ok(())
        })?;
    }
    match unknown {
        Some(word) => bail!("what serde makes of `{word}` is not known here"),
        None => Ok(serde),
    }
}

/// Whether a type derives this of serde's.
pub(super) fn derives(attributes: &[Attribute], what: &str) -> Result<bool> {
    let mut found = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|last| last.ident == what);
            Ok(())
        })?;
    }
    Ok(found)
}

/// The documentation, line by line.
pub(super) fn docs(attributes: &[Attribute]) -> Vec<String> {
    let said = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    said.collect()
}

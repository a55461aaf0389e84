//! What stands where: tables with a header, and the lines in them.

use std::ops::Range;

use toml_edit::{Item, Table, TableLike, Value};

/// A table as it was written: its header, and the lines up to the next one.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) path: Vec<String>,
    /// `None`: the lines before the first header.
    pub(super) header: Option<Range<usize>>,
    /// One of several with the same header, which are a list.
    pub(super) listed: bool,
    pub(super) lines: Vec<Line>,
}

/// `key = value`.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// From the top.
    pub(super) path: Vec<String>,
    /// The last part of the key.
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// The sections in the order they stand in. The first one is that without a header.
pub(super) fn sections(root: &Table) -> Vec<Section> {
    let mut sections = Vec::new();
    collect(root, &[], false, &mut sections);
    for section in &mut sections {
        section.lines.sort_by_key(|line| line.value.start);
    }
    sections.sort_by_key(|section| section.header.as_ref().map_or(0, |header| header.start + 1));
    sections
}

fn collect(table: &Table, path: &[String], listed: bool, sections: &mut Vec<Section>) {
    let header = table.span().filter(|_| !path.is_empty());
    let mut lines = Vec::new();
    inside(table, path, &mut lines, sections);
    if path.is_empty() || (header.is_some() && !table.is_implicit() && !table.is_dotted()) {
        sections.push(Section { path: path.to_vec(), header, listed, lines });
    }
}

fn inside(table: &Table, path: &[String], lines: &mut Vec<Line>, sections: &mut Vec<Section>) {
    for (name, item) in table {
        let path = below(path, name);
        match item {
            Item::Value(value) => {
                let key = table.get_key_value(name).and_then(|(key, _)| key.span());
                if let (Some(key), Some(value)) = (key, value.span()) {
                    lines.push(Line { path, key, value });
                }
            }
            Item::Table(inner) if inner.is_dotted() => inside(inner, &path, lines, sections),
            Item::Table(inner) => collect(inner, &path, false, sections),
            Item::ArrayOfTables(tables) => {
                for (at, table) in tables.iter().enumerate() {
                    collect(table, &below(&path, &at.to_string()), true, sections);
                }
            }
            Item::None => {}
        }
    }
}

pub(super) fn below(path: &[String], name: &str) -> Vec<String> {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

/// Everything that says something, by its path, in the order of the text: values, and tables with nothing in them.
pub(super) fn said<'t>(text: &'t str, root: &Table) -> Vec<(Vec<String>, &'t str)> {
    let mut all = Vec::new();
    in_table(text, root, &[], &mut all);
    all.sort_by_key(|(at, ..)| *at);
    all.into_iter().map(|(_, path, raw)| (path, raw)).collect()
}

type Said<'t> = Vec<(usize, Vec<String>, &'t str)>;

fn in_table<'t>(text: &'t str, table: &Table, path: &[String], all: &mut Said<'t>) {
    let before = all.len();
    for (name, item) in table {
        let path = below(path, name);
        match item {
            Item::Value(value) => in_value(text, value, &path, all),
            Item::Table(inner) => in_table(text, inner, &path, all),
            Item::ArrayOfTables(tables) => {
                for (at, table) in tables.iter().enumerate() {
                    in_table(text, table, &below(&path, &at.to_string()), all);
                }
            }
            Item::None => {}
        }
    }
    if let Some(header) = table.span().filter(|_| all.len() == before && !path.is_empty()) {
        all.push((header.start, path.to_vec(), ""));
    }
}

fn in_value<'t>(text: &'t str, value: &Value, path: &[String], all: &mut Said<'t>) {
    let Some(span) = value.span() else { return };
    match value {
        Value::InlineTable(table) if !table.is_empty() => {
            for (name, item) in TableLike::iter(table) {
                if let Item::Value(value) = item {
                    in_value(text, value, &below(path, name), all);
                }
            }
        }
        _ => all.push((span.start, path.to_vec(), &text[span])),
    }
}

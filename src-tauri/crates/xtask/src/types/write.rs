//! The TypeScript file.

use std::fmt::Write as _;

use super::read::{Declared, Field, Shape};

const HEAD: &str = "// What the control API sends, from its Rust types by `cargo xtask types`. Not to be edited.\n";

pub(super) fn module(types: &[Declared]) -> String {
    let mut text = HEAD.to_owned();
    for declared in types {
        text.push('\n');
        comment(&mut text, "", &declared.docs);
        let name = declared.name;
        match &declared.shape {
            Shape::OneOf(these) => {
                let these: String = these.iter().map(|one| format!("\n  | {one}")).collect();
                let _ = writeln!(text, "export type {name} ={these};");
            }
            Shape::Object { beside, fields } if beside.is_empty() => {
                let _ = writeln!(text, "export interface {name} {{\n{}}}", body(fields));
            }
            Shape::Object { beside, fields } => {
                let own = if fields.is_empty() { None } else { Some(format!("{{\n{}}}", body(fields))) };
                let parts: Vec<_> = beside.iter().cloned().chain(own).collect();
                let _ = writeln!(text, "export type {name} = {};", parts.join(" & "));
            }
        }
    }
    text
}

fn body(fields: &[Field]) -> String {
    let mut text = String::new();
    for field in fields {
        comment(&mut text, "  ", &field.docs);
        let _ = writeln!(text, "  {};", field.declared());
    }
    text
}

fn comment(text: &mut String, margin: &str, lines: &[String]) {
    match lines {
        [] => {}
        [line] => {
            let _ = writeln!(text, "{margin}/** {line} */");
        }
        lines => {
            let lines: String = lines
                .iter()
                .map(|line| format!("{margin} *{}{line}\n", if line.is_empty() { "" } else { " " }))
                .collect();
            let _ = writeln!(text, "{margin}/**\n{lines}{margin} */");
        }
    }
}

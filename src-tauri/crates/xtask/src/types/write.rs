//! The TypeScript file.

use std::fmt::Write as _;

use super::kinds::{Beside, Choice, Declared, Field, Is, Shape};

const HEAD: &str = "// What the control API sends, from its Rust types by `cargo xtask types`. Not to be edited.\n";

pub(super) fn module(types: &[Declared]) -> String {
    let mut text = HEAD.to_owned();
    for declared in types {
        text.push('\n');
        comment(&mut text, "", &declared.docs);
        let name = declared.name;
        match &declared.shape {
            Shape::OneOf(these) => {
                let these: String = these.iter().map(|one| format!("\n  | {}", choice(one))).collect();
                let _ = writeln!(text, "export type {name} ={these};");
            }
            Shape::Object { beside, fields } if beside.is_empty() => {
                let _ = writeln!(text, "export interface {name} {{\n{}}}", body(fields));
            }
            Shape::Object { beside, fields } => {
                let own = if fields.is_empty() { None } else { Some(format!("{{\n{}}}", body(fields))) };
                let parts: Vec<_> = beside.iter().map(laid).chain(own).collect();
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
        let _ = writeln!(text, "  {};", declared(field));
    }
    text
}

fn declared(field: &Field) -> String {
    format!("{}{}: {}", field.name, if field.may_miss { "?" } else { "" }, is(&field.is))
}

fn laid(beside: &Beside) -> String {
    if beside.may_miss { format!("Partial<{}>", is(&beside.is)) } else { is(&beside.is) }
}

fn choice(choice: &Choice) -> String {
    match choice {
        Choice::Word(word) => format!("'{word}'"),
        Choice::Value(value) => is(value),
        Choice::Keyed(name, value) => format!("{{ {name}: {} }}", is(value)),
        Choice::Tagged { tag, name, fields } => {
            let fields: String = fields.iter().map(|field| format!("; {}", declared(field))).collect();
            format!("{{ {tag}: '{name}'{fields} }}")
        }
        Choice::TaggedWith { tag, name, is: inner } => format!("({{ {tag}: '{name}' }} & {})", is(inner)),
    }
}

fn is(kind: &Is) -> String {
    match kind {
        Is::Flag => "boolean".to_owned(),
        Is::Text(_) => "string".to_owned(),
        Is::Whole { .. } | Is::Number => "number".to_owned(),
        Is::Anything => "unknown".to_owned(),
        Is::OrNull(inner) => format!("{} | null", is(inner)),
        Is::List(inner) => list(&is(inner)),
        Is::Map(key, value) => format!("Record<{}, {}>", is(key), is(value)),
        Is::Tuple(parts) => format!("[{}]", parts.iter().map(is).collect::<Vec<_>>().join(", ")),
        Is::Ours(name) => (*name).to_owned(),
    }
}

fn list(of: &str) -> String {
    match of.contains(' ') && !of.starts_with(['[', '{']) {
        true => format!("({of})[]"),
        false => format!("{of}[]"),
    }
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

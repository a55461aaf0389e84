//! The sentences of one source file.
//!
//! Tokens are read, not types: a sentence is wherever a text literal is. What is for the log, for a test or for a compiler is passed
//! over by what stands around it.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, anyhow};
use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};

/// Macros whose first text is filled in.
const FILLED: [&str; 6] = ["format", "write", "writeln", "format_args", "anyhow", "bail"];
/// Macros whose texts are for programmers and logs.
const NOT_TOLD: [&str; 14] = [
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "event",
    "span",
    "debug_span",
    "info_span",
    "assert",
    "debug_assert",
    "unreachable",
    "concat",
    "env",
];
/// Attributes whose text is what an error says.
const SAID_BY: &str = "error";
/// The first words of what is said to the database.
const QUERIES: [&str; 12] =
    ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "PRAGMA", "BEGIN", "WITH", "VACUUM", "ATTACH"];

/// What a person can be told from this source, each sentence with `{names}` where something is filled in. What has no name is
/// numbered.
pub(super) fn sentences(source: &str) -> Result<BTreeSet<String>> {
    let tokens: TokenStream = source.parse().map_err(|error| anyhow!("it cannot be read: {error}"))?;
    let mut found = BTreeSet::new();
    walk(tokens, &mut found)?;
    Ok(found)
}

fn walk(tokens: TokenStream, found: &mut BTreeSet<String>) -> Result<()> {
    let mut tokens = tokens.into_iter().peekable();
    let mut before: [Option<String>; 2] = [None, None];
    while let Some(token) = tokens.next() {
        let word = match &token {
            TokenTree::Ident(ident) => Some(ident.to_string()),
            TokenTree::Punct(punct) => Some(punct.as_char().to_string()),
            _ => None,
        };
        match token {
            TokenTree::Group(group) => match &before {
                // Of the file: what it is about, and for the compiler.
                [Some(hash), Some(mark)] if hash == "#" && mark == "!" => {}
                [_, Some(hash)] if hash == "#" && group.delimiter() == Delimiter::Bracket => {
                    if attribute(&group, found)? == Attribute::OfATest {
                        skip_item(&mut tokens);
                    }
                }
                [Some(name), Some(mark)] if mark == "!" && NOT_TOLD.contains(&name.as_str()) => {}
                [Some(name), Some(mark)] if mark == "!" && FILLED.contains(&name.as_str()) => {
                    filled(group.stream(), found)?;
                }
                _ => walk(group.stream(), found)?,
            },
            TokenTree::Literal(literal) => found.extend(text(&literal)?.iter().flat_map(|text| paragraphs(text))),
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
        before = [before[1].take(), word];
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    OfATest,
    OfSomethingElse,
}

fn attribute(group: &Group, found: &mut BTreeSet<String>) -> Result<Attribute> {
    let mut tokens = group.stream().into_iter();
    let name = tokens.next().map(|token| token.to_string()).unwrap_or_default();
    if name == SAID_BY
        && let Some(TokenTree::Group(inner)) = tokens.next()
    {
        filled(inner.stream(), found)?;
    } else if name == "test" || (name == "cfg" && group.stream().to_string().replace(' ', "") == "cfg(test)") {
        return Ok(Attribute::OfATest);
    }
    Ok(Attribute::OfSomethingElse)
}

/// What follows an attribute, up to its end: its body, or a semicolon.
fn skip_item(tokens: &mut impl Iterator<Item = TokenTree>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return,
            _ => {}
        }
    }
}

/// The arguments of a macro that fills in a text. What is filled in may hold sentences itself.
fn filled(arguments: TokenStream, found: &mut BTreeSet<String>) -> Result<()> {
    let mut first = true;
    let mut rest = TokenStream::new();
    for token in arguments {
        match &token {
            TokenTree::Literal(literal) if first && text(literal)?.is_some() => {
                first = false;
                let template = template(&text(literal)?.context("a text")?)?;
                found.extend(paragraphs(&template));
            }
            _ => rest.extend([token]),
        }
    }
    walk(rest, found)
}

/// A text, if it is one, as it is at run time.
fn text(literal: &Literal) -> Result<Option<String>> {
    let source = literal.to_string();
    if !(source.starts_with('"') || source.starts_with("r\"") || source.starts_with("r#")) {
        return Ok(None);
    }
    let text: syn::LitStr = syn::parse_str(&source).with_context(|| source.clone())?;
    Ok(Some(text.value()))
}

/// `{}` becomes `{0}`, `{name:?}` becomes `{name}`.
fn template(text: &str) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut number = 0;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let mark = &rest[at..=at];
        rest = &rest[at + 1..];
        if rest.starts_with(mark) {
            out.push_str(mark);
            rest = &rest[1..];
            continue;
        }
        let (inner, behind) = rest.split_once('}').with_context(|| format!("a brace that is not closed: {text}"))?;
        let name = inner.split(':').next().unwrap_or_default();
        match name {
            "" => {
                out.push_str(&format!("{{{number}}}"));
                number += 1;
            }
            name => out.push_str(&format!("{{{name}}}")),
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

/// The sentences of a text: each paragraph of a dialog is one.
fn paragraphs(text: &str) -> impl Iterator<Item = String> {
    let whole = of_comment(text).is_some() || text.contains('\t');
    let parts = if whole { vec![text] } else { text.split("\n\n").collect() };
    parts.into_iter().filter_map(sentence)
}

/// What of a text is a sentence: at least three words, two of them small ones; or two small words, or one beside what is filled
/// in. Names, paths and codes are none, nor are documents. One that is put behind another is listed without what joins them.
fn sentence(text: &str) -> Option<String> {
    let joined = of_comment(text);
    let text = joined.as_deref().unwrap_or(text).trim_start_matches(['.', ',', ';', ' ', '·']).trim();
    let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let plain = words.iter().map(|word| word.trim_matches([',', '.', ';', ':', '(', ')', '?']));
    let small: Vec<_> = plain.filter(|word| is_small(word)).collect();
    // One word says enough if it is no mere "was" or "in": those stand in everybody's sentences.
    let alone = small.len() == 1 && small.iter().all(|word| word.len() > 4);
    let filled = words.iter().any(|word| word.contains('{') || word.bytes().all(|byte| byte.is_ascii_digit()));
    let enough = match words.len() {
        0 | 1 => false,
        2 => small.len() == 2 || (alone && filled),
        _ => small.len() >= 2 || (alone && filled),
    };
    let query = words.first().is_some_and(|word| QUERIES.contains(word));
    let data = text.contains(['\n', '\t']) || text.starts_with("{\"") || text.starts_with('<') || text.contains("=\"");
    (enough && !query && !data).then(|| text.to_owned())
}

fn is_small(word: &str) -> bool {
    word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'\'')
}

/// A text that is all comment, as the dashboard shows it: it says why there is nothing to copy.
fn of_comment(text: &str) -> Option<String> {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let comment = text.contains('\n') && lines.iter().all(|line| line.starts_with('#'));
    comment.then(|| lines.iter().map(|line| line.trim_start_matches('#').trim()).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::sentences;

    #[track_caller]
    fn says(source: &str, expected: &[&str]) {
        let found: Vec<_> = sentences(source).unwrap().into_iter().collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn a_sentence_is_found_wherever_it_stands() {
        says(r#"const WHY: &str = "there is no such account";"#, &["there is no such account"]);
        says(r#"fn f() { Row::ok("proxy", "no proxy is set").hint("x") }"#, &["no proxy is set"]);
        says(r#"fn f() { w.write_str(match x { A => "too many requests", B => "no" }) }"#, &["too many requests"]);
        says("static S: &str = \"the one \\\n      and the other\";", &["the one and the other"]);
        says(r##"fn f() { g(r#"the "one" and the other"#) }"##, &[r#"the "one" and the other"#]);
    }

    #[test]
    fn what_is_filled_in_has_a_name_or_a_number() {
        says(r#"fn f() { format!("port {port} on {} is {:?}: {0:>3}", a, b) }"#, &["port {port} on {0} is {1}: {0}"]);
        says(
            r#"#[derive(Error)] enum E { #[error("cannot read {}: {source}", .0.display())] A }"#,
            &["cannot read {0}: {source}"],
        );
        says(r#"fn f() { write!(f, "the set {{a}} is {x}") }"#, &["the set {a} is {x}"]);
        says(
            r#"fn f() { format!("{name} is not known{}", if a { "; there are: " } else { "; there are none of those" }) }"#,
            &["there are none of those", "there are:", "{name} is not known{0}"],
        );
    }

    #[test]
    fn what_nobody_is_told_is_passed_over() {
        for source in [
            r#"fn f() { tracing::warn!(%error, "the log cannot be written"); }"#,
            "/// What it is for.\nfn f() {}",
            "//! What it is for.\n//! And what it is not for.",
            r#"#[expect(lint, reason = "it is so because it is")] fn f() {}"#,
            r#"#[cfg(test)] mod tests { fn f() { g("this is only for a test") } }"#,
            r#"#[test] fn f() { g("this is only for a test") }"#,
            r#"fn f() { db("SELECT seq from exchange where id is null"); }"#,
            r#"fn f() { ["x-api-key", "/v1/messages", "user-agent", "Claude Code"] }"#,
            r#"fn f() { "{\"type\":\"object\", \"what\": \"this is a document\"}" }"#,
            r#"fn f() { "a text of lines\nis for copying\n" }"#,
        ] {
            says(source, &[]);
        }
    }

    #[test]
    fn what_is_put_behind_another_sentence_is_listed_alone() {
        says(
            r#"fn f() { why.push_str("; moved from an account that is gone") }"#,
            &["moved from an account that is gone"],
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        assert!(sentences("fn f() { \"").is_err());
        assert!(sentences(r#"fn f() { format!("what is {this") }"#).is_err());
    }
}

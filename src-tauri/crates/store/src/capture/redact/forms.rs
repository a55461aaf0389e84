//! How secrets look, in any text: also in JSON that stands escaped within a text, or in a piece of it.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{MARK, Rules, files};

/// A part of a text, and what is to stand there.
pub(super) type Span = (Range<usize>, Cow<'static, str>);

/// A form. What its groups hold is taken out.
struct Form {
    pattern: Regex,
    mark: &'static str,
}

/// What may stand before a token: the end of an escape is no part of the word that follows.
macro_rules! apart {
    () => {
        r"(?:^|[^A-Za-z0-9]|\\[nrtbf]|\\u[0-9A-Fa-f]{4})"
    };
}

/// Names whose values are secrets.
macro_rules! name {
    () => {
        r"(?:(?:access|refresh|id|auth|session|bearer)[_-]?token|api[_-]?key|(?:secret|private|access|signing|encryption)[_-]?key|passw(?:or)?d|passphrase|secret|credentials?)"
    };
}

static SECRETS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let patterns = [
        // Keys of model hosts, and of what agents work with.
        concat!(apart!(), r"((?:sk|pk|rk)-[A-Za-z0-9_-]{8,})"),
        // Our client keys, and those that name themselves the same way.
        concat!(apart!(), r"((?:cf_|gh[opusr]_|hf_|npm_|glpat-|xox[a-z]-|sk_|rk_|pypi-|AIza|sess-)[A-Za-z0-9_-]{16,})"),
        concat!(apart!(), r"((?:github_pat_|rt_|rt\.|ac_|deviceauth_)[A-Za-z0-9_.-]{20,})"),
        concat!(apart!(), r"((?:AKIA|ASIA)[0-9A-Z]{16})"),
        // JWTs, whole or begun.
        r"(eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]+)+\.?|eyJ[A-Za-z0-9_+/=-]{37,})",
        r#"(?i)bearer(?:\s|\\[nrt]|%20|\+)+\\*["']?([A-Za-z0-9._~+/=-]{8,})"#,
        // Headers, as in the output of curl.
        r#"(?i)(?:authorization|x-api-key|cookie)\\*["']?\s*[:=]\s*\\*["']?([^\r\n"'\\]{4,})"#,
        // name: "value", at any depth of escaping.
        concat!(r"(?i)", name!(), r#"\\*["']?\s*[:=]\s*"((?:[^"\\\r\n]|\\[^\r\n])+)(?:"|$)"#),
        concat!(r"(?i)", name!(), r#"\\*["']?\s*[:=]\s*\\+"((?:[^"\\\r\n]|\\+[^"\\\r\n])+)"#),
        concat!(r"(?i)", name!(), r#"\\*["']?\s*[:=]\s*\\*'([^'\r\n]+)(?:'|$)"#),
        // NAME=value, as in the environment and in addresses; name: value on a line of its own, if it is no word.
        concat!(r"(?i)", name!(), r#"[:=]([^\s"'\\,;&(){}\[\]<>«]{4,})"#),
        concat!(
            r"(?im)",
            name!(),
            r#"[ \t]*:[ \t]+([^\s"'\\,;(){}<>«]{0,200}[0-9][^\s"'\\,;(){}<>]*)[ \t]*(?:\r?$|\\[nr])"#
        ),
        r#"[?&](?:key|token|sig|signature|code|state)=([^&\s"'\\#«]{8,})"#,
        r#"://[^/\s:@"'\\]+:([^/\s@"'\\]+)@"#,
        r"(-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$))",
    ];
    patterns.into_iter().map(|pattern| Form { pattern: compiled(pattern), mark: MARK }).collect()
});

/// What is no secret, and nobody else's business.
static PERSONS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let forms = [
        (r"([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", "«e-mail»"),
        (r#"(?:/home/|/Users/|(?i:[a-z]:(?:\\+|/)users(?:\\+|/)))([^/\\\s"'<>|:«]+)"#, "«user»"),
    ];
    forms.into_iter().map(|(pattern, mark)| Form { pattern: compiled(pattern), mark }).collect()
});

/// The text without what looks like a secret.
pub(super) fn replace<'t>(text: &'t str, rules: Rules<'_>) -> Cow<'t, str> {
    let spans = spans(text, rules);
    if spans.is_empty() {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, mark) in spans {
        out += &text[at..range.start];
        out += &mark;
        at = range.end;
    }
    out += &text[at..];
    out.into()
}

/// What is to be replaced, in order, without overlaps.
pub(super) fn spans(text: &str, rules: Rules<'_>) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    if !rules.images {
        found.extend(files::within(text).map(|(range, file)| (range, file.to_text().into())));
    }
    let persons = if rules.leaves { PERSONS.as_slice() } else { &[] };
    if let Some(known) = rules.known {
        found.extend(known.find(text).into_iter().map(|range| (range, MARK.into())));
    }
    for form in SECRETS.iter().chain(persons) {
        for found_here in form.pattern.captures_iter(text) {
            let groups = found_here.iter().skip(1).flatten();
            for group in groups {
                if let Some(known) = rules.known.filter(|_| form.mark == MARK) {
                    known.note(group.as_str());
                }
                found.push((group.range(), form.mark.into()));
            }
        }
    }
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut apart: Vec<Span> = Vec::with_capacity(found.len());
    for (range, mark) in found {
        match apart.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push((range, mark)),
        }
    }
    apart
}

/// A pattern of this crate's own.
#[expect(clippy::expect_used, reason = "a pattern that is none fails every test, and must not let a secret through")]
pub(super) fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}

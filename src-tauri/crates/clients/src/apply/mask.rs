//! Secrets in a text that is shown: what a name calls one, and what looks like one.

use crate::format::Document;

/// Words in a name that make its value a secret.
const NAMES: [&str; 13] = [
    "apikey",
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "bearertoken",
    "secret",
    "password",
    "passwd",
    "authorization",
    "credential",
    "cookie",
    "privatekey",
];
/// How keys begin, of those whose form is known.
const BEGINNINGS: [&str; 14] = [
    "sk-",
    "cf_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AIza",
    "eyJ",
    "hf_",
    "gsk_",
    "pplx-",
];
/// Shorter ones are words.
const SHORTEST: usize = 12;
const HIDDEN: &str = "…";

/// The text with its secrets hidden. It has the same lines.
pub(super) fn masked(text: &str, document: &Document) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut leaves = document.leaves();
    leaves.sort_by_key(|(_, span)| span.start);
    for (pointer, span) in leaves {
        let secret = pointer.names().iter().any(|name| is_secret(name));
        if secret && span.start >= at && text[span.clone()].contains(|char: char| !char.is_ascii_digit()) {
            out.push_str(&tokens(&text[at..span.start]));
            out.push_str(&hidden(&text[span.clone()]));
            at = span.end;
        }
    }
    out.push_str(&tokens(&text[at..]));
    out
}

fn is_secret(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect();
    // `apiKeyHelper` names a program, `env_key` a variable.
    let plain = matches!(name.as_str(), "apikeyhelper" | "envkey" | "experimentalbearertokenenvvar");
    !plain
        && (NAMES.iter().any(|word| name.contains(word)) || name == "token" || name.ends_with("token") || name == "key")
}

/// A value with its quotation marks and line ends, and little else.
fn hidden(raw: &str) -> String {
    if matches!(raw, "true" | "false" | "null") {
        return raw.to_owned();
    }
    let marks: usize = raw.bytes().take_while(|byte| matches!(byte, b'"' | b'\'' | b'`')).count().min(raw.len() / 2);
    let inner = &raw[marks..raw.len() - marks];
    let mut out = raw[..marks].to_owned();
    out.push_str(&short(inner));
    out.extend(inner.chars().filter(|char| matches!(char, '\n' | '\r')));
    out.push_str(&raw[raw.len() - marks..]);
    out
}

/// How it begins, where that says what it is, and its end, where that gives little away.
fn short(secret: &str) -> String {
    let beginning = BEGINNINGS.into_iter().find(|beginning| secret.starts_with(beginning)).unwrap_or_default();
    match secret.len() >= 24 && secret.is_ascii() && !secret.contains(['\n', '\r', '\\']) {
        true => format!("{beginning}{HIDDEN}{}", &secret[secret.len() - 4..]),
        false => format!("{beginning}{HIDDEN}"),
    }
}

/// Words that look like keys, wherever they stand; and passwords in addresses.
fn tokens(text: &str) -> String {
    let part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(part) {
        let length = rest[start..].find(|char| !part(char)).unwrap_or(rest.len() - start);
        let (before, word, behind) = (&rest[..start], &rest[start..start + length], &rest[start + length..]);
        let known = BEGINNINGS.into_iter().any(|beginning| word.starts_with(beginning)) && word.len() >= SHORTEST;
        // The part between the colon and the at of `https://name:password@host`.
        let password = before == ":" && behind.starts_with('@') && out.contains("://");
        out.push_str(before);
        out.push_str(&if known || password { short(word) } else { word.to_owned() });
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::masked;
    use crate::format::{Document, Format};

    fn shown(format: Format, text: &str) -> String {
        masked(text, &Document::read(format, text.as_bytes()).unwrap())
    }

    #[test]
    fn secrets_are_hidden_and_the_rest_is_not() {
        for (text, expected) in [
            (
                "{\"env\": {\"ANTHROPIC_AUTH_TOKEN\": \"cf_0123456789012345678901234567890123456789abc\", \"MAX_TOKENS\": \"1000\"}}",
                "{\"env\": {\"ANTHROPIC_AUTH_TOKEN\": \"cf_…9abc\", \"MAX_TOKENS\": \"1000\"}}",
            ),
            ("{\"password\": \"x\", \"a\": \"x\"}", "{\"password\": \"…\", \"a\": \"x\"}"),
            ("{\"headers\": {\"Authorization\": \"Bearer abc\"}}", "{\"headers\": {\"Authorization\": \"…\"}}"),
            ("{\"mcp\": [{\"clientSecret\": {\"a\": \"b\"}}]}", "{\"mcp\": [{\"clientSecret\": {\"a\": \"…\"}}]}"),
            ("{\"apiKeyHelper\": \"/bin/x\", \"apiKey\": null}", "{\"apiKeyHelper\": \"/bin/x\", \"apiKey\": null}"),
            ("{} // sk-ant-0123456789", "{} // sk-…"),
            ("{\"a\": \"https://me:hunter2@host/x\"}", "{\"a\": \"https://me:…@host/x\"}"),
        ] {
            assert_eq!(shown(Format::Json, text), expected);
        }
        assert_eq!(
            shown(Format::Toml, "env_key = \"OPENAI_API_KEY\"\nexperimental_bearer_token = '''\nab\n'''\n"),
            "env_key = \"OPENAI_API_KEY\"\nexperimental_bearer_token = '''…\n\n'''\n"
        );
        assert_eq!(shown(Format::Env, "export A_SECRET='x y' # z\nB=1\n"), "export A_SECRET='…' # z\nB=1\n");
    }
}

//! What a name says of its value.

use super::{MARK, Rules, forms};

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A secret, whatever it looks like.
    Secret,
    /// A secret, if it is long enough to be one: many things are called a token.
    Token,
    /// Who somebody is: a number or a hash at one of the services.
    Person,
    /// Sealed, long, and of no use to a reader.
    Sealed,
    /// Perhaps a file in base64.
    File,
    Plain,
}

/// A name that ends like this is one of a secret. Without case, dashes and underscores.
const SECRET: &[&str] = &[
    "accesskey",
    "accesstoken",
    "apikey",
    "authorization",
    "clientsecret",
    "cookie",
    "credential",
    "credentials",
    "encryptionkey",
    "idtoken",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "refreshtoken",
    "secret",
    "secretkey",
    "sessiontoken",
    "signingkey",
];
/// Names under which services know people. Claude Code's `user_id` holds its account's.
const PERSON: &[&str] = &["userid", "safetyidentifier", "chatgptaccountid", "accountuuid", "openaiorganization"];
const SEALED: &[&str] = &["encryptedcontent", "signature"];
const FILE: &[&str] = &["data", "filedata", "b64json", "partialimageb64", "result", "imageurl", "image", "audio"];
/// Headers whose names hold one of these.
const HEADER: &[&str] =
    &["authorization", "apikey", "cookie", "token", "secret", "password", "credential", "xauth", "turnstate"];
/// What stands in place of a person.
pub(super) const PERSON_MARK: &str = "«person»";
/// Ways to show a secret, which are none themselves.
const SCHEMES: &[&str] = &["basic", "bearer", "digest"];
/// No shorter value of a `token` is taken for one.
const SHORTEST_TOKEN: usize = 16;

pub(super) fn class(name: &str) -> Class {
    let bare = bare(name);
    if SECRET.iter().any(|end| bare.ends_with(end)) {
        Class::Secret
    } else if bare.ends_with("token") {
        Class::Token
    } else if PERSON.contains(&bare.as_str()) {
        Class::Person
    } else if SEALED.contains(&bare.as_str()) {
        Class::Sealed
    } else if FILE.contains(&bare.as_str()) {
        Class::File
    } else {
        Class::Plain
    }
}

/// Whether a value of this class is a secret.
pub(super) fn is_secret(class: Class, value: &str) -> bool {
    match class {
        Class::Secret => !value.is_empty(),
        Class::Token => value.len() >= SHORTEST_TOKEN && !value.contains(char::is_whitespace),
        Class::Person | Class::Sealed | Class::File | Class::Plain => false,
    }
}

/// A header's value.
pub(in super::super) fn header(name: &str, value: &str, rules: Rules<'_>) -> String {
    let bare = bare(name);
    if rules.leaves && PERSON.contains(&bare.as_str()) {
        return PERSON_MARK.to_owned();
    }
    if !HEADER.iter().any(|part| bare.contains(part)) {
        return forms::replace(value, rules).into_owned();
    }
    let secret = value.split_once(' ').map_or(value, |(_, secret)| secret);
    if let Some(known) = rules.known {
        known.note(secret);
    }
    match value.split_once(' ') {
        Some((scheme, _)) if SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) => format!("{scheme} {MARK}"),
        _ => MARK.to_owned(),
    }
}

fn bare(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).map(|letter| letter.to_ascii_lowercase()).collect()
}

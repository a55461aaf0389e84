//! An API key from a variable of the user's own choice.

use codeferry_accounts::Secret;

/// The key that this variable holds, if it holds any.
pub fn key_variable(name: &str) -> Option<Secret> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty()).map(Secret::new)
}

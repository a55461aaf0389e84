//! The auth hosts: tokens for a sign-in, renewed, and given back.

mod ask;
pub(crate) mod codex_login;
pub(crate) mod device;
mod id_token;
pub(crate) mod jwks;
mod refresh;
mod revoke;
pub(crate) mod siwc;
mod tokens;

pub use refresh::OAuth;

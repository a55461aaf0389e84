//! The auth hosts. For now: renewing tokens.

mod refresh;

pub use refresh::OAuth;

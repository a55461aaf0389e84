//! The language of Anthropic's Messages API.

pub mod request;

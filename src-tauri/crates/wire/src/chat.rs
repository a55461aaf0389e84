//! Chat Completions, as OpenAI documents it (platform.openai.com/docs/api-reference/chat) and as the many servers that
//! call themselves compatible really speak it.
//!
//! What is written here is the documented form, and nothing that only one server knows. What is read is whatever any of
//! them sends: a member that is missing or of another kind is as good as absent.

pub mod chunk;
pub mod error;
pub mod request;

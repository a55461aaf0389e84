//! Chat Completions, as OpenAI documents it (platform.openai.com/docs/api-reference/chat) and as the many servers that
//! call themselves compatible really speak it.
//!
//! Both ends stand here. Towards servers: [`request`] is written and [`chunk`]s are read; what is written is the documented
//! form, and what is read is whatever any of them sends: a member that is missing or of another kind is as good as absent.
//! Towards clients: [`ask`] is read and [`frame`]s are written, in the documented form as well.

pub mod ask;
pub mod chunk;
pub mod completion;
pub mod error;
pub mod frame;
pub mod request;

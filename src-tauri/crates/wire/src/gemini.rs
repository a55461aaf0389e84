//! Gemini's `generateContent`, as Google documents it (ai.google.dev/api/generate-content) and as its own clients speak it:
//! the Gemini CLI 0.61.0, `@google/genai` 3.1.0 and `google-genai` 3.4.0.
//!
//! The model and the way of answering stand in the path, the rest in the body. Members may be written in camel or in snake
//! case, as any of Google's JSON.

pub mod answer;
pub mod error;
pub mod frame;
pub mod path;
pub mod request;

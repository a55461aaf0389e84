//! The language of Anthropic's Messages API: what clients ask, and what they are told.

pub mod error;
pub mod frame;
pub mod message;
pub mod request;

pub use error::ErrorKind;
pub use frame::Frame;
pub use message::Message;

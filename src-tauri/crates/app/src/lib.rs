//! The composition root: the one place where concrete things meet.
//!
//! **Invariant:** only binaries and tests know this crate.

#![warn(missing_docs)]

pub mod catalog;
mod clock;
mod environment;
mod listen;
mod owner;
mod paths;

pub use clock::system_clock;
pub use environment::{BadVariable, Environment};
pub use listen::ListenError;
pub use owner::{Owner, OwnerError, OwnerRecord};
pub use paths::{NoHome, Paths};

//! What the tests of the whole house stand on: a gateway and a fake upstream in this process, on loopback, in a folder of
//! their own. Nothing here touches the real home or leaves the machine.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: it looks into JSON, reads the clock, and fails by panicking"
)]

pub mod answer;
pub mod claude;
pub mod sse;
pub mod world;

pub use sse::{Event, events};
pub use world::{Setup, World};

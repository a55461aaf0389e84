//! The binary as people and scripts use it: in a data folder of its own, with the vault's key in a file.
//!
//! Whatever is waited for is an event: a line, an answer, the end of a process.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![expect(clippy::disallowed_types, reason = "what the binary prints is judged as whole JSON")]

mod accounts;
mod capture;
mod dashboard;
mod doctor;
mod exchanges;
mod help;
mod home;
mod importing;
mod keys;
mod logs;
mod looking;
mod managing;
mod migrating;
mod named;
mod quota;
mod serve;
mod settings;
mod setup;
mod sign_in;
#[cfg(unix)]
mod starting;
mod traces;
mod untouched;
mod watching;
mod world;

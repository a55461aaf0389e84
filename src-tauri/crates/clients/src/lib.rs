//! The configuration of clients: somebody else's files, changed by a few keys and so that it can be taken back.
//!
//! [`mod@format`] changes text and is pure. [`apply`] is the way to a file: look, plan, back up, note in the ledger, replace.
//! [`client`] lists the clients and what can be asked about each; [`intent`] is what they are told. [`claude_code`],
//! [`codex_cli`] and their like know which keys make a client come to us. [`shell`] says it to a shell instead of a file.
//!
//! **Invariant:** what cannot be read is not written. No byte changes that does not belong to a key that is meant, and what
//! stood there before is noted on disk before it is replaced.

pub mod apply;
mod backup;
pub mod claude_code;
pub mod client;
pub mod codex_cli;
pub mod continue_dev;
mod disk;
pub mod editors;
pub mod format;
pub mod gemini_cli;
pub mod intent;
mod ledger;
pub mod libraries;
pub mod openclaw;
pub mod opencode;
pub mod shell;
mod swap;
pub mod vscode;
pub mod zed;

//! Editors of text. They keep every byte that is not meant, and do no IO.

pub mod json;

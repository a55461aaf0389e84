//! The one place that prints: data to standard output, talk to standard error.
//!
//! Talk is readable without colour; colour is for terminals, and `NO_COLOR` is obeyed. Sentences that stand alone have
//! no full stop.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

/// Where and how to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Print {
    color: bool,
}

/// ANSI colours of the words talk begins with.
#[derive(Debug, Clone, Copy)]
enum Ink {
    Red,
    Yellow,
    Cyan,
}

// === impl Print ===

impl Print {
    pub(crate) fn new(no_color: bool) -> Self {
        Self { color: !no_color && io::stderr().is_terminal() }
    }

    pub(crate) fn color(self) -> bool {
        self.color
    }

    /// What was asked for, and nothing else. Nothing at all if it is empty.
    ///
    /// A reader who has gone (`| head`) is no failure; a full disk is.
    pub(crate) fn data(self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    /// What was asked for, as one line of JSON.
    pub(crate) fn json(self, value: &impl Serialize) -> io::Result<()> {
        self.data(&serde_json::to_string(value)?)
    }

    /// A remark.
    pub(crate) fn note(self, text: &str) {
        Self::talk(text);
    }

    pub(crate) fn warning(self, text: &str) {
        Self::talk(&format!("{} {text}", self.word(Ink::Yellow, "warning:")));
    }

    pub(crate) fn error(self, text: &str) {
        Self::talk(&format!("{} {text}", self.word(Ink::Red, "error:")));
    }

    /// What to do next, set apart by an empty line.
    pub(crate) fn hint(self, text: &str) {
        Self::talk(&format!("\n{} {text}", self.word(Ink::Cyan, "hint:")));
    }

    fn word(self, ink: Ink, word: &str) -> String {
        if !self.color {
            return word.to_owned();
        }
        let code = match ink {
            Ink::Red => 31,
            Ink::Yellow => 33,
            Ink::Cyan => 36,
        };
        format!("\x1b[1;{code}m{word}\x1b[0m")
    }

    /// Nobody is left to hear that nobody hears us.
    fn talk(text: &str) {
        drop(writeln!(io::stderr().lock(), "{text}"));
    }
}

/// Columns, two spaces apart. No line ends in a space.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Ink, Print, table};

    #[test]
    fn columns_stand_below_each_other() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let text = table(&[row(["a", "long one", "x"]), row(["bb", "é", ""])]);
        assert_eq!(text, "a   long one  x\nbb  é");
        assert_eq!(table::<2>(&[]), "");
    }

    #[test]
    fn colour_only_where_it_is_wanted() {
        assert_eq!(Print { color: false }.word(Ink::Red, "error:"), "error:");
        assert_eq!(Print { color: true }.word(Ink::Red, "error:"), "\x1b[1;31merror:\x1b[0m");
    }
}

//! What a shell is told so that the programs started from it come to us: lines to be evaluated, for those who want no file
//! changed.
//!
//! **Invariant:** a value stands in its line as data. Whatever is in it, the shell runs nothing of it.

/// A shell whose language we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// sh, bash, zsh, dash, ksh.
    Sh,
    Fish,
    PowerShell,
    /// The prompt of Windows.
    Cmd,
}

/// One line.
#[derive(Clone, PartialEq, Eq)]
pub enum Line {
    /// For whoever reads it.
    Comment(String),
    /// A variable for all that is started from here on.
    Set(String, String),
    /// A variable that is to be gone.
    Unset(String),
}

/// The lines in the language of a shell. A value that a line cannot hold is left out, with a comment in its place.
pub fn text(shell: Shell, lines: &[Line]) -> String {
    lines.iter().map(|line| shell.line(line) + "\n").collect()
}

// === impl Shell ===

impl Shell {
    pub const ALL: [Self; 4] = [Self::Sh, Self::Fish, Self::PowerShell, Self::Cmd];

    /// The one a program of that name or path is; one that nobody knows understands sh.
    pub fn of_program(path: &str) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
        match name.strip_suffix(".exe").unwrap_or(&name) {
            "fish" => Self::Fish,
            "pwsh" | "powershell" => Self::PowerShell,
            "cmd" => Self::Cmd,
            _ => Self::Sh,
        }
    }

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sh => "sh",
            Self::Fish => "fish",
            Self::PowerShell => "powershell",
            Self::Cmd => "cmd",
        }
    }

    /// The command that evaluates what another command prints.
    pub fn evaluating(self, command: &str) -> String {
        match self {
            Self::Sh => format!("eval \"$({command})\""),
            Self::Fish => format!("{command} | source"),
            Self::PowerShell => format!("{command} | Out-String | Invoke-Expression"),
            Self::Cmd => format!("for /f \"delims=\" %i in ('{command}') do @%i"),
        }
    }

    fn line(self, line: &Line) -> String {
        match line {
            Line::Comment(text) => self.comment(text),
            // A name of another form would be a command.
            Line::Set(name, _) | Line::Unset(name) if !is_name(name) => {
                self.comment("a variable was left out: its name")
            }
            Line::Set(name, value) if !self.holds(value) => {
                self.comment(&format!("{name} was left out: it holds what a line cannot hold"))
            }
            Line::Set(name, value) => match self {
                Self::Sh => format!("export {name}='{}'", value.replace('\'', r"'\''")),
                Self::Fish => format!("set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'")),
                Self::PowerShell => format!("$env:{name} = '{}'", doubled(value)),
                Self::Cmd => format!("set \"{name}={value}\""),
            },
            Line::Unset(name) => match self {
                Self::Sh => format!("unset {name}"),
                Self::Fish => format!("set -e {name}"),
                Self::PowerShell => format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue"),
                Self::Cmd => format!("set \"{name}=\""),
            },
        }
    }

    fn comment(self, text: &str) -> String {
        let text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        match self {
            // Its `rem` reads on to the end of the line, but `&` and `|` would begin a command.
            Self::Cmd => {
                format!("rem {}", text.replace(['&', '|', '<', '>', '^', '%', '!'], " "))
            }
            _ => format!("# {text}"),
        }
    }

    /// Whether a line can hold this. The prompt of Windows has no way to say a quote within quotes.
    fn holds(self, value: &str) -> bool {
        !value.chars().any(|char| char.is_control() || (self == Self::Cmd && matches!(char, '"' | '%' | '!')))
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// PowerShell takes typographic quotes for plain ones
/// (<https://learn.microsoft.com/powershell/scripting/lang-spec/chapter-02>).
fn doubled(value: &str) -> String {
    let quote = |char| matches!(char, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}');
    value.chars().flat_map(|char| std::iter::repeat_n(char, if quote(char) { 2 } else { 1 })).collect()
}

// === impl Line ===

/// A value may be a key.
impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Comment(text) => write!(f, "# {text}"),
            Self::Set(name, _) => write!(f, "set {name}"),
            Self::Unset(name) => write!(f, "unset {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Shell, text};

    #[test]
    fn each_shell_is_told_in_its_language() {
        let lines = [
            Line::Comment("for this shell".to_owned()),
            Line::Set("A_KEY".to_owned(), r"it's $HOME \ `x`".to_owned()),
            Line::Unset("OTHER".to_owned()),
        ];
        assert_eq!(text(Shell::Sh, &lines), "# for this shell\nexport A_KEY='it'\\''s $HOME \\ `x`'\nunset OTHER\n");
        assert_eq!(
            text(Shell::Fish, &lines),
            "# for this shell\nset -gx A_KEY 'it\\'s $HOME \\\\ `x`'\nset -e OTHER\n"
        );
        assert_eq!(
            text(Shell::PowerShell, &lines),
            "# for this shell\n$env:A_KEY = 'it''s $HOME \\ `x`'\nRemove-Item Env:OTHER -ErrorAction SilentlyContinue\n"
        );
        assert_eq!(text(Shell::Cmd, &lines), "rem for this shell\nset \"A_KEY=it's $HOME \\ `x`\"\nset \"OTHER=\"\n");
    }

    #[test]
    fn what_a_line_cannot_hold_is_left_out() {
        let set = |value: &str| [Line::Set("NAME".to_owned(), value.to_owned())];
        for shell in Shell::ALL {
            let told = text(shell, &set("a\nrm -rf /"));
            assert!(!told.contains("rm -rf") && told.lines().count() == 1, "{told}");
            let told = text(shell, &[Line::Set("A;B".to_owned(), "x".to_owned()), Line::Comment("x\nevil".to_owned())]);
            assert!(!told.contains("A;B") && told.lines().count() == 2, "{told}");
        }
        assert!(text(Shell::Cmd, &set("\" & evil")).starts_with("rem "));
        assert!(!text(Shell::Cmd, &[Line::Comment("a & b | c > d".to_owned())]).contains(['&', '|', '>']));
        assert_eq!(text(Shell::PowerShell, &set("\u{2019}; evil")), "$env:NAME = '\u{2019}\u{2019}; evil'\n");
    }

    /// What sh makes of a line is what was meant, whatever stands in it.
    #[cfg(unix)]
    #[test]
    fn sh_reads_back_what_was_meant() {
        for value in ["", "plain", "it's", "'; echo evil; '", "$(echo evil)", "a b  c", "\\", "*", "é\u{2019}", "!x"] {
            let lines = text(Shell::Sh, &[Line::Set("NAME".to_owned(), value.to_owned())]);
            let script = format!("{lines}printf %s \"$NAME\"");
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
        }
    }

    #[test]
    fn a_shell_is_known_by_its_program() {
        assert_eq!(Shell::of_program("/usr/bin/fish"), Shell::Fish);
        assert_eq!(Shell::of_program(r"C:\Program Files\PowerShell\7\pwsh.exe"), Shell::PowerShell);
        assert_eq!(Shell::of_program("/bin/zsh"), Shell::Sh);
        assert_eq!(Shell::of_program(""), Shell::Sh);
    }
}

//! The desktop entry that starts us at login on Linux, as text. Pure.
//!
//! Written by ourselves: the plugin puts the path into `Exec` as it is, and one with a space then starts nothing.
//!
//! Facts: Desktop Entry Specification 1.5, "The Exec key" (quoting) and "Possible value types" (escapes); Desktop
//! Application Autostart Specification 0.5 (`Hidden`); `X-GNOME-Autostart-enabled` is what GNOME's and other settings write
//! to switch an entry off.

/// The group everything stands in.
const GROUP: &str = "[Desktop Entry]";
/// How we are started at login.
const ARGUMENT: &str = "--hidden";
/// What starts a program whose path has a percent sign: GLib (2.74) looks for the first word as it stands, with the sign
/// doubled, and takes an entry for broken that has none such.
const STARTER: &str = "env";

/// What a file in the autostart folder says of us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// It starts this program at login.
    On {
        /// As the file names it. `None`: its `Exec` cannot be read.
        program: Option<String>,
    },
    /// Somebody switched it off without removing it.
    SwitchedOff,
}

/// A path that no entry can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a program in a folder whose name has a line break, a control character or an equals sign cannot be started at login: move it"
)]
pub(super) struct Unspeakable;

/// The whole entry for a program at that path.
pub(super) fn text(program: &str) -> Result<String, Unspeakable> {
    let (exec, try_exec) = (exec(program, &[ARGUMENT])?, escaped(program));
    Ok(format!(
        "{GROUP}\nType=Application\nVersion=1.5\nName=Codeferry\nComment=Your coding agents on your plan, from the tray\n\
         Exec={exec}\nTryExec={try_exec}\nIcon=codeferry-desktop\nTerminal=false\nStartupNotify=false\n\
         X-GNOME-Autostart-enabled=true\n"
    ))
}

/// What an entry says.
pub(super) fn read(text: &str) -> Found {
    let is = |key: &str, value: &str| lines(text).any(|(name, found)| name == key && found.eq_ignore_ascii_case(value));
    if is("Hidden", "true") || is("X-GNOME-Autostart-enabled", "false") {
        return Found::SwitchedOff;
    }
    let exec = lines(text).find(|(name, _)| *name == "Exec").map(|(_, value)| value);
    Found::On { program: exec.and_then(command).map(|(program, _)| program) }
}

/// The same entry for a program that has moved: everything else that somebody wrote into it stays, arguments included.
/// `None`: it names the program already.
pub(super) fn moved(entry: &str, program: &str) -> Result<Option<String>, Unspeakable> {
    let known = lines(entry).find(|(name, _)| *name == "Exec").and_then(|(_, value)| command(value));
    let Some((old, arguments)) = known else { return text(program).map(Some) };
    if old == program {
        return Ok(None);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (exec, try_exec) = (exec(program, &arguments)?, escaped(program));
    let mut in_group = false;
    let mut out = String::with_capacity(entry.len() + program.len());
    for line in entry.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            in_group = trimmed == GROUP;
        }
        let key = line.split_once('=').map(|(key, _)| key.trim()).filter(|_| in_group);
        match key {
            Some("Exec") => out += &format!("Exec={exec}"),
            Some("TryExec") => out += &format!("TryExec={try_exec}"),
            _ => out += line,
        }
        out.push('\n');
    }
    Ok(Some(out))
}

/// The keys of the main group, in order.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let group = text.lines().skip_while(|line| line.trim() != GROUP).skip(1);
    let group = group.take_while(|line| !line.trim_start().starts_with('['));
    let keys = group.filter(|line| !line.trim_start().starts_with('#')).filter_map(|line| line.split_once('='));
    keys.map(|(key, value)| (key.trim(), value.trim()))
}

/// A command line as the value of `Exec`.
fn exec(program: &str, arguments: &[&str]) -> Result<String, Unspeakable> {
    if program.is_empty() || program.chars().any(|c| c.is_control() || c == '=') {
        return Err(Unspeakable);
    }
    let starter = Some(STARTER).filter(|_| program.contains('%'));
    let words = starter.into_iter().chain([program]).chain(arguments.iter().copied());
    Ok(escaped(&words.map(quoted).collect::<Vec<_>>().join(" ")))
}

/// The program and its arguments in a value of `Exec`.
fn command(value: &str) -> Option<(String, Vec<String>)> {
    let mut words = words(value)?.into_iter();
    let first = words.next()?;
    let program = if first == STARTER { words.next()? } else { first };
    Some((program, words.collect()))
}

/// One argument. Reserved characters need quotes, four of them a backslash within, and a percent sign is doubled, since it
/// begins a field code.
fn quoted(argument: &str) -> String {
    const RESERVED: &str = " \t\n\"'\\><~|&;$*?#()`";
    let doubled = argument.replace('%', "%%");
    if !doubled.is_empty() && !doubled.contains(|c| RESERVED.contains(c)) {
        return doubled;
    }
    let mut out = String::from("\"");
    for c in doubled.chars() {
        if matches!(c, '"' | '`' | '$' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// A text as the value of any key: this comes on top of the quoting.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
}

/// Takes a value of `Exec` apart again, without field codes. `None`: it does not follow the rules.
fn words(value: &str) -> Option<Vec<String>> {
    let plain = unescaped(value);
    let (mut words, mut word, mut quotes) = (Vec::new(), None::<String>, false);
    let mut rest = plain.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                quotes = !quotes;
                word.get_or_insert_default();
            }
            '\\' if quotes => word.get_or_insert_default().push(rest.next()?),
            // A field code stands for nothing at login.
            '%' => word.get_or_insert_default().extend(Some(rest.next()?).filter(|code| *code == '%')),
            ' ' | '\t' if !quotes => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (!quotes).then_some(words)
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('s') => out.push(' '),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') => out.push('\\'),
            // Some writers leave out the second escaping: take it as it was meant.
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Found, Unspeakable, escaped, exec, lines, moved, read, text};

    fn program(entry: &str) -> Option<String> {
        match read(entry) {
            Found::On { program } => program,
            Found::SwitchedOff => panic!("it is on: {entry}"),
        }
    }

    #[test]
    fn exec_is_quoted_as_the_specification_says() {
        for (path, value) in [
            ("/usr/bin/codeferry-desktop", "/usr/bin/codeferry-desktop --hidden"),
            ("/opt/My Apps/codeferry", "\"/opt/My Apps/codeferry\" --hidden"),
            ("/opt/100%/codeferry", "env /opt/100%%/codeferry --hidden"),
            ("/opt/a\"b/x", r#""/opt/a\\"b/x" --hidden"#),
            ("/opt/$HOME/x", r#""/opt/\\$HOME/x" --hidden"#),
            (r"/opt/a\b/x", r#""/opt/a\\\\b/x" --hidden"#),
            ("/opt/it's/x", "\"/opt/it's/x\" --hidden"),
        ] {
            assert_eq!(exec(path, &["--hidden"]).as_deref(), Ok(value), "{path}");
        }
        for path in ["", "/opt/a\nb", "/opt/a=b/x", "/opt/\u{7}"] {
            assert_eq!(text(path), Err(Unspeakable), "{path:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for path in [
            "/usr/bin/codeferry-desktop",
            "/home/anna müller/apps & co/Codeferry 0.1.0.AppImage",
            "/x/\"q\"/`t`/$v/%p/\\b\\/#h/(1)",
            "/x/\\s\\n",
        ] {
            let entry = text(path).unwrap();
            assert_eq!(program(&entry).as_deref(), Some(path), "{entry}");
            assert_eq!(moved(&entry, path), Ok(None));
            let other = moved(&entry, "/elsewhere/x y").unwrap().unwrap();
            assert_eq!(program(&other).as_deref(), Some("/elsewhere/x y"), "{other}");
            assert!(other.contains("--hidden"), "{other}");
            let tries = lines(&other).find(|(key, _)| *key == "TryExec").unwrap().1;
            assert_eq!(tries, escaped("/elsewhere/x y"));
        }
    }

    #[test]
    fn a_person_has_the_last_word() {
        let entry = text("/usr/bin/x").unwrap();
        assert_eq!(read(&format!("{entry}Hidden=true\n")), Found::SwitchedOff);
        let switched = entry.replace("X-GNOME-Autostart-enabled=true", "X-GNOME-Autostart-enabled=false");
        assert_eq!(read(&switched), Found::SwitchedOff);
        // Another group is another matter.
        assert_ne!(read(&format!("{entry}\n[Desktop Action quit]\nHidden=true\n")), Found::SwitchedOff);
    }

    #[test]
    fn what_somebody_wrote_into_it_stays_when_the_program_moves() {
        let edited = "# mine\n[Desktop Entry]\nType=Application\nExec=/old/x --demo\nX-GNOME-Autostart-Delay=10\nName=Mine\n\n\
                      [Desktop Action quit]\nExec=/old/x --quit\n";
        assert_eq!(
            moved(edited, "/new place/x").unwrap().unwrap(),
            "# mine\n[Desktop Entry]\nType=Application\nExec=\"/new place/x\" --demo\nX-GNOME-Autostart-Delay=10\nName=Mine\n\n\
             [Desktop Action quit]\nExec=/old/x --quit\n"
        );
        assert_eq!(moved(edited, "/old/x"), Ok(None));
    }

    #[test]
    fn an_entry_nobody_can_read_is_made_anew() {
        for broken in
            ["", "[Desktop Entry]\nType=Application\n", "[Desktop Entry]\nExec=\"/x\n", "[Desktop Entry]\nExec=env\n"]
        {
            assert_eq!(read(broken), Found::On { program: None }, "{broken:?}");
            assert_eq!(moved(broken, "/usr/bin/x").unwrap(), Some(text("/usr/bin/x").unwrap()));
        }
    }
}

//! Habits that can be seen in a file without understanding it.

/// A file of Rust, with its path from the root of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Past this a file has stopped being one idea.
const MOST_LINES: usize = 800;

/// What a pure crate never says, with what to do instead.
const IMPURE: &[(&str, &str)] = &[
    ("std::fs", "it has no filesystem"),
    ("std::net", "it has no network"),
    ("std::env", "it has no environment"),
    ("std::process", "it starts nothing"),
    ("std::thread", "it has no threads"),
    ("SystemTime", "time is an argument"),
    ("Instant::now", "time is an argument"),
    ("async fn", "it has no async"),
    (".await", "it has no async"),
];

const PURE: &[&str] = &["src-tauri/crates/wire/src/", "src-tauri/crates/translate/src/"];

/// What is broken, one sentence each.
pub(crate) fn broken(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for Source { path, text } in sources {
        if path.ends_with("/mod.rs") {
            broken.push(format!("{path}: modules are `foo.rs` beside `foo/`"));
        }
        let lines = text.lines().count();
        if path.contains("/src/") && lines > MOST_LINES {
            broken.push(format!("{path}: {lines} lines, more than {MOST_LINES}: split it by mechanism"));
        }
        if PURE.iter().any(|start| path.starts_with(start)) && !is_test(path) {
            broken.extend(impurities(text).map(|(line, why)| format!("{path}:{line}: {why}")));
        }
    }
    broken
}

/// Whether a manifest has `[lints] workspace = true` and sets none of its own.
pub(crate) fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    let inherits = lines.by_ref().any(|line| line == "[lints]") && lines.next() == Some("workspace = true");
    inherits && !manifest.lines().any(|line| line.trim_start().starts_with("[lints."))
}

/// Whether a manifest sets the lints of the workspace, one by one, and denies `unsafe` instead of forbidding it: then a module can
/// have it, with a reason that is read.
pub(crate) fn repeats_lints(manifest: &str, workspace: &str) -> bool {
    let (own, all) = (lints(manifest, "[lints."), lints(workspace, "[workspace.lints."));
    let unsafety = |lint: &(&str, &str)| lint.1.starts_with("unsafe_code");
    !all.is_empty()
        && all.iter().filter(|lint| !unsafety(lint)).all(|lint| own.contains(lint))
        && own.contains(&("rust]", r#"unsafe_code = "deny""#))
}

/// Each with the table it stands in.
fn lints<'a>(manifest: &'a str, tables: &str) -> Vec<(&'a str, &'a str)> {
    let mut table = None;
    let lines = manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter_map(|line| {
            if line.starts_with('[') {
                table = line.strip_prefix(tables);
                return None;
            }
            Some((table?, line))
        })
        .collect()
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Line numbers and reasons. Comments do not count, nor what stands after the test module begins.
fn impurities(text: &str) -> impl Iterator<Item = (usize, &'static str)> + '_ {
    let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    code.enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")).flat_map(|(index, line)| {
        IMPURE.iter().filter(move |(word, _)| line.contains(word)).map(move |(_, why)| (index + 1, *why))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> Vec<String> {
        broken(&[Source { path: path.to_owned(), text: text.to_owned() }])
    }

    const PURE_FILE: &str = "src-tauri/crates/wire/src/sse.rs";

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(one("src-tauri/crates/app/src/lib.rs", &"\n".repeat(MOST_LINES)), Vec::<String>::new());
        assert_eq!(one("src-tauri/crates/app/src/lib.rs", &"\n".repeat(MOST_LINES + 1)).len(), 1);
        assert_eq!(one("src-tauri/crates/app/src/deep/down/file.rs", &"\n".repeat(MOST_LINES + 1)).len(), 1);
    }

    #[test]
    fn a_mod_file_is_found() {
        assert_eq!(one("src-tauri/crates/app/src/thing/mod.rs", "").len(), 1);
        assert_eq!(one("tests/support/mod.rs", "").len(), 1);
        assert_eq!(one("src-tauri/crates/app/src/thing.rs", ""), Vec::<String>::new());
    }

    #[test]
    fn each_impurity_is_found_in_a_pure_crate_and_nowhere_else() {
        for (word, _) in IMPURE {
            let text = format!("fn f() {{\n    {word};\n}}\n");
            assert_eq!(one(PURE_FILE, &text).len(), 1, "{word}");
            assert_eq!(one("src-tauri/crates/store/src/lib.rs", &text), Vec::<String>::new(), "{word}");
            assert_eq!(one("src-tauri/crates/wire/src/sse/tests.rs", &text), Vec::<String>::new(), "{word}");
        }
    }

    #[test]
    fn comments_and_the_test_module_may_speak_of_time() {
        assert_eq!(
            one(PURE_FILE, "//! Never asks SystemTime.\n#[cfg(test)]\nmod tests {\n use std::fs;\n}\n"),
            Vec::<String>::new()
        );
        assert_eq!(one(PURE_FILE, "fn f() {\n    SystemTime::now();\n}\n#[cfg(test)]\nmod tests;\n").len(), 1);
    }

    #[test]
    fn lints_of_ones_own_are_found() {
        assert!(inherits_lints("[package]\n\n[lints]\nworkspace = true\n"));
        assert!(!inherits_lints("[package]\nname = \"x\"\n"));
        assert!(!inherits_lints("[lints]\nrust.unused = \"allow\"\n"));
        assert!(!inherits_lints("[lints]\nworkspace = true\n\n[lints.clippy]\nall = \"allow\"\n"));
    }

    #[test]
    fn lints_that_are_repeated_are_all_of_them() {
        let workspace =
            "[workspace.lints.rust]\nunsafe_code = \"forbid\"\nx = \"warn\"\n[workspace.lints.clippy]\ny = \"deny\"\n";
        let own = |text: &str| repeats_lints(text, workspace);
        let good = "[lints.rust]\nunsafe_code = \"deny\"\n# more\nx = \"warn\"\n\n[lints.clippy]\ny = \"deny\"\n[dependencies]\n";
        assert!(own(good));
        for bad in [
            good.replace("\"deny\"\n#", "\"allow\"\n#"),
            good.replace("x = \"warn\"", "x = \"allow\""),
            good.replace("[lints.clippy]", "[dependencies]"),
            String::new(),
        ] {
            assert!(!own(&bad), "{bad}");
        }
        assert!(!repeats_lints(good, ""), "the workspace was not read");
    }
}

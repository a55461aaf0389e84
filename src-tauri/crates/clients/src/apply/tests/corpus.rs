//! Settings as people have them: each is set up, and taken back to the byte.

use std::fs;
use std::path::{Path, PathBuf};

use super::several::now;
use crate::apply::{Change, Desk, Seen, Trouble, Wish};
use crate::format::{Format, Value};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/clients")
}

fn format_of(name: &str) -> Format {
    match name.rsplit('.').next().unwrap() {
        "toml" => Format::Toml,
        "json5" => Format::Json5,
        "env" => Format::Env,
        "yaml" => Format::Yaml,
        _ if name.starts_with("groups-") => Format::Groups,
        _ => Format::Json,
    }
}

/// What a client of that language is told.
fn wishes(format: Format) -> Vec<Wish> {
    let take = |pointer: &str, value: Option<Value>| Wish::Take { pointer: pointer.parse().unwrap(), value, key: None };
    let provider = || {
        Value::table([
            ("baseUrl", "http://127.0.0.1:8081/v1".into()),
            ("apiKey", "cf_x".into()),
            ("models", vec![Value::table([("id", "m".into())])].into()),
        ])
    };
    match format {
        Format::Json => vec![
            take("/env/ANTHROPIC_BASE_URL", Some("http://127.0.0.1:8081".into())),
            take("/env/ANTHROPIC_AUTH_TOKEN", Some("cf_x".into())),
            take("/env/ANTHROPIC_API_KEY", None),
            take("/skipWebFetchPreflight", Some(true.into())),
            take("/provider/codeferry", Some(provider())),
        ],
        Format::Json5 => vec![
            take("/models/providers/codeferry", Some(provider())),
            take("/agents/defaults/model/primary", Some("codeferry/m".into())),
        ],
        Format::Toml => vec![
            take("/model_provider", Some("codeferry".into())),
            take(
                "/model_providers/codeferry",
                Some(Value::table([("name", "Codeferry".into()), ("supports_websockets", true.into())])),
            ),
        ],
        Format::Env => vec![
            take("/OPENAI_BASE_URL", Some("http://127.0.0.1:8081/v1".into())),
            take("/OPENAI_API_KEY", Some("cf_x y".into())),
            take("/HTTPS_PROXY", None),
        ],
        Format::Groups => {
            let model =
                || Value::table([("url", "http://127.0.0.1:8081/v1/responses".into()), ("toolCalling", true.into())]);
            let models = Value::table([("a", model()), ("b", model())]);
            vec![take("/Codeferry/vendor", Some("customendpoint".into())), take("/Codeferry/models", Some(models))]
        }
        Format::Yaml => {
            let model =
                |name: &str| Value::table([("name", name.into()), ("apiBase", "http://127.0.0.1:8081/v1".into())]);
            let item = |name: &str| (name.to_owned(), Value::List(vec![model(name)]));
            vec![take("/models", Some(Value::Table(vec![item("Codeferry A"), item("Codeferry B")])))]
        }
    }
}

fn attempt(desk: &Desk, file: &Path, format: Format) -> Result<(), Trouble> {
    let change = Change { file: file.to_owned(), format, wishes: wishes(format) };
    desk.apply("some-client", &Seen::default(), &[change], now()).map(drop)
}

#[test]
fn real_settings_come_back_to_the_byte() {
    let home = tempfile::tempdir().unwrap();
    let mut count = 0;
    for entry in fs::read_dir(corpus().join("good")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let file = home.path().join(&name);
        let original = fs::read(corpus().join("good").join(&name)).unwrap();
        fs::write(&file, &original).unwrap();
        let desk = Desk::new(home.path().join("data").join(&name));
        attempt(&desk, &file, format_of(&name)).unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
        assert_ne!(fs::read(&file).unwrap(), original, "{name}");
        assert!(desk.owned(None).unwrap().iter().all(|own| own.intact));
        desk.revert("some-client", now()).unwrap();
        assert!(fs::read(&file).unwrap() == original, "{name}: {}", fs::read_to_string(&file).unwrap());
        count += 1;
    }
    assert!(count >= 14, "{count}");
}

/// Each name says in which line the fault lies.
#[test]
fn broken_settings_are_left_alone_and_the_place_is_named() {
    let home = tempfile::tempdir().unwrap();
    let mut count = 0;
    for entry in fs::read_dir(corpus().join("bad")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let (file, line) = (home.path().join(&name), name.split('.').next().unwrap().rsplit('-').next().unwrap());
        let original = fs::read(corpus().join("bad").join(&name)).unwrap();
        fs::write(&file, &original).unwrap();
        let trouble = attempt(&Desk::new(home.path().join("data")), &file, format_of(&name)).unwrap_err();
        let text = trouble.to_string();
        assert!(
            text.contains(&format!("line {line}, column ")) && text.contains("it was left as it is"),
            "{name}: {text}"
        );
        assert!(fs::read(&file).unwrap() == original, "{name}");
        count += 1;
    }
    assert!(count >= 9, "{count}");
}

/// As large as may be, and one larger; empty; behind links; where a folder is.
#[test]
fn files_of_any_size_and_kind() {
    let home = tempfile::tempdir().unwrap();
    let desk = Desk::new(home.path().join("data"));
    let file = home.path().join("settings.json");
    let item =
        "    {\"matcher\": \"Edit|Write\", \"hooks\": [{\"type\": \"command\", \"command\": \"prettier --write\"}]},\n";
    let huge =
        format!("{{\n  \"hooks\": [\n{}    {{}}\n  ]\n}}\n", item.repeat(crate::format::LARGEST / item.len() - 20));
    fs::write(&file, &huge).unwrap();
    let begun = std::time::Instant::now();
    attempt(&desk, &file, Format::Json).unwrap();
    desk.revert("some-client", now()).unwrap();
    assert!(fs::read_to_string(&file).unwrap() == huge);
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    fs::write(&file, huge.repeat(2)).unwrap();
    let trouble = attempt(&desk, &file, Format::Json).unwrap_err();
    assert!(trouble.to_string().contains("it is larger than 5 MiB; it was left as it is"), "{trouble}");
    fs::write(&file, "").unwrap();
    attempt(&desk, &file, Format::Json).unwrap();
    desk.revert("some-client", now()).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"");
    fs::write(&file, b"{\"a\": \"\xe4\"}").unwrap();
    let trouble = attempt(&desk, &file, Format::Json).unwrap_err();
    assert!(trouble.to_string().contains("line 1, column 8: this is not UTF-8"), "{trouble}");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let trouble = attempt(&desk, &file, Format::Json).unwrap_err();
    assert!(trouble.to_string().contains("it is a folder; it was left as it is"), "{trouble}");
    // A file where a folder should be.
    let below = home.path().join("file/settings.json");
    fs::write(home.path().join("file"), "x").unwrap();
    let trouble = attempt(&desk, &below, Format::Json).unwrap_err();
    assert!(matches!(trouble, Trouble::Read { .. } | Trouble::Write { .. }), "{trouble}");
}

#[cfg(unix)]
#[test]
fn links_stay_links_and_circles_are_refused() {
    use std::os::unix::fs::symlink;
    let home = tempfile::tempdir().unwrap();
    let desk = Desk::new(home.path().join("data"));
    let (file, between, real) =
        (home.path().join("config.toml"), home.path().join("between"), home.path().join("dotfiles/codex.toml"));
    fs::create_dir(home.path().join("dotfiles")).unwrap();
    fs::write(&real, "a = 1\n").unwrap();
    symlink(&real, &between).unwrap();
    symlink("between", &file).unwrap();
    attempt(&desk, &file, Format::Toml).unwrap();
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink() && fs::symlink_metadata(&between).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("codeferry"));
    assert_eq!(desk.owned(None).unwrap()[0].file, file);
    assert!(desk.backups(None)[0].file.ends_with("config.toml"));
    // The link leads elsewhere now: what is ours lies where it was written, and is taken back there.
    let other = home.path().join("other.toml");
    fs::write(&other, "b = 2\n").unwrap();
    fs::remove_file(&file).unwrap();
    symlink(&other, &file).unwrap();
    desk.revert("some-client", now()).unwrap();
    assert_eq!(
        (fs::read_to_string(&real).unwrap(), fs::read_to_string(&other).unwrap()),
        ("a = 1\n".to_owned(), "b = 2\n".to_owned())
    );
    fs::remove_file(&file).unwrap();
    symlink("config.toml", &file).unwrap();
    let trouble = attempt(&desk, &file, Format::Toml).unwrap_err();
    assert!(trouble.to_string().contains("its links lead in a circle; it was left as it is"), "{trouble}");
}

/// Whatever the disk says at any step, it is told in words, and the file is as it was.
#[test]
fn a_full_disk_is_called_full() {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    let home = super::several::Home::new();
    let disk = super::Faulty::at(usize::MAX, false);
    let steps = Arc::clone(&disk.done);
    home.apply(&home.desk(disk), "cf_1").unwrap();
    let after = home.files();
    let mut said = 0;
    for at in 0..steps.load(Ordering::SeqCst) {
        let home = super::several::Home::new();
        let before = home.files();
        let disk = super::Faulty { kind: std::io::ErrorKind::StorageFull, ..super::Faulty::at(at, true) };
        if let Err(trouble) = home.apply(&home.desk(disk), "cf_1") {
            let text = trouble.to_string();
            said += usize::from(text.contains("the disk is full"));
            if !matches!(trouble, Trouble::Half { .. }) {
                assert_eq!(home.plain(), before, "{at}: {text}");
            }
            home.well().mend(now()).unwrap();
            assert!(
                home.files() == before || (matches!(trouble, Trouble::Half { .. }) && home.files() == after),
                "{at}: {text}"
            );
        }
    }
    assert!(said > 20, "{said}");
}

/// A disk of our own that is really full; where none can be had, the test above stands alone.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_really_full_changes_nothing() {
    use std::process::{Command, Stdio};
    let home = tempfile::tempdir().unwrap();
    let small = home.path().join("small");
    fs::create_dir(&small).unwrap();
    let run = |program: &str, args: &[&str]| {
        let status = Command::new(program).args(args).arg(&small).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if !run("mount", &["-t", "tmpfs", "-o", "size=128k", "tmpfs"]) {
        return;
    }
    let file = small.join("config.toml");
    let text = "a = 1 # one\n".to_owned() + &"# a line of a comment\n".repeat(2000);
    fs::write(&file, &text).unwrap();
    fs::write(small.join("filler"), vec![b'x'; 60_000]).unwrap();
    let elsewhere = attempt(&Desk::new(home.path().join("data")), &file, Format::Toml);
    let there = attempt(&Desk::new(small.join("data")), &file, Format::Toml);
    let (now, names) = (fs::read_to_string(&file).unwrap(), fs::read_dir(&small).unwrap().count());
    assert!(run("umount", &[]));
    for trouble in [elsewhere.unwrap_err(), there.unwrap_err()] {
        assert!(trouble.to_string().contains("the disk is full"), "{trouble}");
    }
    assert!(now == text && names == 3, "the file, the filler and a data folder: {names}");
}

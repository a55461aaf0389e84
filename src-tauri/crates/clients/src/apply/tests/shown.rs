//! The difference that is shown is the change that is made.

use std::fs;

use super::several::{Home, now, set_up};
use crate::apply::Seen;
use crate::apply::mask::masked;
use crate::format::{Document, Format};

/// Does what a difference says, as `patch` would.
fn patched(text: &str, diff: &str) -> String {
    let old: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut out, mut at) = (String::new(), 0);
    let lines: Vec<&str> = diff.split_inclusive('\n').collect();
    for (number, line) in lines.iter().enumerate() {
        let open = lines.get(number + 1).is_some_and(|next| next.starts_with("\\ No newline"));
        let body = if open { line[1..].strip_suffix('\n').unwrap() } else { &line[1..] };
        match line.chars().next().unwrap() {
            _ if line.starts_with("--- ") || line.starts_with("+++ ") => {}
            '@' => {
                let start: usize = line.split(['-', ',', ' ']).nth(2).unwrap().parse().unwrap();
                while at + 1 < start {
                    out.push_str(old[at]);
                    at += 1;
                }
            }
            ' ' | '-' => {
                assert_eq!(old[at], body, "{diff}");
                if line.starts_with(' ') {
                    out.push_str(body);
                }
                at += 1;
            }
            '+' => out.push_str(body),
            '\\' => {}
            _ => panic!("{line}"),
        }
    }
    old[at..].iter().for_each(|line| out.push_str(line));
    out
}

/// A text as it is shown.
fn shown(format: Format, text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    masked(text, &Document::read(format, text.as_bytes()).unwrap())
}

const KEY: &str = "cf_0123456789012345678901234567890123456789abc";

#[test]
fn what_is_shown_is_what_is_done() {
    for (home, key) in [(Home::new(), KEY), (set_up("cf_9123456789012345678901234567890123456789abc"), KEY)] {
        let previews = home.well().preview("codex", &Seen::default(), &home.changes(key)).unwrap();
        assert_eq!(home.well().preview("codex", &Seen::default(), &home.changes(key)).unwrap(), previews);
        home.apply(&home.well(), key).unwrap();
        for file in &previews {
            let now = fs::read_to_string(&file.file).ok();
            assert_eq!(now, file.after, "what was foretold came");
            let (before, after) =
                (shown(file.format, file.before.as_deref()), shown(file.format, file.after.as_deref()));
            assert_eq!(patched(&before, &file.diff), after, "{}", file.diff);
            assert!(
                !file.diff.contains(KEY) && !file.diff.contains("sk-mine") && !format!("{file:?}").contains(KEY),
                "{}",
                file.diff
            );
        }
        // And back.
        let previews = home.well().preview_revert("codex").unwrap();
        home.well().revert("codex", now()).unwrap();
        for file in &previews {
            assert_eq!(fs::read_to_string(&file.file).ok(), file.after);
            let (before, after) =
                (shown(file.format, file.before.as_deref()), shown(file.format, file.after.as_deref()));
            assert_eq!(patched(&before, &file.diff), after);
        }
    }
}

#[test]
fn a_key_that_alone_changes_is_seen_to_change() {
    let home = set_up(KEY);
    let other = format!("{}xyz9", &KEY[..KEY.len() - 4]);
    let previews = home.well().preview("codex", &Seen::default(), &home.changes(&other)).unwrap();
    let diff = &previews[0].diff;
    assert!(
        diff.contains("-experimental_bearer_token = \"cf_…9abc\"\r\n+experimental_bearer_token = \"cf_…xyz9\""),
        "{diff}"
    );
    assert_eq!(previews[1].diff, "", "nothing to say of a file that stays");
    assert!(previews[2].diff.starts_with(&format!("--- {0}\n+++ {0}\n@@ ", previews[2].file.display())));
}

#[test]
fn copies_are_listed_and_come_back() {
    let home = set_up(KEY);
    let original = super::several::TOML;
    home.apply(&home.well(), "cf_2").unwrap();
    let backups: Vec<_> =
        home.well().backups(Some("codex")).into_iter().filter(|copy| copy.file.ends_with("config.toml")).collect();
    assert_eq!(backups.len(), 2, "{backups:?}");
    let first = backups.iter().find(|copy| copy.first).unwrap();
    assert_eq!(first.bytes, u64::try_from(original.len()).unwrap());
    let text = || fs::read_to_string(home.path("there/config.toml")).unwrap();
    let before = text();
    let preview = home.well().preview_restore(&first.id).unwrap();
    assert!(preview.diff.contains("-model_provider = \"codeferry\"") && preview.after.as_deref() == Some(original));
    let done = home.well().restore(&first.id, now()).unwrap();
    assert_eq!((text().as_str(), done.retired().count()), (original, 1));
    // What stood there is kept, so it comes back as well; and what is ours in it is not known as ours any more.
    let kept = home.well().backups(Some("codex")).into_iter().filter(|copy| copy.file.ends_with("config.toml"));
    let latest = kept
        .filter(|copy| !copy.first)
        .find(|copy| home.well().preview_restore(&copy.id).unwrap().after.as_ref() == Some(&before));
    home.well().restore(&latest.unwrap().id, now()).unwrap();
    assert_eq!(text(), before);
    home.well().restore("codex.x.first", now()).unwrap_err();
    // One made a copy of is not made a copy of twice.
    for _ in 0..5 {
        home.apply(&home.well(), "cf_3").unwrap();
        home.apply(&home.well(), "cf_4").unwrap();
    }
    let all = home.well().backups(None);
    let sums: std::collections::BTreeSet<_> = all
        .iter()
        .filter(|copy| copy.file.ends_with("config.toml"))
        .map(|copy| copy.id.rsplit('-').next().unwrap().to_owned())
        .collect();
    assert_eq!(sums.len(), all.iter().filter(|copy| copy.file.ends_with("config.toml")).count());
}

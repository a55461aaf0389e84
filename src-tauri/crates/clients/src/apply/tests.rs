//! Files as people have them.

mod corpus;
mod faults;
#[cfg(unix)]
mod killed;
mod lost_ledger;
mod racing;
mod several;
mod shown;

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use self::faults::Faulty;
use super::{Desk, FileDone as Done, Retired, Site, Trouble, Wish};
use crate::claude_code::{self, direct, to, to_us};
use crate::disk::sum;
use crate::format::Bad;

const URL: &str = "http://127.0.0.1:8081";

/// A home with Claude Code in it, and our data folder.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(text: impl AsRef<[u8]>) -> Self {
        let home = Self::new();
        fs::create_dir(home.file().parent().unwrap()).unwrap();
        fs::write(home.file(), text).unwrap();
        home
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(".claude/settings.json")
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn site(&self) -> Site {
        self.on(Faulty::at(usize::MAX, false))
    }

    fn on(&self, disk: Faulty) -> Site {
        let desk = Desk { disk: Box::new(disk), data: self.data() };
        Site { desk, ..Site::new(claude_code::NAME, self.file(), self.data()) }
    }

    fn text(&self) -> String {
        String::from_utf8(fs::read(self.file()).unwrap()).unwrap()
    }

    fn wish(&self, wishes: &[Wish]) -> Done {
        attempt(&self.site(), wishes).unwrap_or_else(|trouble| panic!("{trouble}"))
    }

    fn backups(&self) -> Vec<(String, String)> {
        let Ok(entries) = fs::read_dir(self.site().backups()) else { return Vec::new() };
        let read = |path: PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        };
        let mut all: Vec<_> = entries.map(|entry| read(entry.unwrap().path())).collect();
        // What says whose copies these are.
        all.retain(|(name, _)| name != "of.txt" && name != "nothing-at-first");
        all.sort();
        all
    }
}

fn attempt(site: &Site, wishes: &[Wish]) -> Result<Done, Trouble> {
    let seen = site.look()?;
    site.check(&seen, wishes)?;
    site.change(seen, wishes, "2026-11-20T09:00:00Z".parse().unwrap())
}

fn ours() -> Vec<Wish> {
    to_us(URL, "cf_secret", Some("claude-code"))
}

const REAL: [&str; 9] = [
    "{\n  \"permissions\": {\"allow\": [\"Bash(git:*)\"], \"deny\": []},\n  \"env\": {\n    \"ANTHROPIC_API_KEY\": \"sk-ant-mine\",\n    \
     \"BASH_DEFAULT_TIMEOUT_MS\": 600000\n  },\n  \"hooks\": {\"PostToolUse\": [{\"matcher\": \"Edit\", \"hooks\": []}]},\n  \
     \"statusLine\": {\"type\": \"command\"}\n}\n",
    "{\r\n\t\"env\": {\r\n\t\t\"A\": \"1\", // mine\r\n\t\t\"ANTHROPIC_BASE_URL\": \"http://localhost:8081\",\r\n\t},\r\n}\r\n",
    "\u{feff}{\"model\":\"opus\"}",
    "{\n  // only a comment\n}\n",
    "{\"env\": {\"ANTHROPIC_AUTH_TOKEN\": \"theirs\", \"ANTHROPIC_API_KEY\": \"both\"}}",
    "{}",
    "{ }",
    "",
    " \n",
];

#[test]
fn real_files_come_back_to_the_byte() {
    for text in REAL {
        let home = Home::with(text);
        let done = home.wish(&ours());
        let (document, changed) = (&done.document, done.changed);
        assert!(changed && home.text() == document.text(), "{text}");
        assert_eq!(claude_code::base_url(document).as_deref(), Some(URL));
        assert_eq!(claude_code::token(document).as_deref(), Some("cf_secret"));
        assert!(!home.text().contains("API_KEY"), "{text}");
        assert!(!home.wish(&ours()).changed, "once is enough");
        // Another token, another address by another way, and all of it back.
        home.wish(&to_us(URL, "cf_next", None));
        home.wish(&to("http://127.0.0.1:9", "sk-else"));
        assert!(claude_code::token(home.site().look().unwrap().document()).is_none_or(|token| token == "theirs"));
        home.wish(&ours());
        let done = home.wish(&direct(None));
        let key = Retired { name: "claude-code".to_owned(), sha256: sum(Some(b"cf_secret")) };
        assert_eq!((done.kept, done.retired), (vec![], vec![key]));
        assert_eq!(meaning(&home.text()), meaning(text), "{text}");
        // And on the straight way there and back every byte is as it was.
        let home = Home::with(text);
        home.wish(&ours());
        home.wish(&direct(None));
        assert_eq!(home.text(), text);
        assert!(!home.wish(&direct(None)).changed);
        assert!(
            !fs::read_to_string(home.data().join("clients.json")).unwrap().contains("sk-ant-mine"),
            "it is forgotten"
        );
    }
}

fn meaning(text: &str) -> String {
    let strict = super::Document::read(super::Format::Json, text.as_bytes()).unwrap().strict().unwrap();
    let mut words: Vec<&str> = strict.split(|char: char| char.is_whitespace() || char == ',').collect();
    words.sort_unstable();
    words.concat()
}

#[test]
fn a_file_that_was_made_for_us_goes_with_us() {
    let home = Home::new();
    home.wish(&ours());
    assert_eq!(
        home.text(),
        "{\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:8081\",\n    \"ANTHROPIC_AUTH_TOKEN\": \"cf_secret\"\n  }\n}\n"
    );
    assert!(home.wish(&direct(None)).removed && !home.file().exists());
    // Not when somebody has put something in.
    home.wish(&ours());
    let text = home.text().replace("{\n  \"env\"", "{\n  \"model\": \"opus\",\n  \"env\"");
    fs::write(home.file(), text).unwrap();
    assert!(!home.wish(&direct(None)).removed);
    assert_eq!(home.text(), "{\n  \"model\": \"opus\"\n}\n");
    assert_eq!(home.backups().len(), 2, "of what was there before a change: {:?}", home.backups());
}

#[test]
fn what_was_changed_since_is_kept_and_said() {
    let home = Home::with(REAL[0]);
    home.wish(&ours());
    let text = home.text().replace(URL, "https://gateway.example").replace("\"deny\": []", "\"deny\": [\"WebFetch\"]");
    fs::write(home.file(), &text).unwrap();
    let done = home.wish(&direct(Some("sk-new")));
    assert_eq!(done.kept.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/env/ANTHROPIC_BASE_URL"]);
    let text = home.text();
    assert!(text.contains("https://gateway.example") && text.contains("WebFetch") && text.contains("sk-new"), "{text}");
    assert!(!text.contains("cf_secret"));
    // Taken over again, it is theirs that comes back.
    home.wish(&ours());
    home.wish(&direct(None));
    assert_eq!(meaning(&home.text()), meaning(&text));
}

#[test]
fn what_is_not_safe_is_refused_and_left_alone() {
    for (text, place) in [
        ("{\n  \"env\": {\n    \"A\": 1\n    \"B\": 2\n  }\n}", "line 4, column 5"),
        ("{\"env\": {}, \"env\": {}}", "line 1, column 13"),
        ("{\"env\": {\"ANTHROPIC_BASE_URL\": \"a\", \"ANTHROPIC_BASE_URL\": \"b\"}}", "line 1, column 37"),
        ("[]", "line 1, column 1"),
        ("{\"env\": null}", "line 1, column 9"),
    ] {
        let home = Home::with(text);
        let trouble = attempt(&home.site(), &ours()).unwrap_err();
        assert!(matches!(trouble, Trouble::Bad { .. }) && trouble.to_string().contains(place), "{trouble}");
        assert_eq!(home.text(), text);
        assert!(!home.data().join("clients.json").exists() && home.backups().is_empty());
    }
    let home = Home::with(b"{\"a\": \"\xe9\"}");
    assert!(matches!(attempt(&home.site(), &ours()), Err(Trouble::Bad { bad: Bad::Encoding { .. }, .. })));
    let home = Home::with(vec![b' '; crate::format::LARGEST + 1]);
    assert!(matches!(attempt(&home.site(), &ours()), Err(Trouble::Bad { bad: Bad::Large, .. })));
    let home = Home::new();
    fs::create_dir_all(home.file()).unwrap();
    let trouble = attempt(&home.site(), &ours()).unwrap_err();
    assert!(trouble.to_string().contains("it is a folder"), "{trouble}");
    let home = Home::with(REAL[0]);
    let mut mode = fs::metadata(home.file()).unwrap().permissions();
    mode.set_readonly(true);
    fs::set_permissions(home.file(), mode).unwrap();
    assert!(matches!(attempt(&home.site(), &ours()), Err(Trouble::ReadOnly { .. })));
    assert_eq!(home.text(), REAL[0]);
    // A ledger that cannot be read is not written over, either.
    let home = Home::with(REAL[0]);
    fs::create_dir(home.data()).unwrap();
    for (ledger, said) in [("{\"version\": 1", "damaged at line 1"), ("{\"version\": 9}", "newer")] {
        fs::write(home.data().join("clients.json"), ledger).unwrap();
        let trouble = attempt(&home.site(), &ours()).unwrap_err();
        assert!(trouble.to_string().contains(said), "{trouble}");
        assert_eq!(home.text(), REAL[0]);
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_modes_kept() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let home = Home::with("{}");
    attempt(&Site::new(claude_code::NAME, home.file(), home.data()), &direct(Some("sk"))).expect("the disk itself");
    fs::write(home.file(), "{}").unwrap();
    let (dotfiles, real) = (home.0.path().join("dotfiles"), home.0.path().join("dotfiles/claude.json"));
    fs::create_dir(&dotfiles).unwrap();
    fs::rename(home.file(), &real).unwrap();
    symlink("../dotfiles/claude.json", home.file()).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(home.wish(&ours()).exposed, Some(0o644));
    assert!(fs::symlink_metadata(home.file()).unwrap().is_symlink() && home.text().contains(URL));
    assert_eq!(mode(&real), 0o644);
    assert_eq!(fs::read_dir(&dotfiles).unwrap().count(), 1, "nothing lies beside it");
    // A link to what is not there yet; then one that leads in a circle.
    fs::remove_file(&real).unwrap();
    assert_eq!(home.wish(&ours()).exposed, None);
    assert_eq!(mode(&real), 0o600);
    fs::remove_file(&real).unwrap();
    symlink("../.claude/settings.json", &real).unwrap();
    assert!(matches!(attempt(&home.site(), &ours()), Err(Trouble::Read { .. })));
    // What we keep ourselves is the owner's alone.
    assert_eq!(mode(&home.data().join("clients.json")), 0o600);
    let home = Home::with("{}");
    home.wish(&ours());
    assert_eq!(mode(&home.site().backups()), 0o700);
    assert_eq!(mode(&home.site().backups().join("first")), 0o600);
}

#[test]
fn the_first_copy_stays_and_so_do_twenty_others() {
    let home = Home::with(REAL[0]);
    for turn in 0..30 {
        let seen = home.site().look().unwrap();
        let now = jiff::Timestamp::from_second(1_800_000_000 + turn).unwrap();
        home.site().change(seen, &to_us(URL, &format!("cf_{turn}"), None), now).unwrap();
    }
    let backups = home.backups();
    assert_eq!(backups.len(), 21);
    assert_eq!(backups.last().unwrap(), &("first".to_owned(), REAL[0].to_owned()));
    assert!(backups[19].1.contains("cf_28") && backups[0].1.contains("cf_9"), "the latest, and in order");
}

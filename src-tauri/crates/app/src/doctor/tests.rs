//! A folder in all states.

use codeferry_gateway::doctor::{Row, Verdict};

use super::folder::of_room;
use super::{alone, house, proxy};
use crate::{Environment, Paths};
use codeferry_accounts::KeySource;

fn find<'r>(rows: &'r [Row], check: &str) -> &'r Row {
    rows.iter().find(|row| row.check == check).unwrap_or_else(|| panic!("{check}: {rows:?}"))
}

#[tokio::test]
async fn before_anything_was_made() {
    let temp = tempfile::tempdir().unwrap();
    let paths = Paths::at(temp.path().join("data"));
    let environment = Environment { vault: KeySource::File, ..Environment::default() };
    let report = alone(&paths, &environment, true).await;
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(find(&report.rows, "data_folder").message.contains("not there yet"));
    let accounts = find(&report.rows, "accounts");
    assert_eq!(accounts.verdict, Verdict::Fail);
    assert_eq!(accounts.hint.as_deref(), Some("sign in: codeferry accounts add"));
    assert_eq!(find(&report.rows, "vault").verdict, Verdict::Ok);
    assert_eq!(find(&report.rows, "client_keys").verdict, Verdict::Warn);
    assert_eq!(find(&report.rows, "gateway").verdict, Verdict::Warn);
    assert!(!paths.home().exists(), "looking makes nothing");
}

#[cfg(unix)]
#[test]
fn what_others_may_read_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let temp = tempfile::tempdir().unwrap();
    let paths = Paths::at(temp.path().join("data"));
    paths.make().unwrap();
    let rows = || house(&paths, &Environment::default());
    let all = rows();
    assert!(["data_folder", "permissions"].iter().all(|check| find(&all, check).verdict == Verdict::Ok), "{all:?}");
    let chmod =
        |path: &std::path::Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();

    std::fs::write(paths.settings(), "{}").unwrap();
    chmod(&paths.settings(), 0o644);
    let row = find(&rows(), "permissions").clone();
    assert_eq!(row.verdict, Verdict::Warn);
    assert!(row.message.ends_with("settings.json") && row.hint.as_ref().unwrap().starts_with("chmod"), "{row:?}");
    std::fs::write(paths.control_token(), "x").unwrap();
    chmod(&paths.control_token(), 0o640);
    assert_eq!(find(&rows(), "permissions").verdict, Verdict::Fail);
    chmod(&paths.control_token(), 0o600);
    chmod(&paths.settings(), 0o600);
    std::fs::write(paths.home().join("vault.lock"), "").unwrap();
    chmod(&paths.home().join("vault.lock"), 0o644);
    assert_eq!(find(&rows(), "permissions").verdict, Verdict::Ok, "a lock holds nothing");
    chmod(paths.home(), 0o755);
    assert_eq!(find(&rows(), "permissions").verdict, Verdict::Warn);
    assert_eq!(std::fs::read_dir(paths.home()).unwrap().count(), 3, "nothing is left behind");
}

#[test]
fn room_on_the_disk() {
    let verdict = |mib: u64| of_room(mib * 1024 * 1024).verdict;
    assert_eq!((verdict(10), verdict(100), verdict(1000)), (Verdict::Fail, Verdict::Warn, Verdict::Ok));
}

#[test]
fn proxies_that_would_be_asked_for_this_machine() {
    let verdict = |set: &[(&str, &str)]| {
        let get = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        let row = proxy(&Environment::read(get).unwrap());
        assert!(!row.message.contains("secret"), "{row:?}");
        row.verdict
    };
    let set = ("HTTPS_PROXY", "http://user:secret@proxy.example:3128");
    assert_eq!(verdict(&[]), Verdict::Ok);
    assert_eq!(verdict(&[set]), Verdict::Warn);
    assert_eq!(verdict(&[("http_proxy", "http://proxy.example")]), Verdict::Warn);
    assert_eq!(verdict(&[set, ("NO_PROXY", "example.com")]), Verdict::Warn);
    for spared in ["127.0.0.1,localhost", "localhost, 127.0.0.1", "*", "127.0.0.0/8,localhost"] {
        assert_eq!(verdict(&[set, ("NO_PROXY", spared)]), Verdict::Ok, "{spared}");
        assert_eq!(verdict(&[set, ("no_proxy", spared)]), Verdict::Ok, "{spared}");
    }
}

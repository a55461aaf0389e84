//! The vault with its key in a real keychain: GNOME's, in a session bus of the test's own.

use std::os::unix::fs::PermissionsExt as _;

use codeferry_tests::binary::{Binary, Ran};
use tokio::process::Command;

/// The key lies in a real Secret Service. `home` says whose.
async fn with_keychain(user: &Binary, home: &str, commands: &str) -> Ran {
    let home = user.file(home);
    std::fs::create_dir_all(&home).unwrap();
    let script = format!("printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null\n{commands}");
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", &script]);
    user.prepare(&mut command).env("HOME", &home).env("XDG_RUNTIME_DIR", &home).env("CODEFERRY", user.path());
    Ran::of(command).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_lies_in_the_keychain_and_nowhere_else() {
    let there = |name: &str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|it| it.join(name).is_file())
    };
    if !there("dbus-run-session") || !there("gnome-keyring-daemon") {
        println!("skipped: there is no keychain here (Debian: gnome-keyring, dbus-daemon)");
        return;
    }
    let Some(user) = Binary::new().await else { return };
    let file = user.sign_in_of(&user.demo.account("ada"), "ada.json");
    let import = format!("\"$CODEFERRY\" accounts import --kind codex '{file}'");
    let list = "\"$CODEFERRY\" accounts list --json";

    let ran = with_keychain(&user, "mine", &format!("{import} && {list}")).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("ada@demo.test"), "{}", ran.out);
    let vault = user.folder().join("vault.bin");
    let sealed = std::fs::read(&vault).unwrap();
    assert!(!user.folder().join("vault.key").exists(), "the key is in no file of ours");
    assert_eq!(std::fs::metadata(&vault).unwrap().permissions().mode() & 0o777, 0o600);

    // Another session of the same person.
    let ran = with_keychain(&user, "mine", list).await;
    assert!(ran.code == Some(0) && ran.out.contains("ada@demo.test"), "{ran:?}");

    // A keychain that does not have the key: an error, and no new key over an existing vault.
    for commands in [list, &import] {
        let ran = with_keychain(&user, "stranger", commands).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
        assert!(ran.err.contains("is not in the keychain") && ran.err.contains("no new key was made"), "{}", ran.err);
    }
    // No keychain at all: what to do is said, and nothing falls back by itself.
    let mut command = Command::new(user.path());
    command.args(["accounts", "list"]);
    user.prepare(&mut command).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/at/all");
    let ran = Ran::of(command).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
    assert!(ran.err.contains("CODEFERRY_VAULT=file"), "{}", ran.err);
    assert_eq!(std::fs::read(&vault).unwrap(), sealed, "the vault is as it was");
    assert!(!user.folder().join("vault.key").exists());

    // And it is still good.
    let ran = with_keychain(&user, "mine", list).await;
    assert!(ran.code == Some(0) && ran.out.contains("ada@demo.test"), "{ran:?}");
}

//! The vault on a real disk in a temporary folder, with keys and faults of our own.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::disk::{Disk, RealDisk};
use super::{Contents, Entry, FILE, KEY_FILE, Key, KeyError, KeyId, KeySource, KeyStore, Vault, VaultError, keyfile};
use crate::{Account, AccountId, Credential, Kind, Secret};

/// A keychain in memory.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    keys: Arc<Mutex<HashMap<String, Key>>>,
    pub(crate) made: Arc<AtomicUsize>,
    pub(crate) locked: Arc<AtomicBool>,
}

impl Keys {
    fn forget(&self) {
        self.keys.lock().expect("not poisoned").clear();
    }

    fn unlocked(&self) -> Result<(), KeyError> {
        match self.locked.load(Ordering::SeqCst) {
            true => Err(KeyError::Locked { detail: "test".into() }),
            false => Ok(()),
        }
    }
}

impl KeyStore for Keys {
    fn create(&self) -> Result<(KeyId, Key), KeyError> {
        self.unlocked()?;
        self.made.fetch_add(1, Ordering::SeqCst);
        let (id, key) = (KeyId::random().expect("random numbers"), Key::random().expect("random numbers"));
        self.keys.lock().expect("not poisoned").insert(id.to_string(), key.clone());
        Ok((id, key))
    }

    fn read(&self, id: &KeyId) -> Result<Key, KeyError> {
        self.unlocked()?;
        let known = self.keys.lock().expect("not poisoned").get(&id.to_string()).cloned();
        let missing =
            || KeyError::NotInKeychain { service: "test", user: id.to_string(), vault: PathBuf::from("vault.bin") };
        known.ok_or_else(missing)
    }
}

/// A disk that fails at a chosen step: once (it is full), or from there on (the process is gone).
#[derive(Clone, Default)]
pub(crate) struct Faulty {
    /// Steps that still succeed; `None`: all of them.
    left: Arc<Mutex<Option<usize>>>,
    dead: Arc<AtomicBool>,
    kills: bool,
    /// Not only as if: the process that runs this is killed.
    suicidal: bool,
}

impl Faulty {
    pub(crate) fn fail_after(&self, steps: usize) {
        *self.left.lock().expect("not poisoned") = Some(steps);
    }

    pub(crate) fn heal(&self) {
        *self.left.lock().expect("not poisoned") = None;
    }

    fn step(&self) -> io::Result<()> {
        let fault = || io::Error::new(io::ErrorKind::StorageFull, "No space left on device");
        if self.dead.load(Ordering::SeqCst) {
            return Err(fault());
        }
        let mut left = self.left.lock().expect("not poisoned");
        match left.as_mut() {
            None => Ok(()),
            Some(0) if self.suicidal => {
                let us = std::process::id().to_string();
                std::process::Command::new("kill").args(["-9", &us]).status()?;
                unreachable!("a killed process does not go on")
            }
            Some(0) => {
                self.dead.store(self.kills, Ordering::SeqCst);
                Err(fault())
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

impl Disk for Faulty {
    fn remove(&self, path: &Path) -> io::Result<()> {
        // Cleaning up after a fault is no step of its own, but a dead process does none.
        if self.dead.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        RealDisk.remove(path)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        self.step()?;
        RealDisk.create(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        match self.step() {
            Ok(()) => RealDisk.write(file, bytes),
            Err(error) => {
                RealDisk.write(file, &bytes[..bytes.len() / 2])?;
                Err(error)
            }
        }
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step()?;
        RealDisk.sync(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.sync_folder(folder)
    }
}

/// create, write, sync, rename, sync of the folder.
const STEPS: usize = 5;

pub(crate) fn account(user: &str) -> Account {
    Account {
        id: AccountId::derive(Kind::Codex, Some("ws"), Some(user)),
        kind: Kind::Codex,
        email: Some(format!("{user}@example.com")),
        label: None,
        plan: Some("plus".into()),
        chatgpt_account_id: Some("ws".into()),
        user_id: Some(user.into()),
        added_at: "2026-11-01T00:00:00Z".parse().expect("a date"),
        endpoint: None,
        program: None,
    }
}

pub(crate) fn credential(access: &str, refresh: &str) -> Credential {
    Credential {
        client_id: None,
        access_token: Secret::new(access),
        refresh_token: Some(Secret::new(refresh)),
        id_token: None,
        expires_at: Some("2026-11-20T13:00:00Z".parse().expect("a date")),
        earliest_refresh_at: None,
        last_refresh: None,
    }
}

fn put(vault: &Vault, user: &str, access: &str) -> Result<(), VaultError> {
    vault
        .update(|contents| {
            contents.last_generation += 1;
            let generation = contents.last_generation;
            let entry = Entry::new(account(user), credential(access, "rt"), generation);
            match contents.entry_mut(&account(user).id) {
                Some(known) => *known = entry,
                None => contents.entries.push(entry),
            }
            Ok::<_, VaultError>(())
        })
        .map(|_| ())
}

fn access(vault: &Vault, user: &str) -> Option<String> {
    let (contents, _) = vault.read().expect("the vault opens");
    contents.entry(&account(user).id).map(|entry| entry.credential.access_token.expose().to_owned())
}

fn in_folder(folder: &Path, keys: &Keys) -> Vault {
    Vault::with(folder.to_owned(), Box::new(keys.clone()), Box::new(RealDisk))
}

#[test]
fn reading_creates_nothing_and_asks_for_no_key() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("data");
    let keys = Keys::default();
    keys.locked.store(true, Ordering::SeqCst);
    let (contents, stamp) = in_folder(&folder, &keys).read().expect("an empty vault");
    assert_eq!((contents, stamp), (Contents::default(), None));
    assert!(!folder.exists());
}

#[test]
fn what_is_put_in_is_there_for_another_process() {
    let home = tempfile::tempdir().expect("a folder");
    let keys = Keys::default();
    put(&in_folder(home.path(), &keys), "ada", "at-1").expect("saved");
    put(&in_folder(home.path(), &keys), "bob", "at-2").expect("saved");
    let third = in_folder(home.path(), &keys);
    assert_eq!(access(&third, "ada").as_deref(), Some("at-1"));
    assert_eq!(access(&third, "bob").as_deref(), Some("at-2"));
    assert_eq!(keys.made.load(Ordering::SeqCst), 1, "one key, made at the first write");
}

#[test]
fn the_tokens_are_not_in_the_file() {
    let home = tempfile::tempdir().expect("a folder");
    put(&in_folder(home.path(), &Keys::default()), "ada", "at-plain").expect("saved");
    let bytes = fs::read(home.path().join("vault.bin")).expect("a file");
    assert!(!bytes.windows(8).any(|window| window == b"at-plain"));
    assert!(!bytes.windows(7).any(|window| window == b"example"));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("data");
    put(&Vault::new(&folder, KeySource::File), "ada", "at").expect("saved");
    let mode = |path: PathBuf| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    assert_eq!(mode(folder.clone()), 0o700);
    for file in ["vault.bin", "vault.key", "vault.lock"] {
        assert_eq!(mode(folder.join(file)), 0o600, "{file}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().expect("a folder");
    put(&Vault::new(home.path(), KeySource::File), "ada", "at").expect("saved");
    fs::set_permissions(home.path().join("vault.key"), fs::Permissions::from_mode(0o644)).expect("chmod");
    let error = Vault::new(home.path(), KeySource::File).read().expect_err("exposed");
    assert!(matches!(error, VaultError::Key(KeyError::Exposed { mode: 0o644, .. })), "{error}");
}

#[test]
fn a_lost_key_is_an_error_and_never_a_new_key() {
    let home = tempfile::tempdir().expect("a folder");
    let keys = Keys::default();
    put(&in_folder(home.path(), &keys), "ada", "at-1").expect("saved");
    let before = fs::read(home.path().join("vault.bin")).expect("a file");
    keys.forget();
    let vault = in_folder(home.path(), &keys);
    assert!(matches!(vault.read(), Err(VaultError::Key(KeyError::NotInKeychain { .. }))));
    let error = put(&vault, "bob", "at-2").expect_err("no key, no writing");
    assert!(error.to_string().contains("sign in again"), "{error}");
    assert_eq!(keys.made.load(Ordering::SeqCst), 1);
    assert_eq!(fs::read(home.path().join("vault.bin")).expect("a file"), before);
}

#[test]
fn a_lost_key_file_is_an_error_too() {
    let home = tempfile::tempdir().expect("a folder");
    put(&Vault::new(home.path(), KeySource::File), "ada", "at-1").expect("saved");
    fs::remove_file(home.path().join("vault.key")).expect("it was there");
    let error = put(&Vault::new(home.path(), KeySource::File), "bob", "at-2").expect_err("no key");
    assert!(matches!(error, VaultError::Key(KeyError::NoKeyFile { .. })), "{error}");
    assert!(!home.path().join("vault.key").exists());
}

#[test]
fn a_key_file_of_another_vault_is_named_as_such() {
    let (home, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    put(&Vault::new(home.path(), KeySource::File), "ada", "at-1").expect("saved");
    put(&Vault::new(other.path(), KeySource::File), "ada", "at-1").expect("saved");
    fs::copy(other.path().join("vault.key"), home.path().join("vault.key")).expect("copied");
    let error = Vault::new(home.path(), KeySource::File).read().expect_err("another key");
    assert!(matches!(error, VaultError::Key(KeyError::OtherVault { .. })), "{error}");
}

#[test]
fn a_key_file_left_without_its_vault_is_used_again() {
    let home = tempfile::tempdir().expect("a folder");
    put(&Vault::new(home.path(), KeySource::File), "ada", "at-1").expect("saved");
    let backup = fs::read(home.path().join("vault.bin")).expect("a file");
    fs::remove_file(home.path().join("vault.bin")).expect("it was there");
    put(&Vault::new(home.path(), KeySource::File), "bob", "at-2").expect("saved");
    fs::write(home.path().join("vault.bin"), backup).expect("put back");
    assert_eq!(access(&Vault::new(home.path(), KeySource::File), "ada").as_deref(), Some("at-1"));
}

#[test]
fn a_locked_keychain_passes() {
    let home = tempfile::tempdir().expect("a folder");
    let keys = Keys::default();
    put(&in_folder(home.path(), &keys), "ada", "at-1").expect("saved");
    let vault = in_folder(home.path(), &keys);
    keys.locked.store(true, Ordering::SeqCst);
    assert!(matches!(vault.read(), Err(VaultError::Key(KeyError::Locked { .. }))));
    keys.locked.store(false, Ordering::SeqCst);
    assert_eq!(access(&vault, "ada").as_deref(), Some("at-1"));
}

#[test]
fn a_damaged_vault_is_an_error_and_stays_as_it_is() {
    let home = tempfile::tempdir().expect("a folder");
    let keys = Keys::default();
    put(&in_folder(home.path(), &keys), "ada", "at-1").expect("saved");
    let path = home.path().join("vault.bin");
    let sound = fs::read(&path).expect("a file");
    let mut flipped = sound.clone();
    *flipped.last_mut().expect("not empty") ^= 1;
    let mut newer = sound.clone();
    newer[7] = 9;
    type Expected = fn(&VaultError) -> bool;
    let cases: [(&[u8], Expected); 5] = [
        (&flipped, |error| matches!(error, VaultError::Damaged { .. })),
        (&sound[..sound.len() - 1], |error| matches!(error, VaultError::Damaged { .. })),
        (&sound[..20], |error| matches!(error, VaultError::NotAVault { .. })),
        (b"", |error| matches!(error, VaultError::NotAVault { .. })),
        (&newer, |error| matches!(error, VaultError::Newer { version: 9, .. })),
    ];
    for (bytes, expected) in cases {
        fs::write(&path, bytes).expect("written");
        let vault = in_folder(home.path(), &keys);
        let error = vault.read().expect_err("damaged");
        assert!(expected(&error), "{error:?}");
        put(&vault, "bob", "at-2").expect_err("nothing is written over a vault that cannot be read");
        assert_eq!(fs::read(&path).expect("a file"), bytes, "{error}");
    }
}

#[test]
fn a_fault_at_any_step_leaves_the_old_vault_or_the_new_one() {
    for kills in [false, true] {
        for step in 0..STEPS {
            let home = tempfile::tempdir().expect("a folder");
            let keys = Keys::default();
            put(&in_folder(home.path(), &keys), "ada", "old").expect("saved");
            let disk = Faulty { kills, ..Faulty::default() };
            let vault = Vault::with(home.path().to_owned(), Box::new(keys.clone()), Box::new(disk.clone()));
            disk.fail_after(step);
            let error = put(&vault, "ada", "new").expect_err("the disk fails");
            assert!(matches!(error, VaultError::Write { .. }), "{error}");
            drop(vault);

            let after = in_folder(home.path(), &keys);
            let found = access(&after, "ada");
            let expected = if step < STEPS - 1 { "old" } else { "new" };
            assert_eq!(found.as_deref(), Some(expected), "step {step}, kills: {kills}");
            put(&after, "ada", "newer").expect("what was left lying does no harm");
            assert_eq!(access(&after, "ada").as_deref(), Some("newer"));
            assert!(!home.path().join("vault.new").exists());
        }
    }
}

/// The same with a real process, which takes its lock with it. This test runs itself as that process.
#[cfg(unix)]
#[test]
fn killed_before_any_step_the_next_process_finds_the_old_vault_or_the_new_one() {
    use std::os::unix::process::ExitStatusExt as _;

    const VICTIM: &str = "CODEFERRY_TEST_KILLED_AT";
    if let Ok(errand) = std::env::var(VICTIM) {
        let (step, home) = errand.split_once(' ').expect("a step and a folder");
        let disk = Faulty { suicidal: true, ..Faulty::default() };
        disk.fail_after(step.parse().expect("a number"));
        let home = Path::new(home);
        let keys = Box::new(keyfile::KeyFile::new(home.join(KEY_FILE), home.join(FILE)));
        let outcome = put(&Vault::with(home.to_owned(), keys, Box::new(disk)), "ada", "new");
        panic!("still alive: {outcome:?}");
    }
    for step in 0..STEPS {
        let home = tempfile::tempdir().expect("a folder");
        put(&Vault::new(home.path(), KeySource::File), "ada", "old").expect("saved");
        let name = "vault::tests::killed_before_any_step_the_next_process_finds_the_old_vault_or_the_new_one";
        let mut victim = std::process::Command::new(std::env::current_exe().expect("this program"));
        victim.args(["--exact", name]).env(VICTIM, format!("{step} {}", home.path().display()));
        let ended = victim.output().expect("it runs");
        assert_eq!(ended.status.signal(), Some(9), "step {step}: {ended:?}");

        let after = Vault::new(home.path(), KeySource::File);
        let expected = if step < STEPS - 1 { "old" } else { "new" };
        assert_eq!(access(&after, "ada").as_deref(), Some(expected), "step {step}");
        put(&after, "ada", "newer").expect("neither a lock nor a file that was left is in the way");
        assert_eq!(access(&after, "ada").as_deref(), Some("newer"));
    }
}

#[test]
fn a_first_write_that_fails_makes_one_key_only() {
    let home = tempfile::tempdir().expect("a folder");
    let (keys, disk) = (Keys::default(), Faulty::default());
    let vault = Vault::with(home.path().to_owned(), Box::new(keys.clone()), Box::new(disk.clone()));
    for step in 0..STEPS - 1 {
        disk.fail_after(step);
        put(&vault, "ada", "at-1").expect_err("the disk is full");
        assert!(!vault.path().exists());
    }
    disk.heal();
    put(&vault, "ada", "at-1").expect("saved");
    assert_eq!(access(&in_folder(home.path(), &keys), "ada").as_deref(), Some("at-1"));
    assert_eq!(keys.made.load(Ordering::SeqCst), 1);
}

#[test]
fn writers_take_turns_and_none_loses_its_entry() {
    let home = tempfile::tempdir().expect("a folder");
    let keys = Keys::default();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            // A vault each, as four processes have: they share nothing but the folder and the keychain.
            let vault = in_folder(home.path(), &keys);
            scope.spawn(move || {
                for turn in 0..5 {
                    put(&vault, &format!("user-{worker}-{turn}"), "at").expect("saved");
                }
            });
        }
    });
    let (contents, _) = in_folder(home.path(), &keys).read().expect("sound");
    assert_eq!(contents.entries.len(), 20);
    assert_eq!(contents.last_generation, 20);
    assert_eq!(keys.made.load(Ordering::SeqCst), 1);
}

#[test]
fn an_update_that_changes_nothing_writes_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let keys = Keys::default();
    let vault = in_folder(home.path(), &keys);
    put(&vault, "ada", "at-1").expect("saved");
    let before = fs::read(vault.path()).expect("a file");
    vault.update(|_| Ok::<_, VaultError>(())).expect("nothing to do");
    assert_eq!(fs::read(vault.path()).expect("a file"), before, "not even a fresh nonce");
}

#[test]
fn one_process_holds_the_lock_of_an_account() {
    let home = tempfile::tempdir().expect("a folder");
    let (one, other) = (Vault::new(home.path(), KeySource::File), Vault::new(home.path(), KeySource::File));
    let (ada, bob) = (account("ada").id, account("bob").id);
    let held = one.try_lock_account(&ada).expect("a lock file");
    assert!(held.is_some());
    assert!(other.try_lock_account(&ada).expect("a lock file").is_none(), "held");
    assert!(other.try_lock_account(&bob).expect("a lock file").is_some(), "another account's");
    drop(held);
    assert!(other.try_lock_account(&ada).expect("a lock file").is_some(), "free again");
}

#[test]
fn debug_of_the_contents_shows_no_token() {
    let entry = Entry::new(account("ada"), credential("at-1", "rt-1"), 1);
    let shown = format!("{entry:?}");
    assert!(!shown.contains("at-1") && !shown.contains("rt-1"), "{shown}");
}

/// A vault that the first release wrote, with its key, copied to where it may be changed.
fn of_the_first_form() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vault/fixtures/form-1");
    for file in ["vault.bin", "vault.key"] {
        let to = home.path().join(file);
        fs::copy(fixture.join(file), &to).expect("copied");
        // The repository does not keep the mode.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("chmod");
        }
    }
    home
}

#[test]
fn a_vault_of_the_first_form_opens_and_nothing_of_it_is_lost() {
    let home = of_the_first_form();
    let before = fs::read(home.path().join("vault.bin")).expect("a file");
    let vault = Vault::new(home.path(), KeySource::File);
    let (contents, _) = vault.read().expect("it opens");
    assert_eq!(fs::read(vault.path()).expect("a file"), before, "reading changes nothing");

    let ada = Entry {
        account: Account { label: Some("work".into()), ..account("ada") },
        credential: Credential {
            id_token: Some(Secret::new("id-ada")),
            last_refresh: Some("2026-11-19T12:00:00Z".parse().expect("a date")),
            ..credential("access-ada.1", "ada.1")
        },
        ..Entry::new(account("ada"), credential("", ""), 5)
    };
    let id = AccountId::derive(Kind::Plan, None, Some("bob"));
    let bob = Entry {
        account: Account { id, kind: Kind::Plan, chatgpt_account_id: None, ..account("bob") },
        credential: Credential {
            client_id: Some("oaiapp_1".into()),
            earliest_refresh_at: Some("2026-11-20T12:54:00Z".parse().expect("a date")),
            ..credential("access-bob.1", "bob.1")
        },
        sign_in: Some("revoked (refresh_token_reused)".into()),
        ..Entry::new(account("bob"), credential("", ""), 7)
    };
    let expected = Contents { last_generation: 7, active: Some(ada.account.id.clone()), entries: vec![ada, bob] };
    assert_eq!(contents, expected);

    // The first change writes today's form, and that opens as well.
    let change = |contents: &mut Contents| {
        let entry = &mut contents.entries[1];
        (entry.paused, entry.priority, entry.provisional) = (true, -3, true);
        entry.read_only = Some(PathBuf::from("/home/bob/.codex/auth.json"));
        entry.note_spent("f00".into());
        Ok::<_, VaultError>(())
    };
    let (_, changed, _) = vault.update(change).expect("saved");
    let (again, _) = Vault::new(home.path(), KeySource::File).read().expect("it opens");
    assert_eq!(again, changed);
    assert_eq!(again.entries[0], expected.entries[0]);
    assert_eq!(again.entries[1].read_only.as_deref(), Some(Path::new("/home/bob/.codex/auth.json")));
}

#[test]
fn contents_of_a_form_to_come_are_left_alone() {
    let newer = br#"{"version":4,"accounts":"who knows"}"#;
    assert_eq!(Contents::from_json(newer), Err(super::ContentsError::Newer { version: 4 }));
    assert_eq!(Contents::from_json(br#"{"version":0}"#), Err(super::ContentsError::Newer { version: 0 }));
}

#[test]
fn spent_tokens_are_remembered_once_and_not_for_ever() {
    let mut entry = Entry::new(account("ada"), credential("at", "rt"), 1);
    for number in 0..1500 {
        entry.note_spent(number.to_string());
        entry.note_spent(number.to_string());
    }
    assert_eq!((entry.spent.len(), entry.spent.last().map(String::as_str)), (256, Some("1499")));
}

//! `kill -9` of a process that saves the vault: the old token or the new one, never nothing.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use codeferry_tests::binary::Binary;

/// The one token in the vault, read by a process that was not killed; `None` if nobody is signed in.
async fn token_in(vault: &Binary) -> Option<String> {
    let pool = vault.pool();
    pool.reload().await.expect("the vault opens");
    assert!(pool.list().len() <= 1, "{:?}", pool.list());
    let lease = pool.lease(&[]).await.ok()?;
    Some(lease.access_token.expose().to_owned())
}

/// A process is killed at every moment of its short life, saving included. The vault holds the old token or the new
/// one, and the next process can go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_leaves_the_old_token_or_the_new_one() {
    const ROUNDS: u32 = 80;
    // A busy machine stretches and squeezes the moments that are aimed at: so many rounds until each was hit.
    const MOST_ROUNDS: u32 = 400;
    let Some(vault) = Binary::new().await else { return };
    let first = vault.demo.account("ada");
    let begun = Instant::now();
    let file = vault.sign_in_of(&first, "first.json");
    vault.ok(&["accounts", "import", "--kind", "codex", &file]).await;
    let lifetime = begun.elapsed();

    let mut held = first.access_token;
    let (mut old, mut new, mut in_the_act) = (0, 0, 0);
    // Between the first sign of the new file and the kill. Shorter after a hit behind the renaming, longer after one before.
    let mut aim = Duration::from_micros(200);
    for round in 0..MOST_ROUNDS {
        if round >= ROUNDS && old >= 5 && new >= 5 && in_the_act >= 5 {
            break;
        }
        let account = vault.demo.account("ada");
        let file = vault.sign_in_of(&account, "next.json");
        let mut import = vault.command(&["accounts", "import", "--kind", "codex", &file]).spawn().unwrap();
        if round % 2 == 0 {
            // At some moment: early in the first rounds, late in the last.
            tokio::time::sleep(lifetime * (round % ROUNDS) / ROUNDS).await;
        } else {
            // While it writes: the new file stands beside the old one.
            let beside = vault.folder().join("vault.new");
            while !beside.exists() && import.try_wait().unwrap().is_none() {
                std::hint::spin_loop();
            }
            // Around the renaming and what follows it.
            std::thread::sleep(aim);
        }
        import.start_kill().unwrap();
        let killed = import.wait().await.unwrap().signal() == Some(9);

        let found = token_in(&vault).await.expect("there is a token, always");
        assert!(found == held || found == account.access_token, "round {round}: neither the old token nor the new one");
        if killed {
            in_the_act += u32::from(vault.folder().join("vault.new").exists());
            if found == held { old += 1 } else { new += 1 }
        }
        if round % 2 == 1 {
            let early = killed && found == held;
            aim = if early { (aim * 3 / 2).min(lifetime) } else { (aim / 2).max(Duration::from_micros(10)) };
        }
        held = found;
    }
    assert!(old >= 5 && new >= 5 && in_the_act >= 5, "the kills came too late or too soon: {old} {new} {in_the_act}");

    // What the killed ones left behind is in nobody's way.
    let last = vault.demo.account("ada");
    let file = vault.sign_in_of(&last, "last.json");
    vault.ok(&["accounts", "import", "--kind", "codex", &file]).await;
    assert_eq!(token_in(&vault).await, Some(last.access_token));
    assert!(!vault.folder().join("vault.new").exists(), "the next write clears it away");
    assert_eq!(vault.accounts().await.len(), 1);
}

/// The same while vault and key are made for the first time: there is no vault, or a whole one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_while_the_vault_is_made() {
    let Some(vault) = Binary::new().await else { return };
    let account = vault.demo.account("ada");
    let file = vault.sign_in_of(&account, "ada.json");
    let import = ["accounts", "import", "--kind", "codex", &file];
    let begun = Instant::now();
    vault.ok(&import).await;
    let lifetime = begun.elapsed();
    let mut without = 0;
    for round in 0..20 {
        std::fs::remove_dir_all(vault.folder()).unwrap();
        let mut child = vault.command(&import).spawn().unwrap();
        tokio::time::sleep(lifetime * round / 20).await;
        child.start_kill().unwrap();
        child.wait().await.unwrap();
        let found = token_in(&vault).await;
        without += u32::from(found.is_none());
        assert!(found.is_none_or(|found| found == account.access_token), "round {round}");
        vault.ok(&import).await;
        assert_eq!(token_in(&vault).await.as_ref(), Some(&account.access_token), "round {round}");
    }
    assert!(without >= 1, "all kills came too late");
}

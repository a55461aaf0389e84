use jiff::Timestamp;

use super::{Owner, OwnerError, OwnerRecord};
use crate::Paths;

fn folder() -> (tempfile::TempDir, Paths) {
    let temp = tempfile::tempdir().unwrap();
    let paths = Paths::at(temp.path());
    (temp, paths)
}

#[tokio::test(start_paused = true)]
async fn a_second_owner_is_told_who_is_there() {
    let (_temp, paths) = folder();
    let mut owner = Owner::take(&paths, false, false, Timestamp::UNIX_EPOCH).await.unwrap();
    let early = Owner::take(&paths, false, false, Timestamp::UNIX_EPOCH).await.unwrap_err().to_string();
    assert!(early.contains("just starting"), "{early}");
    owner.announce("http://127.0.0.1:8081".to_owned()).unwrap();
    let error = Owner::take(&paths, true, false, Timestamp::UNIX_EPOCH).await.unwrap_err();
    assert!(matches!(error, OwnerError::Taken { .. }));
    let text = error.to_string();
    assert!(text.contains("http://127.0.0.1:8081"), "{text}");
    assert!(text.contains(&format!("(process {})", std::process::id())), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_folder_is_free_again_afterwards() {
    let (_temp, paths) = folder();
    let owner = Owner::take(&paths, false, false, Timestamp::UNIX_EPOCH).await.unwrap();
    drop(owner);
    assert!(!paths.owner_record().exists());
    Owner::take(&paths, false, false, Timestamp::UNIX_EPOCH).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_guest_finds_the_owner_only_while_it_lives() {
    let (_temp, paths) = folder();
    assert_eq!(OwnerRecord::find(&paths).unwrap(), None);
    assert!(!paths.owner_lock().exists(), "looking creates nothing");
    let mut owner = Owner::take(&paths, true, false, Timestamp::UNIX_EPOCH).await.unwrap();
    owner.announce("http://127.0.0.1:9".to_owned()).unwrap();
    let found = OwnerRecord::find(&paths).unwrap().unwrap();
    assert_eq!((found.url.as_deref(), found.demo), (Some("http://127.0.0.1:9"), true));
    // As a killed process leaves it: the record stays, the lock does not.
    let record = std::fs::read(paths.owner_record()).unwrap();
    drop(owner);
    std::fs::write(paths.owner_record(), record).unwrap();
    assert_eq!(OwnerRecord::find(&paths).unwrap(), None, "the token must not go to whoever has the port now");
}

#[tokio::test(start_paused = true)]
async fn a_guest_who_looks_does_not_keep_an_owner_out() {
    let (_temp, paths) = folder();
    drop(Owner::take(&paths, false, false, Timestamp::UNIX_EPOCH).await.unwrap());
    let looking = std::fs::File::open(paths.owner_lock()).unwrap();
    looking.lock_shared().unwrap();
    let looks = async {
        tokio::task::yield_now().await;
        drop(looking);
    };
    let (owner, ()) = tokio::join!(Owner::take(&paths, false, false, Timestamp::UNIX_EPOCH), looks);
    owner.unwrap();
}

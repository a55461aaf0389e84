//! `accounts watch`: a folder whose files are imported as they come.

#![cfg(unix)]

use crate::world::world;

#[test]
fn files_are_imported_as_they_come_and_when_they_are_whole() {
    let world = world();
    let home = &world.home;
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&[]);
    let ada = world.demo.account("ada");
    let text = ada.codex_auth_json().to_string();
    world.write("inbox/there.json", &world.demo.plan_account("pat").plan_import_json().to_string());
    let folder = home.file("inbox");
    let mut watch = home_watch(&world, folder.to_str().unwrap());
    assert_eq!(watch.line()["email"], "pat@demo.test", "it lay there");
    assert_eq!(server.say(&key, "hello").status, 200, "the gateway was told");
    // Half of it, for as long as it takes to see that it stands still, and to import another.
    world.write("inbox/late.json", &text[..text.len() / 2]);
    world.write("inbox/bob.json", &world.demo.account("bob").codex_auth_json().to_string());
    assert_eq!(watch.line()["email"], "bob@demo.test");
    world.write("inbox/late.json", &text);
    let late = news(&mut watch);
    assert_eq!((&late["email"], &late["outcome"]), (&"ada@demo.test".into(), &"added".into()));
    // Broken for good: said once, in the end.
    world.write("inbox/broken.json", "{");
    let broken = news(&mut watch);
    assert!(broken["error"].as_str().unwrap().contains("line 1"), "{broken}");
    watch.interrupt();
    let ran = watch.end();
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
    assert!(ran.err.contains("Ctrl-C ends it") && !ran.err.contains(&ada.refresh_token), "{}", ran.err);
    assert_eq!(world.list().len(), 3);
    assert_eq!(home.run(&["accounts", "watch", "/nowhere/at/all"]).code, Some(2));
    assert_eq!(home.run(&["accounts", "watch", "--interval", "0", "."]).code, Some(2));
}

fn home_watch(world: &crate::world::World, folder: &str) -> crate::world::Waiting {
    world.wait(&["accounts", "watch", folder, "--interval", "0.1", "--json"])
}

/// What is new. A file that was whole just when it was read is looked at once more, and has not changed.
fn news(watch: &mut crate::world::Waiting) -> serde_json::Value {
    loop {
        let line = watch.line();
        if line["outcome"] != "unchanged" {
            return line;
        }
    }
}

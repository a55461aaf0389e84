//! With the real `codeferry`: adding the account, asking it, and ending with the gateway.

use std::path::PathBuf;

use codeferry_tests::binary::{Binary, Ran};
use codeferry_tests::world::{asking, http};

use super::*;

/// A user with the stand-in on the `PATH` and a home for it.
struct User {
    binary: Binary,
    home: PathBuf,
    bin: PathBuf,
}

impl User {
    async fn new(mode: &str) -> Option<Self> {
        let binary = Binary::new().await?;
        let (home, bin) = (binary.file("codex home"), binary.file("bin"));
        std::fs::create_dir(&home).unwrap();
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(home.join("mode"), mode).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_fake-codex"), bin.join("codex")).unwrap();
        Some(Self { binary, home, bin })
    }

    fn prepare<'c>(&self, command: &'c mut tokio::process::Command) -> &'c mut tokio::process::Command {
        let search = std::env::join_paths([self.bin.clone(), "/usr/bin".into(), "/bin".into()]).unwrap();
        command.env("PATH", search).env("CODEX_HOME", &self.home)
    }

    async fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.binary.command(args);
        self.prepare(&mut command);
        Ran::of(command).await
    }

    fn noted(&self, file: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.home.join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn it_is_added_asked_by_name_and_ends_with_the_gateway() {
    let Some(user) = User::new("").await else { return };
    let ran = user.run(&["accounts", "add", "--kind", "codex_cli"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.starts_with("acc_") && ran.err.contains("me@example.com (plus)"), "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("codex-cli/MODEL") && !ran.err.contains("AGENTS.md"), "{}", ran.err);
    let accounts = user.binary.accounts().await;
    assert_eq!((accounts.len(), &accounts[0]["kind"], &accounts[0]["active"]), (1, &json!("codex_cli"), &json!(false)));
    assert_eq!(user.noted("pids").len(), 1, "it was started for a look");
    until(|| user.noted("pids").iter().all(|pid| !Path::new("/proc").join(pid).exists())).await;

    // The gateway runs where neither variable is set.
    let key = user.binary.ok(&["keys", "create", "test"]).await;
    let mut server = user.binary.serve().await;
    let ask = async |model: &str| {
        let mut body = asking("hello");
        body["model"] = json!(model);
        let request = http().post(format!("{}/v1/messages", server.url)).bearer_auth(&key).json(&body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, answer) = ask("codex-cli/fake-1").await;
    assert_eq!(
        (status, &answer["content"][0]["text"]),
        (200, &json!("You are a helpful assistant.|1|hello")),
        "{answer}"
    );
    let environment = user.noted("environment").pop().unwrap();
    assert!(!environment.contains("CODEFERRY_"), "{environment}");
    let (status, answer) = ask("claude-opus-4-8").await;
    assert_eq!(status, 503, "it is never chosen in silence: {answer}");

    let pid = user.noted("pids").pop().unwrap();
    assert!(Path::new("/proc").join(&pid).exists(), "kept for the next request");
    let stop = std::process::Command::new("kill").args(["-TERM", &server.child.id().unwrap().to_string()]).status();
    assert!(stop.unwrap().success());
    assert!(server.child.wait().await.unwrap().success());
    assert!(!Path::new("/proc").join(&pid).exists(), "and gone with the gateway");
}

#[tokio::test]
async fn one_that_cannot_be_used_is_not_added() {
    let Some(user) = User::new("signed-out").await else { return };
    let add = ["accounts", "add", "--kind", "codex_cli"];
    let ran = user.run(&add).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{}", ran.err);
    assert!(ran.err.contains("codex login"), "{}", ran.err);
    let nowhere = user.run(&[&add[..], &["--program", "/nowhere/codex"]].concat()).await;
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.err.contains("npm install"), "{}", nowhere.err);
    let mut nothing = user.binary.command(&add);
    nothing.env("PATH", "/nowhere");
    let nothing = Ran::of(nothing).await;
    assert_eq!(nothing.code, Some(2), "{}", nothing.err);
    assert_eq!(
        user.run(&["accounts", "add", "--program", "x"]).await.code,
        Some(2),
        "it means nothing with another kind"
    );
    assert_eq!(user.binary.accounts().await.len(), 0);

    std::fs::write(user.home.join("mode"), "").unwrap();
    std::fs::write(user.home.join("AGENTS.md"), "Talk like a pirate.").unwrap();
    let instructed = user.run(&[&add[..], &["--label", "pirate"]].concat()).await;
    assert!(instructed.code == Some(0) && instructed.err.contains("AGENTS.md goes along"), "{}", instructed.err);
    std::fs::write(user.home.join("mode"), "signed-out").unwrap();
    let unlooked = user.run(&[&add[..], &["--no-verify", "--label", "later"]].concat()).await;
    assert_eq!(unlooked.code, Some(0), "{}", unlooked.err);
    assert_eq!(user.run(&["accounts", "verify", "later"]).await.code, Some(1));
}

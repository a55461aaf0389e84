//! The real binary, told to log everything: nothing secret is in it.

use std::process::Stdio;

use codeferry_demo::TokenFault;
use codeferry_tests::binary::Binary;
use codeferry_tests::log::{assert_discreet, secrets};
use codeferry_tests::world::{asking, http};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

/// A client of the control plane.
struct Control {
    http: Client,
    url: String,
    token: String,
}

impl Control {
    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self.http.request(method, format!("{}/api{path}", self.url)).bearer_auth(&self.token);
        let text = request.json(&body).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn sign_in(&self, decision: &str, account: &str) -> Value {
        let begun = self.ask(Method::POST, "/accounts/sign-in", json!({"kind": "plan"})).await;
        let url = format!("{}&demo={decision}&demo_account={account}", begun["url"].as_str().unwrap());
        self.http.get(url).send().await.unwrap().text().await.unwrap();
        self.ask(Method::GET, &format!("/accounts/sign-in/{}", begun["id"].as_str().unwrap()), json!({})).await
    }
}

/// Sign-ins, renewals and failures of all kinds, with `CODEFERRY_LOG=trace`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_talkative_log_tells_no_secret() {
    let Some(user) = Binary::new().await else { return };
    let file = user.sign_in_of(&user.demo.account("ada"), "ada.json");
    user.ok(&["accounts", "import", "--kind", "codex", &file]).await;
    user.ok(&["settings", "set", "rotation", "sticky"]).await;
    let keys = codeferry_app::client_keys(&codeferry_app::Paths::at(user.folder())).unwrap();
    let key = keys.create("client", jiff::Timestamp::now()).unwrap().key;

    let mut command = user.command(&["serve", "--json", "--port", "0"]);
    let mut server = command.env("CODEFERRY_LOG", "trace").stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = server.stderr.take().unwrap();
    let reading = async {
        let mut log = String::new();
        stderr.read_to_string(&mut log).await.unwrap();
        log
    };
    let doing = async {
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        let url = line["url"].as_str().unwrap().to_owned();
        let control = Control { http: http(), url: url.clone(), token: user.control_token() };
        let say = async |text: &str| {
            let request = control.http.post(format!("{url}/v1/messages")).bearer_auth(&key).json(&asking(text));
            request.send().await.unwrap().status().as_u16()
        };

        assert_eq!(control.sign_in("allow", "bob").await["state"], "done");
        assert_eq!(control.sign_in("deny", "bob").await["state"], "failed");
        user.demo.spoil_next_id_token(codeferry_demo::IdTokenFault::Signature);
        assert_eq!(control.sign_in("allow", "eve").await["state"], "failed");
        user.demo.grant_plan_usage(false);
        assert_eq!(control.sign_in("allow", "dan").await["state"], "done");
        let device = control.ask(Method::POST, "/accounts/sign-in", json!({"kind": "codex", "method": "device"})).await;
        control.ask(Method::DELETE, &format!("/accounts/sign-in/{}", device["id"].as_str().unwrap()), json!({})).await;

        assert_eq!(say("[[demo:text a prompt nobody is to read]]").await, 200);
        user.demo.expire_access_tokens();
        assert_eq!(say("[[demo:text hi]]").await, 200);
        user.demo.expire_access_tokens();
        user.demo.fail_next_refresh(TokenFault::Status(500));
        say("[[demo:text hi]]").await;
        for marker in ["limit 60", "402", "403", "500 always", "cut", "reset", "overflow", "limit 60 late"] {
            say(&format!("[[demo:{marker}]]")).await;
        }
        user.demo.revoke_sign_ins("acc-ada");
        user.demo.revoke_sign_ins("acc-bob");
        for account in ["ada", "bob"] {
            control.ask(Method::POST, &format!("/accounts/{account}@demo.test/wake"), json!({})).await;
        }
        say("[[demo:text hi]]").await;
        for account in ["ada", "bob", "dan", "nobody"] {
            control
                .ask(Method::POST, &format!("/accounts/{account}@demo.test/label"), json!({"label": "x@demo.test"}))
                .await;
            control.ask(Method::POST, &format!("/accounts/{account}@demo.test/verify"), json!({})).await;
            control.ask(Method::DELETE, &format!("/accounts/{account}@demo.test"), json!({})).await;
        }
        control.ask(Method::POST, "/shutdown", json!({})).await;
        control.token
    };
    let (log, control_token) = tokio::join!(reading, doing);
    assert!(server.wait().await.unwrap().success());
    for told in ["signed in", "token renewed", "attempt failed", "the sign-in has ended", "DEBUG"] {
        assert!(log.contains(told), "the log tells of it: {told}\n{log}");
    }
    // The files hold the same, line by line, and the last line too.
    let files = codeferry_app::logging::files(&user.folder().join("logs")).unwrap();
    let file: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for told in ["signed in", "attempt failed", r#""level":"debug""#, "stopped"] {
        assert!(file.contains(told), "the files tell of it: {told}\n{file}");
    }
    let log = log + &file;
    let mut secrets = secrets(&user.demo);
    assert!(secrets.len() > 20, "there was something to hide: {}", secrets.len());
    secrets.extend([key, control_token, "nobody is to read".to_owned()]);
    assert_discreet(&log, &secrets);
}

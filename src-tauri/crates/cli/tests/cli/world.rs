//! A simulated upstream, the home of a user who is sent there, and commands that wait for something.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use codeferry_demo::{Demo, DemoAccount, Options};
use serde_json::Value;

use crate::home::{Home, Ran};

pub(crate) struct World {
    pub(crate) demo: Demo,
    pub(crate) home: Home,
    pub(crate) runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

/// A command that goes on until something happens. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting {
    child: Child,
    typed: Option<ChildStdin>,
    out: BufReader<ChildStdout>,
    errors: PathBuf,
}

/// What a browser is shown.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) html: String,
    /// Where it is sent, if it does not go there by itself.
    pub(crate) location: Option<String>,
}

pub(crate) fn world() -> World {
    world_with(Options::default())
}

pub(crate) fn world_with(options: Options) -> World {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let demo = runtime.block_on(Demo::start(options)).unwrap();
    let home = Home::new()
        .with("CODEFERRY_AUTH_URL", demo.auth_url())
        .with("CODEFERRY_CHATGPT_URL", demo.chatgpt_url())
        .with("CODEFERRY_OPENAI_URL", demo.openai_url());
    codeferry_app::install_crypto_provider();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    World { demo, home, runtime, http }
}

/// Looks until there is something to see. The patience is for a test that fails.
#[track_caller]
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "nothing came");
        std::thread::yield_now();
    }
}

// === impl World ===

impl World {
    pub(crate) fn file(&self, account: &DemoAccount) -> String {
        let path = self.home.file(&format!("{}-{:?}.json", account.email, account.kind));
        account.write(&path).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A file of the test's own.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.home.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn codex(&self, name: &str) -> String {
        let file = self.file(&self.demo.account(name));
        self.home.ok(&["accounts", "import", "--kind", "codex", &file])
    }

    pub(crate) fn plan(&self, name: &str) -> String {
        let file = self.file(&self.demo.plan_account(name));
        self.home.ok(&["accounts", "import", "--kind", "plan", &file])
    }

    pub(crate) fn list(&self) -> Vec<Value> {
        self.home.json(&["accounts", "list", "--json"]).as_array().unwrap().clone()
    }

    pub(crate) fn listed(&self, id: &str) -> Value {
        // Its code is 3 where everybody needs to sign in.
        let ran = self.home.run(&["accounts", "list", "--json"]);
        let list: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        list.into_iter().find(|account| account["id"] == id).unwrap()
    }

    pub(crate) fn active(&self) -> Option<String> {
        let active = self.list().into_iter().find(|account| account["active"] == true)?;
        active["id"].as_str().map(str::to_owned)
    }

    /// `accounts add` that opens nothing, and the first line it prints.
    pub(crate) fn add(&self, args: &[&str]) -> (Waiting, Value) {
        let mut waiting = self.wait(&[&["accounts", "add", "--no-browser", "--json"], args].concat());
        let opened = waiting.line();
        assert_eq!(opened["event"], "open", "{opened}");
        (waiting, opened)
    }

    pub(crate) fn wait(&self, args: &[&str]) -> Waiting {
        self.started(self.home.command(args))
    }

    /// The same for a command that was prepared.
    pub(crate) fn started(&self, mut command: Command) -> Waiting {
        let name = std::thread::current().name().unwrap_or_default().replace(':', "_");
        let number = fs::read_dir(self.home.file("")).unwrap().count();
        let errors = self.home.file(&format!("{name}-{number}.err"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&errors).unwrap());
        let mut child = command.spawn().unwrap();
        let typed = child.stdin.take();
        let out = BufReader::new(child.stdout.take().unwrap());
        Waiting { child, typed, out, errors }
    }

    /// Opens a page, and says where it leads.
    pub(crate) fn look(&self, url: &str) -> Page {
        self.runtime.block_on(async {
            let answer = self.http.get(url).send().await.unwrap();
            let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            Page { status: answer.status().as_u16(), location, html: answer.text().await.unwrap() }
        })
    }

    /// Where the browser ends when this account says yes.
    pub(crate) fn callback(&self, opened: &Value, name: &str) -> String {
        let url = format!("{}&demo=allow&demo_account={name}", opened["url"].as_str().unwrap());
        let page = self.look(&url);
        page.location.ok_or(page.html).unwrap()
    }

    /// Goes there, too.
    pub(crate) fn visit(&self, opened: &Value, name: &str) -> Page {
        self.look(&self.callback(opened, name))
    }

    pub(crate) fn no_violations(&self) {
        assert_eq!(self.demo.violations(), [], "the upstream has nothing to complain about");
    }
}

// === impl Waiting ===

impl Waiting {
    /// The next line it prints.
    pub(crate) fn line(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).map_err(|_| self.errors()).unwrap()
    }

    pub(crate) fn type_line(&mut self, text: &str) {
        writeln!(self.typed.as_mut().unwrap(), "{text}").unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// As a script does it that has nothing to say.
    pub(crate) fn type_nothing(&mut self) {
        self.typed = None;
    }

    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Everything it prints from here on, and how it ends.
    pub(crate) fn end(mut self) -> Ran {
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        let code = self.child.wait().unwrap().code();
        Ran { code, out, err: self.errors() }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Whatever goes wrong here, the process is not ours any more.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

// === impl Ran ===

impl Ran {
    /// The last line, which says how a sign-in ended.
    pub(crate) fn last(&self) -> Value {
        serde_json::from_str(self.out.lines().last().unwrap_or("null")).unwrap()
    }
}

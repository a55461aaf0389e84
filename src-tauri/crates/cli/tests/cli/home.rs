//! A data folder, the binary in it, and a server that does not outlive its test.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The environment of one user.
#[derive(Debug)]
pub(crate) struct Home {
    temp: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A running `codeferry serve`, killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// What it says after the first line, of which there should be nothing.
    rest: BufReader<ChildStdout>,
    /// The first line, as it was printed.
    pub(crate) line: String,
    pub(crate) url: String,
    errors: PathBuf,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

// === impl Home ===

impl Home {
    pub(crate) fn new() -> Self {
        Self { temp: TempDir::new().unwrap(), variables: Vec::new() }
    }

    /// One more variable for every command from here on.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// The data folder. The first command that needs it makes it.
    pub(crate) fn folder(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    /// A place for the test's own files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_codeferry"));
        for name in ["CODEFERRY_LOG", "NO_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"]
        {
            command.env_remove(name);
        }
        for old in codeferry_app::old_names::VARIABLES {
            command.env_remove(old.name);
        }
        // Nobody's real home is looked into.
        command.env("HOME", self.temp.path().join("user")).env("USERPROFILE", self.temp.path().join("user"));
        // No collector that the machine may name is told of tests.
        command.env_remove("OTEL_EXPORTER_OTLP_ENDPOINT").env_remove("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        command.env("CODEFERRY_HOME", self.folder()).env("CODEFERRY_VAULT", "file").env("COLUMNS", "100");
        // Nobody out there is asked by accident.
        for name in ["CODEFERRY_AUTH_URL", "CODEFERRY_CHATGPT_URL", "CODEFERRY_OPENAI_URL"] {
            command.env(name, "http://127.0.0.1:9");
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).args(args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs what must succeed, and gives what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.err);
        ran.out.trim_end().to_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let out = self.ok(args);
        assert!(!out.contains('\n'), "one line: {out}");
        serde_json::from_str(&out).unwrap()
    }

    /// `serve` on a free port, once it accepts requests.
    #[track_caller]
    pub(crate) fn serve(&self, args: &[&str]) -> Server {
        self.server(&[&["serve", "--json", "--port", "0"], args].concat())
    }

    #[track_caller]
    pub(crate) fn server(&self, args: &[&str]) -> Server {
        self.started(self.command(args))
    }

    /// The same for a command that was prepared.
    #[track_caller]
    pub(crate) fn started(&self, mut command: Command) -> Server {
        let errors = self.file("server.err");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&errors).unwrap());
        let mut child = command.spawn().unwrap();
        let mut rest = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        rest.read_line(&mut line).unwrap();
        let mut server = Server { child, rest, line, url: String::new(), errors };
        let event: Value = serde_json::from_str(&server.line).map_err(|_| server.errors()).unwrap();
        event["url"].as_str().unwrap().clone_into(&mut server.url);
        server
    }
}

// === impl Server ===

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Everything on standard error so far.
    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// The exit code, and what else it printed.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut more = String::new();
        self.rest.read_to_string(&mut more).unwrap();
        (self.child.wait().unwrap().code(), more)
    }

    /// Everything on standard error, and the exit code.
    pub(crate) fn log_at_the_end(mut self) -> (String, Option<i32>) {
        let code = self.child.wait().unwrap().code();
        (self.errors(), code)
    }

    /// As SIGKILL does it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers, "")
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.send(method, path, headers, body);
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        let body = text.split_once("\r\n\r\n").unwrap().1.to_owned();
        Answer { status, body }
    }

    /// Sends a request and leaves the answer to be read.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        let named = headers.iter().any(|(name, _)| *name == "host");
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !named {
            request += "host: localhost\r\n";
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).unwrap();
        stream
    }

    /// Asks the model something, as a client with this key.
    pub(crate) fn say(&self, key: &str, text: &str) -> Answer {
        self.ask("POST", "/v1/messages", &[("x-api-key", key)], &message(text, false))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever goes wrong here, the process is not ours any more.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A request for `/v1/messages`.
pub(crate) fn message(text: &str, stream: bool) -> String {
    serde_json::json!({
        "model": "claude-opus-4-8",
        "max_tokens": 1000,
        "stream": stream,
        "messages": [{"role": "user", "content": text}],
    })
    .to_string()
}

/// The mode of a file, as `ls` counts it.
#[cfg(unix)]
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

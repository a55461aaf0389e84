//! The child process: begun, listened to, ended with all it has begun itself.
//!
//! **Invariant:** a child is in a process group of its own, works in an empty folder of ours, and has none of our
//! environment's secrets. When its session is over it is gone within the grace period, politely or not.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use codeferry_accounts::Program;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

use super::lines::Lines;
use super::session::{Out, Session};
use super::{Household, Shared};
use crate::failure::{Failure, FailureKind};

/// The longest line of its stderr that is looked at.
const LONGEST_COMPLAINT: usize = 16 * 1024;

/// Starts `PROGRAM ARGS…`; its pipes are served by tasks until the session is over.
pub(super) fn start(program: &Program, args: &[OsString], shared: &Arc<Shared>) -> Result<Arc<Session>, Failure> {
    let household = &shared.household;
    let mut child = command(program, household)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(&program.path, &error))?;
    let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Failure::new(FailureKind::Unavailable, "The Codex CLI was started without pipes."));
    };
    let (out, lines) = mpsc::unbounded_channel();
    let session = Session::new(out, household.bounds.request);
    tracing::debug!(target: "codeferry::codex_cli", pid = child.id(), "the Codex CLI was started");
    shared.tasks.spawn(write(stdin, lines));
    shared.tasks.spawn(complaints(stderr));
    shared.tasks.spawn(listen(stdout, household.bounds.longest_line, Arc::clone(&session)));
    shared.tasks.spawn(keep(child, Arc::clone(&session), Arc::clone(shared)));
    Ok(session)
}

/// The command, prepared.
pub(super) fn command(program: &Program, household: &Household) -> Command {
    let mut command = Command::new(&program.path);
    command.current_dir(household.cwd()).kill_on_drop(true);
    for name in &household.kept_secret {
        command.env_remove(name);
    }
    // What it logs is not read; one line for what goes wrong is enough.
    command.env("RUST_LOG", "error").env("NO_COLOR", "1");
    if let (Some(beside), Some(search)) = (program.path.parent(), &household.search) {
        let folders = std::iter::once(beside.to_owned()).chain(std::env::split_paths(search));
        // Fails for a folder with a separator in its name; then what is there holds.
        if let Ok(search) = std::env::join_paths(folders) {
            command.env("PATH", search);
        }
    }
    if let Some(home) = &program.home {
        command.env("CODEX_HOME", home);
    }
    #[cfg(unix)]
    command.process_group(0);
    command
}

/// Why a program cannot be started.
pub(super) fn not_started(path: &Path, error: &std::io::Error) -> Failure {
    let path = path.display();
    let message = if error.kind() == std::io::ErrorKind::NotFound {
        format!(
            "there is no Codex CLI at {path}: install it with `npm install -g @openai/codex`, or name another with \
                 `codeferry accounts add --kind codex_cli --program PATH`"
        )
    } else {
        format!("the Codex CLI at {path} cannot be started: {error}")
    };
    Failure::new(FailureKind::Program, message)
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<Out>) {
    while let Some(Out::Line(line)) = lines.recv().await {
        // A child that reads no more has ended, or will be ended for its silence.
        if stdin.write_all(&line).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

async fn listen(stdout: ChildStdout, longest: usize, session: Arc<Session>) {
    let mut lines = Lines::new(BufReader::with_capacity(64 * 1024, stdout), longest);
    let why = loop {
        match lines.next().await {
            Ok(Some([])) => {}
            Ok(Some(line)) => {
                if let Err(garbage) = session.on_line(line) {
                    break Failure::new(
                        FailureKind::Protocol,
                        format!("The Codex CLI does not speak its protocol: {garbage}."),
                    );
                }
            }
            // The keeper knows better why.
            Ok(None) => return,
            Err(error) => {
                break Failure::new(FailureKind::Protocol, format!("The Codex CLI cannot be understood: {error}."));
            }
        }
    };
    session.end(why);
}

/// What the child writes to stderr may hold anything. Its last line, masked, helps whoever looks for a fault.
async fn complaints(stderr: ChildStderr) {
    let mut lines = Lines::new(BufReader::new(stderr), LONGEST_COMPLAINT);
    let mut last = None;
    while let Ok(Some(line)) = lines.next().await {
        if !line.is_empty() {
            last = Some(masked(&String::from_utf8_lossy(line)));
        }
    }
    // A line too long to be read ends the looking, not the reading: a full pipe would stop the child.
    let mut rest = lines.into_inner();
    drop(tokio::io::copy(&mut rest, &mut tokio::io::sink()).await);
    if let Some(last) = last {
        tracing::debug!(target: "codeferry::codex_cli", last, "what the child complained of");
    }
}

/// A line with everything left out that could be a secret or a text: long words, and what stands in quotes.
fn masked(line: &str) -> String {
    let mut kept = String::new();
    for (index, piece) in line.split(['"', '\'', '`']).enumerate() {
        if index % 2 == 1 {
            kept.push_str("«…»");
            continue;
        }
        for word in piece.split_inclusive(char::is_whitespace) {
            let long = word.trim_end().chars().count() > 24;
            kept.push_str(if long { "«…» " } else { word });
        }
    }
    kept.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Sees the child to its end.
async fn keep(mut child: Child, session: Arc<Session>, shared: Arc<Shared>) {
    let bounds = &shared.household.bounds;
    let mut look = tokio::time::Instant::now() + bounds.idle;
    loop {
        tokio::select! {
            status = child.wait() => {
                session.end(exited(status.as_ref().ok()));
                break;
            }
            () = session.over.cancelled() => break,
            () = shared.stop.cancelled() => {
                session.end(Failure::new(FailureKind::Unavailable, "The gateway is stopping."));
                break;
            }
            () = tokio::time::sleep_until(look) => match session.retire(bounds.idle) {
                Ok(()) => {
                    tracing::debug!(target: "codeferry::codex_cli", "the Codex CLI is not used and ends");
                    break;
                }
                Err(later) => look = later,
            },
        }
    }
    session.close();
    let group = child.id();
    if tokio::time::timeout(bounds.grace, child.wait()).await.is_err() {
        tracing::debug!(target: "codeferry::codex_cli", "the Codex CLI does not end by itself and is killed");
    }
    kill_group(group);
    drop(child.start_kill());
    drop(child.wait().await);
}

/// Whatever the child has begun goes with it.
#[cfg(unix)]
fn kill_group(leader: Option<u32>) {
    let pid = leader.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // An error says that there is nobody left.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_group(_leader: Option<u32>) {}

fn exited(status: Option<&ExitStatus>) -> Failure {
    let how = status.map_or_else(|| "in an unknown way".to_owned(), ToString::to_string);
    Failure::new(FailureKind::CutOff, format!("The Codex CLI ended by itself ({how})."))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_complaint_keeps_its_words_and_loses_what_it_quotes() {
        let line =
            "ERROR codex_core: token sk-abcdefghijklmnopqrstuvwxyz0123456789 refused for \"my secret plan\" at `path`";
        assert_eq!(masked(line), "ERROR codex_core: token «…» refused for «…» at «…»");
        assert!(masked(&"x ".repeat(1000)).chars().count() <= 200);
    }
}

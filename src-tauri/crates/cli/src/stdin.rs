//! Lines that a person types, or a script sends, while we wait for something else; and what nobody is to see being typed.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;
use codeferry_accounts::Secret;
use tokio::sync::mpsc;

use crate::signals::Signals;

/// Reads lines in a thread of its own: a read that waits cannot be given up, and must not keep the program from ending.
pub(crate) fn lines() -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Whether somebody sits there.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Reads one line that nobody is to see. At a terminal it is asked for, and not shown while it is typed.
pub(crate) async fn secret(asked: &str) -> anyhow::Result<Secret> {
    if !is_terminal() {
        return read_secret().await;
    }
    let mut signals = Signals::catch()?;
    // Shown again however this ends.
    let _hidden = hide()?;
    let mut talk = io::stderr();
    let _ = write!(talk, "{asked}");
    let _ = talk.flush();
    let typed = tokio::select! {
        typed = read_secret() => typed,
        () = signals.next() => Err(anyhow::anyhow!("given up")),
    };
    // What was typed to end the line was not shown either.
    let _ = writeln!(talk);
    typed
}

async fn read_secret() -> anyhow::Result<Secret> {
    // In a thread of its own, as above.
    let (send, line) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = io::stdin().lock().read_line(&mut text).map(|_| Secret::new(text.trim()));
        let _ = send.send(read);
    });
    let read = line.await.context("nobody reads what is typed")?;
    read.context("cannot read what is typed")
}

/// Makes the terminal show nothing, until it is dropped.
#[cfg(unix)]
fn hide() -> anyhow::Result<impl Drop> {
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    struct Hidden(Termios);
    impl Drop for Hidden {
        fn drop(&mut self) {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        }
    }
    let shown = tcgetattr(io::stdin()).context("cannot hide what is typed")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Now, &hidden).context("cannot hide what is typed")?;
    Ok(Hidden(shown))
}

#[cfg(not(unix))]
fn hide() -> anyhow::Result<impl Drop> {
    struct Nothing;
    impl Drop for Nothing {
        fn drop(&mut self) {}
    }
    let refused: anyhow::Result<Nothing> =
        Err(anyhow::anyhow!("what is typed here would be seen: pipe the key in, or name a variable with --key-env"));
    refused
}

//! The signals that end what would go on for good, and those that are for a program we started.

use std::io;
use std::process::ExitStatus;

use tokio::process::Child;

/// Catches them from now on.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
    #[cfg(windows)]
    terminate: tokio::signal::windows::CtrlClose,
}

// === impl Signals ===

impl Signals {
    #[cfg(unix)]
    pub(crate) fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(windows)]
    pub(crate) fn catch() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_c, ctrl_close};
        Ok(Self { interrupt: ctrl_c()?, terminate: ctrl_close()? })
    }

    /// Done when the next one comes.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Signals are the child's, not ours, from now on.
///
/// What is typed at the terminal reaches the child by itself, since it is in the same group; sent on, it would come twice, and
/// a second Ctrl-C means something else to many a program. Where there is no terminal nobody types, so an interrupt is sent
/// on too.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Relay {
    typed: [tokio::signal::unix::Signal; 2],
    sent: [tokio::signal::unix::Signal; 4],
    alone: bool,
}

/// The console sends every event to all its programs.
#[cfg(windows)]
#[derive(Debug)]
pub(crate) struct Relay {
    interrupt: tokio::signal::windows::CtrlC,
    pause: tokio::signal::windows::CtrlBreak,
}

// === impl Relay ===

#[cfg(unix)]
impl Relay {
    pub(crate) fn catch() -> io::Result<Self> {
        use std::io::IsTerminal as _;
        use tokio::signal::unix::{SignalKind as Kind, signal};
        Ok(Self {
            typed: [signal(Kind::interrupt())?, signal(Kind::quit())?],
            sent: [
                signal(Kind::terminate())?,
                signal(Kind::hangup())?,
                signal(Kind::user_defined1())?,
                signal(Kind::user_defined2())?,
            ],
            alone: !io::stdin().is_terminal() && !io::stdout().is_terminal() && !io::stderr().is_terminal(),
        })
    }

    /// How the child ends; until then it gets what we get.
    pub(crate) async fn until(&mut self, child: &mut Child) -> io::Result<ExitStatus> {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        loop {
            let [interrupt, quit] = &mut self.typed;
            let [terminate, hangup, one, two] = &mut self.sent;
            let got = tokio::select! {
                ended = child.wait() => return ended,
                _ = interrupt.recv() => Some(Signal::INT).filter(|_| self.alone),
                _ = quit.recv() => Some(Signal::QUIT).filter(|_| self.alone),
                _ = terminate.recv() => Some(Signal::TERM),
                _ = hangup.recv() => Some(Signal::HUP),
                _ = one.recv() => Some(Signal::USR1),
                _ = two.recv() => Some(Signal::USR2),
            };
            // It is a child of ours that nobody has waited for, so the number is still its own.
            if let (Some(pid), Some(signal)) = (pid, got) {
                let _ = kill_process(pid, signal);
            }
        }
    }
}

#[cfg(windows)]
impl Relay {
    pub(crate) fn catch() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c};
        Ok(Self { interrupt: ctrl_c()?, pause: ctrl_break()? })
    }

    /// How the child ends; until then what is typed is its alone.
    pub(crate) async fn until(&mut self, child: &mut Child) -> io::Result<ExitStatus> {
        loop {
            tokio::select! {
                ended = child.wait() => return ended,
                _ = self.interrupt.recv() => {}
                _ = self.pause.recv() => {}
            }
        }
    }
}

//! Lines that a person types, or a script sends, while we wait for something else.

use std::io::BufRead as _;

use tokio::sync::mpsc;

/// Reads lines in a thread of its own: a read that waits cannot be given up, and must not keep the program from ending.
pub(crate) fn lines() -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

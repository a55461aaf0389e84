//! Opening a page in the browser of the person.

use std::io;
use std::process::{Command, Stdio};

/// Asks the system to open it. That somebody looks at it now is not known even if this succeeds.
pub(crate) fn open(url: &str) -> io::Result<()> {
    let [program, arguments @ ..] = OPENER;
    let mut command = Command::new(program);
    command.args(*arguments).arg(url);
    // What a browser has to say is not ours, and it outlives us.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop)
}

#[cfg(target_os = "macos")]
const OPENER: &[&str; 1] = &["open"];
// `start` is a word of the shell there, which would take the ampersands of an address for its own.
#[cfg(windows)]
const OPENER: &[&str; 2] = &["rundll32", "url.dll,FileProtocolHandler"];
#[cfg(not(any(target_os = "macos", windows)))]
const OPENER: &[&str; 1] = &["xdg-open"];

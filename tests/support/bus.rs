//! A session bus of the test's own. It starts no services by itself: who is on it is who the test has put there.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use zbus::Connection;

/// Without service folders, so that nobody is started behind our back (as a keychain would be).
const CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=@FOLDER@</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A bus. Dropped, it ends.
pub struct Bus {
    address: String,
    _daemon: Child,
}

// === impl Bus ===

impl Bus {
    /// A bus whose socket lies in this folder.
    pub async fn start(folder: &Path) -> Self {
        let config = folder.join("bus.xml");
        std::fs::write(&config, CONFIG.replace("@FOLDER@", &folder.to_string_lossy())).expect("a file");
        let mut command = Command::new("dbus-daemon");
        command.arg("--config-file").arg(&config).args(["--nofork", "--nopidfile", "--print-address=1"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut daemon = command.spawn().expect("dbus-daemon starts");
        let mut lines = BufReader::new(daemon.stdout.take().expect("a pipe")).lines();
        let address = tokio::time::timeout(crate::patience::PATIENCE, lines.next_line()).await;
        let address = address.expect("the bus says its address").expect("a line").expect("the bus runs");
        Self { address, _daemon: daemon }
    }

    /// For `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A connection of the test's own.
    pub async fn connect(&self) -> Connection {
        let builder = zbus::connection::Builder::address(self.address.as_str()).expect("an address");
        builder.build().await.expect("the bus lets us in")
    }
}

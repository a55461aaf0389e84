//! Who listens on a port. Linux tells in `/proc`; elsewhere we say how to ask.

use std::fmt;

/// Who has a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// This process.
    Process {
        /// Its id.
        pid: u32,
        /// Its name.
        name: String,
    },
    /// Not to be seen from here: another user's, or another system. The command finds it out.
    Unknown {
        /// For a terminal.
        ask: String,
    },
}

// === impl Holder ===

impl Holder {
    pub(super) fn of(port: u16) -> Self {
        #[cfg(target_os = "linux")]
        if let Some((pid, name)) = proc::listener(port) {
            return Self::Process { pid, name };
        }
        Self::Unknown { ask: command(port) }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, name } => write!(f, "by {name} (process {pid})"),
            Self::Unknown { ask } => write!(f, "(`{ask}` tells by whom)"),
        }
    }
}

fn command(port: u16) -> String {
    if cfg!(windows) {
        format!("netstat -ano | findstr :{port}")
    } else if cfg!(target_os = "linux") {
        format!("sudo ss -ltnp sport = :{port}")
    } else {
        format!("sudo lsof -nP -iTCP:{port} -sTCP:LISTEN")
    }
}

/// `/proc/net/tcp` gives the inode of the listening socket, and the process is the one that has it open.
#[cfg(target_os = "linux")]
mod proc {
    use std::fs;

    /// The state of a listening socket in `/proc/net/tcp` (proc_net_tcp(5)).
    const LISTEN: &str = "0A";

    pub(super) fn listener(port: u16) -> Option<(u32, String)> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().filter_map(|path| fs::read_to_string(path).ok());
        let wanted: Vec<String> = tables.flat_map(|table| inodes(&table, port)).collect();
        let pid = fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            // Only the files of our own processes can be seen, unless we are root.
            let mut open = fs::read_dir(entry.path().join("fd")).ok()?.flatten();
            let is_wanted = |link: &str| wanted.iter().any(|inode| link == format!("socket:[{inode}]"));
            let has_it = open.any(|file| fs::read_link(file.path()).is_ok_and(|to| to.to_str().is_some_and(is_wanted)));
            has_it.then_some(pid)
        })?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some((pid, name.trim().to_owned()))
    }

    /// The inodes of the sockets that listen on a port.
    pub(super) fn inodes(table: &str, port: u16) -> Vec<String> {
        let inode = |line: &str| {
            let mut columns = line.split_whitespace().skip(1);
            let local = columns.next()?;
            let state = columns.nth(1)?;
            let (_, hex) = local.rsplit_once(':')?;
            let is_it = u16::from_str_radix(hex, 16).ok()? == port && state == LISTEN;
            is_it.then(|| columns.nth(5)).flatten().map(str::to_owned)
        };
        table.lines().skip(1).filter_map(inode).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Holder;

    #[test]
    fn both_kinds_fit_into_the_sentence() {
        assert_eq!(Holder::Process { pid: 7, name: "node".to_owned() }.to_string(), "by node (process 7)");
        let unknown = Holder::Unknown { ask: super::command(8081) }.to_string();
        assert!(unknown.contains("8081"), "{unknown}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_the_listener_on_that_port_counts() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            \x20  0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0\n\
            \x20  1: 0100007F:1F91 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100 0\n\
            \x20  2: 0100007F:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0\n\
            \x20  3: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1 0 100 0\n";
        assert_eq!(super::proc::inodes(table, 8081), ["4711", "4714"]);
        assert_eq!(super::proc::inodes("", 8081), Vec::<String>::new());
    }
}

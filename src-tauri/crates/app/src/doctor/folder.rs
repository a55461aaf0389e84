//! The data folder: there, private, writable, with room.

use std::fs;
use std::io;
use std::path::Path;

use codeferry_gateway::doctor::Row;

use crate::Paths;

pub(super) fn rows(paths: &Paths) -> Vec<Row> {
    let home = paths.home();
    if !home.exists() {
        let message = format!("{} is not there yet; the first command that needs it makes it", home.display());
        return vec![Row::ok("data_folder", message)];
    }
    let mut rows = vec![match try_writing(home) {
        Ok(()) => Row::ok("data_folder", home.display().to_string()),
        Err(error) => Row::fail("data_folder", format!("{} cannot be written to: {error}", home.display()))
            .hint("renewed tokens must be stored: make it writable for this user"),
    }];
    rows.push(modes(home));
    rows.extend(room(home));
    let logs = paths.logs();
    if logs.exists() {
        rows.push(match try_writing(&logs) {
            Ok(()) => Row::ok("log", format!("log files are in {}", logs.display())),
            Err(error) => Row::warn("log", format!("{} cannot be written to: {error}", logs.display())),
        });
    }
    rows
}

fn try_writing(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    fs::OpenOptions::new().write(true).create_new(true).open(&probe)?;
    fs::remove_file(probe)
}

/// Whether others can read what is ours alone.
#[cfg(unix)]
fn modes(home: &Path) -> Row {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::symlink_metadata(path).map(|found| found.permissions().mode() & 0o777);
    let mut exposed = Vec::new();
    for folder in [home.to_owned(), home.join("logs"), home.join("catalogs"), home.join("backups")] {
        if mode(&folder).is_ok_and(|mode| mode & 0o077 != 0) {
            exposed.push(folder.clone());
        }
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let files = entries.map(|entry| entry.path()).filter(|path| {
            // Locks are empty.
            path.is_file() && path.extension().is_none_or(|kind| kind != "lock")
        });
        exposed.extend(files.filter(|path| mode(path).is_ok_and(|mode| mode & 0o077 != 0)));
    }
    let secret = |name: &str| exposed.iter().any(|path| *path == home.join(name));
    let Some(first) = exposed.first() else {
        return Row::ok("permissions", "files and folders are readable by you alone");
    };
    let others = exposed.len() - 1;
    let more = if others == 0 { String::new() } else { format!(" and {others} more") };
    let message = format!("others may read {}{more}", first.display());
    let row = if ["control.token", "vault.key", "clients.json"].into_iter().any(secret) {
        Row::fail("permissions", message)
    } else {
        Row::warn("permissions", message)
    };
    row.hint(format!("chmod -R go= '{}'", home.display()))
}

/// The profile folder is the owner's already.
#[cfg(not(unix))]
fn modes(_: &Path) -> Row {
    Row::ok("permissions", "the profile folder is yours alone")
}

#[cfg(unix)]
fn room(home: &Path) -> Option<Row> {
    let disk = rustix::fs::statvfs(home).ok()?;
    Some(of_room(disk.f_bavail.saturating_mul(disk.f_frsize)))
}

/// Not told there.
#[cfg(not(unix))]
fn room(_: &Path) -> Option<Row> {
    None
}

#[cfg(any(unix, test))]
pub(super) fn of_room(bytes: u64) -> Row {
    const MIB: u64 = 1024 * 1024;
    /// With less room a renewed token may find none.
    const LITTLE: u64 = 500 * MIB;
    const TOO_LITTLE: u64 = 20 * MIB;
    let message = format!("{} MiB are free", bytes / MIB);
    let hint = "make room: a token that is renewed and cannot be stored costs its sign-in";
    match bytes {
        ..TOO_LITTLE => Row::fail("disk_space", message).hint(hint),
        TOO_LITTLE..LITTLE => Row::warn("disk_space", message).hint(hint),
        _ => Row::ok("disk_space", message),
    }
}

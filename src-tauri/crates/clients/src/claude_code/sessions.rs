//! Sessions of Claude Code that run. They keep the settings they began with.
//!
//! Each writes `sessions/PID.json` into Claude Code's folder and takes it away at its end; one that was killed leaves it. Seen
//! with the version named in `docs/clients.md`: `pid`, `cwd`, `kind`, `startedAt` in milliseconds, and `procStart`, on Linux the
//! start of the process in ticks since the machine's, as in `/proc/PID/stat`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::client::{Files, Os, World};

/// One that runs, as far as can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its process.
    pub pid: u32,
    /// Where it works.
    pub folder: String,
    /// When it began, in milliseconds since 1970.
    pub since: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Noted {
    pid: u32,
    #[serde(default)]
    cwd: String,
    #[serde(default)]
    started_at: i64,
    #[serde(default)]
    proc_start: Option<String>,
}

/// The notes there are in Claude Code's folder.
pub(super) fn files(world: &World, folder: &Path) -> Vec<PathBuf> {
    let folder = world.join(folder, &["sessions"]);
    let names = world.files.names(&folder).into_iter().filter(|name| name.ends_with(".json"));
    names.map(|name| world.join(&folder, &[&name])).collect()
}

/// Those that run. Where nobody can look for the process, the note counts.
pub fn running(world: &World, folder: &Path) -> Vec<Session> {
    let session = |file: PathBuf| {
        let bytes = world.files.read(&file).ok().flatten()?;
        let noted: Noted = serde_json::from_slice(&bytes).ok()?;
        let gone = world.os == Os::Linux && !lives(&*world.files, noted.pid, noted.proc_start.as_deref());
        (!gone).then_some(Session { pid: noted.pid, folder: noted.cwd, since: noted.started_at })
    };
    let mut sessions: Vec<_> = files(world, folder).into_iter().filter_map(session).collect();
    sessions.sort_by_key(|session| session.since);
    sessions
}

/// Whether that process runs still, and is the same.
fn lives(files: &dyn Files, pid: u32, began: Option<&str>) -> bool {
    let stat = files.read(&PathBuf::from(format!("/proc/{pid}/stat"))).ok().flatten().unwrap_or_default();
    let stat = String::from_utf8_lossy(&stat);
    // The name in brackets may hold anything; the 22nd field is the 20th behind it.
    let Some((_, rest)) = stat.rsplit_once(')') else { return false };
    let start = rest.split_whitespace().nth(19);
    began.is_none_or(|began| start == Some(began))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Session, running};
    use crate::client::{MadeUpFiles, Os, World};

    const NOTE: &str =
        r#"{"pid":7,"sessionId":"x","cwd":"/p","startedAt":1795182682315,"procStart":"3460361","kind":"interactive"}"#;

    #[test]
    fn a_session_runs_if_its_process_does() {
        let stat = |start: &str| format!("7 (a) b) S {} {start} 1 2 3", vec!["0"; 18].join(" "));
        let files = MadeUpFiles::new().with("/h/.claude/sessions/7.json", NOTE);
        let look = |os, files: MadeUpFiles| running(&World::made_up(os, "/h", files), Path::new("/h/.claude"));
        let session = Session { pid: 7, folder: "/p".to_owned(), since: 1_795_182_682_315 };
        assert_eq!(
            look(Os::Linux, files.clone().with("/proc/7/stat", &stat("3460361"))),
            std::slice::from_ref(&session)
        );
        assert_eq!(
            look(Os::Linux, files.clone().with("/proc/7/stat", &stat("99"))),
            [],
            "another one has its number now"
        );
        assert_eq!(look(Os::Linux, files.clone()), [], "it was killed");
        assert_eq!(look(Os::Macos, files), [session], "nobody can look");
        let damaged = MadeUpFiles::new().with("/h/.claude/sessions/7.json", "{");
        assert_eq!(look(Os::Macos, damaged), []);
    }
}

//! Processes that end with the test, and what the system says about them. By process id, never by name.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Ends a process when it is dropped, also after a panic: for one that somebody else has started.
#[derive(Debug)]
pub struct Ending(pub u32);

impl Drop for Ending {
    fn drop(&mut self) {
        // Its helpers notice that it is gone, and go, too.
        signal(self.0, "KILL");
    }
}

/// Sends a signal, by its name without `SIG`.
pub fn signal(pid: u32, name: &str) {
    let mut kill = std::process::Command::new("sh");
    let _ = kill.args(["-c", &format!("kill -{name} {pid} 2>/dev/null")]).status();
}

/// It is there and no zombie.
pub fn runs(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // Its name stands in parentheses and may hold anything.
    !matches!(stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()), None | Some("Z" | "X"))
}

/// The processes this one has started, with theirs.
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let of_task = |task: PathBuf| std::fs::read_to_string(task.join("children")).unwrap_or_default();
    let direct: Vec<u32> = tasks
        .flatten()
        .flat_map(|task| of_task(task.path()).split_whitespace().flat_map(str::parse).collect::<Vec<u32>>())
        .collect();
    direct.into_iter().flat_map(|child| [vec![child], children(child)].concat()).collect()
}

/// The programs of a folder that run.
pub fn of_folder(folder: &Path) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_there = |pid: &u32| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.starts_with(folder));
    pids.filter(is_there).collect()
}

/// What it is called, up to fifteen characters.
pub fn name(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// Memory of one or several processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Resident, in KiB. What processes share is counted in each.
    pub rss: u64,
    /// Proportional, in KiB: what is shared is divided among those who share it.
    pub pss: u64,
}

// === impl Memory ===

impl Memory {
    /// That of one process; nothing if it is gone.
    pub fn of(pid: u32) -> Self {
        let sums = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let figure = |name: &str| {
            let line = sums.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
        };
        Self { rss: figure("Rss:"), pss: figure("Pss:") }
    }

    /// That of a process and all it has started.
    pub fn with_children(pid: u32) -> Self {
        let all = std::iter::once(pid).chain(children(pid)).map(Self::of);
        all.fold(Self::default(), |sum, one| Self { rss: sum.rss + one.rss, pss: sum.pss + one.pss })
    }
}

/// Processor time that a process has used, in clock ticks: hundredths of a second on Linux, whatever the machine.
pub fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // utime and stime are the 14th and 15th field (proc(5)); two stand before the rest.
    [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum()
}

/// For how long it has been there, to a hundredth of a second.
pub fn age(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let up = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let up: f64 = up.split_whitespace().next().and_then(|up| up.parse().ok()).unwrap_or_default();
    // starttime is the 22nd field (proc(5)), in ticks since the machine was started.
    let started = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(19)?.parse::<f64>().ok());
    Duration::try_from_secs_f64(up - started.unwrap_or_default() / 100.0).unwrap_or_default()
}

/// Where a program is, if it is on the path.
pub fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|it| it.join(name)).find(|it| Path::is_file(it))
}

//! Files: read with a limit, replaced so that a crash leaves the old one or the new one.
//!
//! The steps stand behind [`Disk`], so that tests can fail, or end the process, at each of them.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// So many links may lead from one to the next, as on Linux.
const LINKS: usize = 40;

/// So many waits for another one of us: some ten seconds.
const PATIENCE: usize = 500;

/// The steps of reading and writing.
pub(crate) trait Disk: Send + Sync {
    /// The bytes, at most `limit` and one more; `None` when there is no file.
    fn read(&self, path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>>;
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    /// A new file, readable by its owner only.
    fn create(&self, path: &Path) -> io::Result<File>;
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    /// Give it the mode and the owner of another file.
    fn dress(&self, path: &Path, like: &Metadata) -> io::Result<()>;
    fn sync(&self, file: &File) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// The same, but never over another file.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Each takes the place of the other, at once. `false`: this disk cannot do that.
    fn exchange(&self, one: &Path, other: &Path) -> io::Result<bool>;
    /// Another name for the same file.
    fn link(&self, file: &Path, name: &Path) -> io::Result<()>;
    /// Time for somebody who empties a file before writing it.
    fn wait(&self) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Only this makes a rename itself survive a power cut.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The disk.
#[derive(Debug)]
pub(crate) struct RealDisk;

/// Puts `bytes` in the place of a file of ours, that nobody else writes: whoever does holds the lock, so what a killed process
/// left beside it is cleared by the next.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = folder_of(path);
    let beside = folder.join(format!(".{name}.new.codeferry"));
    let written = write_new(disk, &beside, bytes, None).and_then(|()| disk.rename(&beside, path));
    match written {
        Ok(()) => disk.sync_folder(folder),
        Err(_) => {
            let _ = disk.remove(&beside);
            written
        }
    }
}

/// A new file with these bytes, safely on the disk; `like`: whose mode and owner it gets.
pub(crate) fn write_new(disk: &dyn Disk, path: &Path, bytes: &[u8], like: Option<&Metadata>) -> io::Result<()> {
    disk.remove(path)?;
    let mut file = disk.create(path)?;
    disk.write(&mut file, bytes)?;
    if let Some(like) = like {
        disk.dress(path, like)?;
    }
    disk.sync(&file)
    // It is closed here: Windows renames no file that is open.
}

/// Where a file really stands, behind all links; also one that does not exist yet.
pub(crate) fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder_of(&path).join(target),
            // The same file is the same one by whatever folder it is named.
            Err(_) => {
                let name = path.file_name().unwrap_or_default();
                return Ok(folder_of(&path).canonicalize().map_or_else(|_| path.clone(), |folder| folder.join(name)));
            }
        }
    }
    Err(io::Error::other("its links lead in a circle"))
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Held while one of us changes something; it is given back when dropped, also by a crash.
pub(crate) fn lock(disk: &dyn Disk, path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let lock = owner_only(options.create(true).truncate(false).write(true)).open(path)?;
    for _ in 0..PATIENCE {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => disk.wait(),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "another Codeferry is changing settings just now"))
}

/// The SHA-256 in hex; of nothing at all it is a dash.
pub(crate) fn sum(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(
        || "-".to_owned(),
        |bytes| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
    )
}

/// What went wrong, in words for people.
pub(crate) fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::QuotaExceeded => "the space that is allowed there is used up".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk can only be read".to_owned(),
        io::ErrorKind::PermissionDenied => "that is not permitted".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::NotADirectory => "what should be a folder on the way there is a file".to_owned(),
        _ => error.to_string(),
    }
}

// === impl RealDisk ===

impl Disk for RealDisk {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // A pipe would make us wait for ever.
        if !metadata.is_file() {
            return Err(io::Error::other(if metadata.is_dir() { "it is a folder" } else { "it is no file" }));
        }
        let mut bytes = Vec::new();
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        owner_only(OpenOptions::new().write(true).create_new(true)).open(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn dress(&self, path: &Path, like: &Metadata) -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, chown};
            let now = fs::metadata(path)?;
            if (now.uid(), now.gid()) != (like.uid(), like.gid()) {
                chown(path, Some(like.uid()), Some(like.gid()))?;
            }
        }
        fs::set_permissions(path, like.permissions())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    #[cfg(not(windows))]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Whoever reads a file on Windows keeps others from replacing it: for a moment, so it is tried again.
    #[cfg(windows)]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        const SHARING_VIOLATION: i32 = 32;
        let mut tries = 0;
        loop {
            match fs::rename(from, to) {
                Err(error)
                    if tries < 25
                        && (error.raw_os_error() == Some(SHARING_VIOLATION)
                            || error.kind() == io::ErrorKind::PermissionDenied) =>
                {
                    tries += 1;
                    self.wait();
                }
                done => return done,
            }
        }
    }

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        match renamed(from, to, rustix::fs::RenameFlags::NOREPLACE)? {
            true => Ok(()),
            false => linked_new(from, to),
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        linked_new(from, to)
    }

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    fn exchange(&self, one: &Path, other: &Path) -> io::Result<bool> {
        renamed(one, other, rustix::fs::RenameFlags::EXCHANGE)
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    fn exchange(&self, _: &Path, _: &Path) -> io::Result<bool> {
        Ok(false)
    }

    fn link(&self, file: &Path, name: &Path) -> io::Result<()> {
        fs::hard_link(file, name)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        #[cfg(unix)]
        return File::open(folder)?.sync_all();
        #[cfg(not(unix))]
        {
            // Windows opens no folder as a file; its rename is in the journal.
            let _ = folder;
            Ok(())
        }
    }
}

/// `false`: this disk cannot do that.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn renamed(from: &Path, to: &Path, how: rustix::fs::RenameFlags) -> io::Result<bool> {
    use rustix::fs::CWD;
    use rustix::io::Errno;
    match rustix::fs::renameat_with(CWD, from, CWD, to, how) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A name is never given twice.
fn linked_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // A disk without links.
        Err(_) if fs::symlink_metadata(to).is_err() => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

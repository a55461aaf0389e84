//! Files: read with a limit, replaced so that a crash leaves the old one or the new one.
//!
//! The steps stand behind [`Disk`], so that tests can fail, or end the process, at each of them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// So many links may lead from one to the next, as on Linux.
const LINKS: usize = 40;

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
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Only this makes a rename itself survive a power cut.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The disk.
#[derive(Debug)]
pub(crate) struct RealDisk;

/// Why a file was not replaced.
#[derive(Debug)]
pub(crate) enum NotReplaced {
    /// Somebody else wrote it meanwhile.
    Changed,
    Io(io::Error),
}

/// Puts `bytes` in the place of `path`, or takes the file away for `None`. `still` is what must be there until the last
/// moment; without it nobody else writes this file. `tag` names what is written aside: only whoever holds the lock uses it, so
/// what a killed process left is cleared by the next.
pub(crate) fn replace(
    disk: &dyn Disk,
    tag: &str,
    path: &Path,
    bytes: Option<&[u8]>,
    still: Option<Option<&[u8]>>,
) -> Result<(), NotReplaced> {
    let folder = folder_of(path);
    let unchanged = || match still {
        Some(still) => {
            let limit = still.map_or(0, <[u8]>::len);
            if disk.read(path, limit)?.as_deref() == still { Ok(()) } else { Err(NotReplaced::Changed) }
        }
        None => Ok(()),
    };
    let Some(bytes) = bytes else {
        unchanged()?;
        disk.remove(path)?;
        return Ok(disk.sync_folder(folder)?);
    };
    let like = fs::metadata(path).ok();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{tag}.codeferry"));
    disk.remove(&beside)?;
    let written = (|| {
        let mut file = disk.create(&beside)?;
        disk.write(&mut file, bytes)?;
        if let Some(like) = &like {
            disk.dress(&beside, like)?;
        }
        disk.sync(&file)?;
        // Windows renames no file that is open.
        drop(file);
        unchanged()?;
        Ok(disk.rename(&beside, path)?)
    })();
    if written.is_err() {
        let _ = disk.remove(&beside);
    } else {
        disk.sync_folder(folder)?;
    }
    written
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
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let lock = owner_only(options.create(true).truncate(false).write(true)).open(path)?;
    lock.lock()?;
    Ok(lock)
}

/// The SHA-256 in hex; of nothing at all it is a dash.
pub(crate) fn sum(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(
        || "-".to_owned(),
        |bytes| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
    )
}

// === impl NotReplaced ===

impl From<io::Error> for NotReplaced {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
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

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
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

fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

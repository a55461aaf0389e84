//! Replacing a file so that a crash leaves the old one or the new one.
//!
//! The steps stand behind [`Disk`], so that tests can fill the disk or kill the process between any two of them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// The steps of a durable write, in their order.
pub(crate) trait Disk: Send + Sync {
    /// Away with what a killed process left.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// A new file, readable by its owner only.
    fn create(&self, path: &Path) -> io::Result<File>;
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    fn sync(&self, file: &File) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Only this makes the rename itself survive a power cut.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The disk.
pub(crate) struct RealDisk;

/// Put `bytes` in the place of `path`. The caller holds the lock: one writer at a time.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = (|| {
        disk.remove(&beside)?;
        let mut file = disk.create(&beside)?;
        disk.write(&mut file, bytes)?;
        disk.sync(&file)?;
        // Windows renames no file that is open.
        drop(file);
        disk.rename(&beside, path)
    })();
    match written {
        Ok(()) => disk.sync_folder(folder),
        Err(error) => {
            // A full disk needs the space; whatever is left is cleared by the next write.
            let _ = disk.remove(&beside);
            Err(error)
        }
    }
}

/// A folder only its owner may enter.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A file to lock; it stays empty, and it stays.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    owner_only(OpenOptions::new().create(true).truncate(false).write(true)).open(path)
}

/// The number of the file on its disk, where there is such a thing.
pub(crate) fn inode(metadata: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    {
        let _ = metadata;
        0
    }
}

fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    // On Windows the profile folder is the owner's already.
    options
}

// === impl RealDisk ===

impl Disk for RealDisk {
    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        owner_only(OpenOptions::new().write(true).create_new(true)).open(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
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

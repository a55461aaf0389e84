//! Small files that survive a crash and are shared by several processes.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

/// Which file was read, as far as can be told without reading it again. `None` inside: there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(Option<(Option<SystemTime>, u64, u64)>);

impl Stamp {
    pub(crate) fn of(path: &Path) -> Self {
        let of = |metadata: Metadata| (metadata.modified().ok(), metadata.len(), inode(&metadata));
        Self(fs::metadata(path).ok().map(of))
    }
}

/// The content of a file; `None` when there is none. The stamp is taken first: a file replaced meanwhile looks changed
/// the next time, never unchanged.
pub(crate) fn read(path: &Path) -> io::Result<(Option<Vec<u8>>, Stamp)> {
    let stamp = Stamp::of(path);
    match fs::read(path) {
        Ok(bytes) => Ok((Some(bytes), stamp)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((None, stamp)),
        Err(error) => Err(error),
    }
}

/// Keeps other writers of `path` out until it is dropped. Makes the folder, for its owner only.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    make_folder(folder_of(path))?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let lock = owner_only(&mut options).open(path.with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Makes a folder and those above it, for their owner only. One that exists is left as it is.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Replace the file as a whole: whoever is killed in the middle leaves the old one. The caller holds the [`lock`].
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<Stamp> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = owner_only(options.write(true).create_new(true)).open(&beside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    // Windows renames no file that is open.
    drop(file);
    if let Err(error) = written.and_then(|()| fs::rename(&beside, path)) {
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    // The rename itself survives a power cut only then. Windows opens no folder as a file; its renames are journalled.
    #[cfg(unix)]
    File::open(folder_of(path))?.sync_all()?;
    Ok(Stamp::of(path))
}

/// Whether others than the owner may read the file, with its mode.
#[cfg(unix)]
pub(crate) fn exposed(path: &Path) -> io::Result<Option<u32>> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path)?.permissions()) & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// On Windows the profile folder is the owner's already.
#[cfg(not(unix))]
pub(crate) fn exposed(_: &Path) -> io::Result<Option<u32>> {
    Ok(None)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn inode(metadata: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    {
        let _ = metadata;
        0
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Stamp, lock, read, replace};

    #[test]
    fn a_file_is_replaced_as_a_whole_and_leaves_nothing_beside() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("data").join("settings.json");
        let _lock = lock(&path).expect("locked");
        // What a killed process left.
        fs::write(path.with_extension("new"), b"half").expect("written");
        let first = replace(&path, b"one").expect("replaced");
        let second = replace(&path, b"two").expect("replaced");
        assert_ne!(first, second);
        assert_eq!(second, Stamp::of(&path));
        assert_eq!(read(&path).expect("read").0.as_deref(), Some(&b"two"[..]));
        assert!(!path.with_extension("new").exists());
    }

    #[cfg(unix)]
    #[test]
    fn everything_is_the_owners_alone() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("data").join("settings.json");
        let _lock = lock(&path).expect("locked");
        replace(&path, b"one").expect("replaced");
        for made in [&path, &path.with_extension("lock"), &home.path().join("data")] {
            assert_eq!(super::exposed(made).expect("it exists"), None, "{}", made.display());
        }
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("settings.json");
        replace(&path, b"one").expect("replaced");
        // A folder stands where the new file would be written.
        fs::create_dir(path.with_extension("new")).expect("made");
        replace(&path, b"two").expect_err("in the way");
        assert_eq!(read(&path).expect("read").0.as_deref(), Some(&b"one"[..]));
    }
}

//! The file: opening, migrating, and telling damage from other trouble.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::LogError;

/// Each brings the schema one version further. Only ever added to.
const MIGRATIONS: &[&str] =
    &[include_str!("../../migrations/0001_exchange.sql"), include_str!("../../migrations/0002_pricing.sql")];

/// How long to wait for others who hold the file.
const BUSY: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(2) };

/// The schema of this version.
pub(super) fn version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Opens to write: makes the file, readable by its owner alone, and brings its schema up to date.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, LogError> {
    let failed = |source| LogError::Database { path: path.to_owned(), source };
    make_private(path).map_err(|error| failed(rusqlite::Error::ToSqlConversionFailure(Box::new(error))))?;
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    if found > version() {
        return Err(LogError::Newer { path: path.to_owned(), found, known: version() });
    }
    if found == 0 {
        // Must be said before there is a table: space that is freed goes back to the disk in steps.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(failed)?;
    }
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    // Syncs at checkpoints. A power cut may cost the last rows, never the file.
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    migrate(&mut connection, found).map_err(failed)?;
    // A file may open well and be broken inside; a look at each table finds the worst.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failed)?;
    connection.query_row("SELECT max(seq) FROM exchange", [], |_| Ok(())).map_err(failed)?;
    connection.query_row("SELECT max(hour) FROM usage_hour", [], |_| Ok(())).map_err(failed)?;
    Ok(connection)
}

/// All or nothing for each step.
fn migrate(connection: &mut Connection, found: i64) -> Result<(), rusqlite::Error> {
    for (index, step) in MIGRATIONS.iter().enumerate() {
        let target = i64::try_from(index + 1).unwrap_or(i64::MAX);
        if target > found {
            let transaction = connection.transaction()?;
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", target)?;
            transaction.commit()?;
        }
    }
    Ok(())
}

/// Opens to read; `None` if there is nothing yet.
pub(super) fn open_to_read(path: &Path) -> Result<Option<Connection>, LogError> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0) || !path.exists() {
        return Ok(None);
    }
    let failed = |source| LogError::Database { path: path.to_owned(), source };
    // Not "read only": looking into a log in WAL mode needs its shared memory, which a reader may have to make.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.pragma_update(None, "query_only", true).map_err(failed)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    match found {
        // Made, but not yet filled.
        0 => Ok(None),
        found if found > version() => Err(LogError::Newer { path: path.to_owned(), found, known: version() }),
        _ => Ok(Some(connection)),
    }
}

/// Whether the file itself is broken, so that no waiting helps.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Puts a damaged file aside, with what belongs to it, under a name that is still free. Nothing is deleted.
pub(super) fn put_aside(path: &Path, stamp: &str) -> io::Result<PathBuf> {
    let with = |path: &Path, end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let mut aside = with(path, &format!(".damaged-{stamp}"));
    let mut count = 1;
    while aside.exists() {
        count += 1;
        aside = with(path, &format!(".damaged-{stamp}-{count}"));
    }
    fs::rename(path, &aside)?;
    for end in ["-wal", "-shm"] {
        match fs::rename(with(path, end), with(&aside, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

/// SQLite would make the file readable by everybody, and gives its companions the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

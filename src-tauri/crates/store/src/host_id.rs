//! The name of this installation towards auth hosts: a UUID, made once and kept (`codex-backend.md §12`,
//! `ext_agent_host_id`). It names the machine's installation, not a person, and is no secret.

use std::io;
use std::path::{Path, PathBuf};

use crate::durable;

/// There is no name, and none can be made.
#[derive(Debug, thiserror::Error)]
pub enum HostIdError {
    /// The file cannot be read or written.
    #[error("cannot keep the name of this installation in {}: {source}", .path.display())]
    File {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no random numbers.
    #[error("the system gave no random numbers: {0}")]
    Random(getrandom::Error),
}

/// The name in that file, as `urn:uuid:…`. The file is made if there is none, or if what is in it is no UUID.
pub fn host_id(path: &Path) -> Result<String, HostIdError> {
    let failed = |source| HostIdError::File { path: path.to_owned(), source };
    let _lock = durable::lock(path).map_err(failed)?;
    let (bytes, _) = durable::read(path).map_err(failed)?;
    let kept = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| text.trim().to_owned());
    if let Some(kept) = kept.filter(|kept| is_name(kept)) {
        return Ok(kept);
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(HostIdError::Random)?;
    let made = format!("urn:uuid:{}", version_4(random));
    durable::replace(path, format!("{made}\n").as_bytes()).map_err(failed)?;
    Ok(made)
}

fn is_name(text: &str) -> bool {
    text.strip_prefix("urn:uuid:").is_some_and(|uuid| {
        uuid.len() == 36
            && uuid.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    })
}

/// RFC 9562 §5.4.
fn version_4(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::{host_id, is_name};

    #[test]
    fn it_is_made_once_and_mended_when_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("host-id");
        let made = host_id(&path).expect("a name");
        assert!(is_name(&made), "{made}");
        assert_eq!(host_id(&path).expect("the same name"), made);
        std::fs::write(&path, "rubbish").expect("a damaged file");
        let again = host_id(&path).expect("a new name");
        assert!(is_name(&again) && again != made);
    }
}

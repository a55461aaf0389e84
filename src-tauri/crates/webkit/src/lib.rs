//! WebKitGTK, loaded when the first window is made.
//!
//! A program that is linked with libwebkit2gtk has it, and the hundred libraries it brings, in its memory from the first moment:
//! some 35 MiB, for a tray icon that may never open a window. This crate has functions of the names that the program would link,
//! so the linker finds them here and leaves the library out. Each passes its call on to the real one, which [`load`] brings.
//! docs/decisions/0009-webkit-later.md says why it is done like this.
//!
//! Where it is not done (other systems and processors, the feature `linked`) the library is linked as ever, and [`load`] has
//! nothing to do.
//!
//! **Invariant:** whether the library is there early or late cannot be told by whoever calls it.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(feature = "linked")))]
mod late;

/// The library is not there, or is not one that we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The system's loader does not find it, or something it needs.
    #[error("WebKitGTK (libwebkit2gtk-4.1) cannot be loaded: {0}")]
    Missing(String),
    /// It is older than what we were built for.
    #[error("the WebKitGTK of this system is too old: {0}")]
    Old(String),
}

/// Brings the library, if it is not there yet. Before the first window, on the thread that windows are made on: what the
/// library does when it is loaded it has always done on that one.
///
/// # Errors
/// It cannot be loaded. The next call tries again: somebody may install it meanwhile.
pub fn load() -> Result<(), Error> {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(feature = "linked")))]
    late::load()?;
    Ok(())
}

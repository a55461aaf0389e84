//! The real functions, and how calls come to them.
//!
//! Each symbol has a slot. It is empty until [`load`] has put the real function there; a call that comes before that loads the
//! library itself (`trampoline.rs`). The functions that the linker sees are in `symbols.rs`.

#![expect(
    unsafe_code,
    reason = "functions of a library that is loaded late are found by name, and nobody checks their types"
)]

mod symbols;
mod trampoline;

use std::ffi::{c_uint, c_void};
use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY, Symbol};

use self::symbols::NAMES;
use crate::Error;

/// By its soname, as the linker would write it into the program. It brings JavaScriptCore and libsoup along, and what is looked
/// up in it is looked up in them as well: dlsym(3).
const LIBRARY: &str = "libwebkit2gtk-4.1.so.0";

/// What the bindings were made for: wry asks for their feature `v2_40`.
const OLDEST: (c_uint, c_uint) = (2, 40);

/// A function of the library. Trampolines read it by its place, so it is a pointer and nothing else.
type Slot = AtomicPtr<c_void>;

static SLOTS: [Slot; NAMES.len()] = [const { Slot::new(std::ptr::null_mut()) }; NAMES.len()];

/// Whether all slots are filled. Held while they are.
static FILLED: Mutex<bool> = Mutex::new(false);

/// Loads the library and fills all slots. One that is too old is found now, and not in the middle of a window.
pub(crate) fn load() -> Result<(), Error> {
    let mut filled = FILLED.lock().unwrap_or_else(PoisonError::into_inner);
    if *filled {
        return Ok(());
    }
    // SAFETY: what runs while it is loaded would have run before `main` if it were linked. Global, as if it were: modules of
    // GTK and GStreamer that come later find it.
    let library = unsafe { Library::open(Some(LIBRARY), RTLD_LAZY | RTLD_GLOBAL) };
    // It stays to the end, whatever comes: GObject forgets no type it was told of.
    let library = ManuallyDrop::new(library.map_err(|error| Error::Missing(error.to_string()))?);
    for (slot, name) in SLOTS.iter().zip(NAMES) {
        // SAFETY: nothing is called here. Whoever calls believes in the types of the declaration, as with a linked library.
        let found: Result<Symbol<*mut c_void>, _> = unsafe { library.get(name.as_bytes()) };
        // What a later version has left out, and nobody may call.
        let Ok(found) = found else { continue };
        slot.store(found.into_raw(), Ordering::Release);
    }
    let (major, minor) = version(&library)?;
    if (major, minor) < OLDEST {
        return Err(Error::Old(format!("it is {major}.{minor}, and {}.{} is needed", OLDEST.0, OLDEST.1)));
    }
    *filled = true;
    Ok(())
}

fn version(library: &Library) -> Result<(c_uint, c_uint), Error> {
    let part = |name: &str| {
        // SAFETY: declared so in the library's header since its first version.
        let found: Result<Symbol<unsafe extern "C" fn() -> c_uint>, _> = unsafe { library.get(name.as_bytes()) };
        // SAFETY: it takes nothing and reads a constant.
        found.map(|ask| unsafe { ask() }).map_err(|error| Error::Missing(error.to_string()))
    };
    Ok((part("webkit_get_major_version")?, part("webkit_get_minor_version")?))
}

/// A call has come before [`load`]. Gives the function it is for.
extern "C" fn bind(index: usize) -> *mut c_void {
    let target = load().map(|()| SLOTS.get(index).map(|slot| slot.load(Ordering::Acquire)));
    match target {
        Ok(Some(target)) if !target.is_null() => target,
        Ok(_) => end(&Error::Old(format!("it has no {}", NAMES.get(index).copied().unwrap_or_default()))),
        Err(error) => end(&error),
    }
}

/// Whoever called cannot be told, and cannot go on. The loader of the system would have ended us as well.
fn end(error: &Error) -> ! {
    drop(writeln!(std::io::stderr(), "codeferry-desktop: {error}"));
    std::process::abort()
}

#[cfg(test)]
mod tests;

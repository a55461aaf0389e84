use std::ffi::{CStr, c_char, c_int, c_uint};

use super::{LIBRARY, Library, NAMES, RTLD_GLOBAL, RTLD_LAZY, SLOTS, load};

// As the program declares them: the linker takes ours.
unsafe extern "C" {
    fn webkit_get_major_version() -> c_uint;
    fn soup_cookie_new(
        name: *const c_char,
        value: *const c_char,
        domain: *const c_char,
        path: *const c_char,
        max_age: c_int,
    ) -> *mut SoupCookie;
    fn soup_cookie_get_name(cookie: *mut SoupCookie) -> *const c_char;
    fn soup_cookie_get_path(cookie: *mut SoupCookie) -> *const c_char;
    fn soup_cookie_get_expires(cookie: *mut SoupCookie) -> *mut ();
    fn soup_cookie_free(cookie: *mut SoupCookie);
}

#[repr(C)]
struct SoupCookie {
    _private: [u8; 0],
}

fn empty() -> usize {
    SLOTS.iter().filter(|slot| slot.load(std::sync::atomic::Ordering::Acquire).is_null()).count()
}

/// One test, for there is one library in a process.
#[test]
fn calls_arrive_whether_they_come_before_or_after() {
    // SAFETY: it is only looked whether it is there. It is not closed: it does not bear that.
    match unsafe { Library::open(Some(LIBRARY), RTLD_LAZY | RTLD_GLOBAL) } {
        Ok(library) => std::mem::forget(library),
        Err(error) => return eprintln!("skipped: {error}"),
    }
    // SAFETY: declared as in the library's header; all texts end with a zero.
    unsafe {
        assert_eq!(webkit_get_major_version(), 0, "nobody has loaded it yet");
        assert_eq!(empty(), NAMES.len(), "and asking does not");
        // Nobody has called `load`, and all five arguments arrive.
        let cookie = soup_cookie_new(c"name".as_ptr(), c"value".as_ptr(), c"a.test".as_ptr(), c"/path".as_ptr(), 60);
        assert_eq!(empty(), 0);
        assert_eq!(CStr::from_ptr(soup_cookie_get_name(cookie)), c"name");
        assert_eq!(CStr::from_ptr(soup_cookie_get_path(cookie)), c"/path");
        assert!(!soup_cookie_get_expires(cookie).is_null(), "the age is a number and has come, too");
        soup_cookie_free(cookie);
        assert!(webkit_get_major_version() >= 2);
    }
    assert_eq!(load(), Ok(()), "once more does no harm");
}

#[test]
fn each_is_listed_once() {
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), NAMES.len());
    assert!(names.iter().all(|name| ["webkit_", "jsc_", "soup_"].iter().any(|start| name.starts_with(start))));
}

//! Whether windows can be shown to whoever runs this.

/// macOS and Windows are taken to have a display: over SSH, `--headless` says otherwise. Elsewhere the session says so in
/// one of two variables: that of X11 or that of Wayland.
pub(crate) fn is_there(is_set: impl Fn(&str) -> bool) -> bool {
    let asks = cfg!(all(unix, not(target_os = "macos")));
    !asks || is_set("WAYLAND_DISPLAY") || is_set("DISPLAY")
}

#[cfg(test)]
#[cfg(all(unix, not(target_os = "macos")))]
mod tests {
    use super::is_there;

    #[test]
    fn either_kind_of_session_has_a_display() {
        assert!(is_there(|name| name == "DISPLAY"));
        assert!(is_there(|name| name == "WAYLAND_DISPLAY"));
        assert!(!is_there(|name| name == "TERM"), "a login over SSH has none");
    }
}

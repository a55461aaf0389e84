//! What the window may ask of us: nothing. That is said in the capabilities, and nowhere else.

use super::window::LABEL;

#[derive(serde::Deserialize)]
struct Capability {
    windows: Vec<String>,
    #[serde(default)]
    webviews: Vec<String>,
}

#[test]
fn the_sign_in_window_is_in_no_capability() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/capabilities");
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let Capability { windows, webviews } = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for pattern in windows.iter().chain(&webviews) {
            // A pattern takes in other labels by one of these signs.
            assert!(!pattern.contains(['*', '?', '[', '{']), "{}: {pattern}", path.display());
            assert!(!pattern.starts_with(LABEL), "{}: {pattern}", path.display());
        }
        assert!(!windows.is_empty() || !webviews.is_empty(), "{}: no window means every window", path.display());
        files += 1;
    }
    assert!(files > 0, "no capability was read");
}

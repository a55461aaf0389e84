//! The way from the command line into the browser: a page of this user's own that leads on to the link.
//!
//! A link opens the control plane to whoever follows it first. Given to the browser as an argument, every user of this
//! machine could read it there, so the browser is given the name of a file that only its owner can read.

use std::io;

use url::Url;

use crate::Paths;
use crate::paths::replace;

/// Leaves a page that leads to this link, and says where, as an address. Of an older one nothing stays.
///
/// # Errors
/// When it cannot be written.
pub fn leave_link(paths: &Paths, link: &str) -> io::Result<Url> {
    let page = paths.dashboard_page();
    let link = link.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
         <meta http-equiv=\"refresh\" content=\"0; url={link}\"><title>Codeferry</title>\
         <p>The dashboard opens. If it does not: <a href=\"{link}\">go there</a>.</p></html>\n"
    );
    replace(&page, html.as_bytes())?;
    let unnamed = |()| io::Error::other(format!("no address leads to {}", page.display()));
    Url::from_file_path(&page).map_err(unnamed)
}

#[cfg(test)]
mod tests {
    use super::leave_link;
    use crate::Paths;

    #[test]
    fn the_page_is_its_owners_alone_and_leads_to_the_last_link() {
        let temp = tempfile::tempdir().unwrap();
        let paths = Paths::at(temp.path());
        leave_link(&paths, "http://127.0.0.1:1/login?code=old").unwrap();
        let page = leave_link(&paths, "http://127.0.0.1:1/login?code=new&x=\"><script>").unwrap();
        let page = page.to_file_path().unwrap();
        let html = std::fs::read_to_string(&page).unwrap();
        assert!(html.contains("url=http://127.0.0.1:1/login?code=new&amp;x=&quot;>&lt;script>"), "{html}");
        assert!(!html.contains("old"));
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&page.metadata().unwrap().permissions()) & 0o777, 0o600);
    }
}

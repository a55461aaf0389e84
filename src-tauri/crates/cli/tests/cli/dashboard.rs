//! `dashboard`: a link that opens once, on standard output or in a browser.

use crate::home::Home;

fn path_of<'u>(server: &crate::home::Server, link: &'u str) -> &'u str {
    link.strip_prefix(server.url.as_str()).unwrap()
}

#[test]
fn the_link_is_printed_alone_and_opens_once() {
    let home = Home::new();
    let server = home.serve(&["--demo"]);
    let link = home.ok(&["dashboard", "--print"]);
    assert!(!link.contains('\n'), "{link}");
    assert_eq!(server.get(path_of(&server, &link), &[]).status, 303);
    assert_eq!(server.get(path_of(&server, &link), &[]).status, 410);
    assert_eq!(server.get("/login", &[]).status, 410);
}

#[cfg(unix)]
#[test]
fn the_browser_is_given_a_file_and_no_secret() {
    use crate::home::mode;
    use crate::world::until;
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let server = home.serve(&["--demo"]);
    let opened = home.file("opened");
    let script = home.file("bin/xdg-open");
    std::fs::create_dir_all(script.parent().unwrap()).unwrap();
    std::fs::write(&script, format!("#!/bin/sh\necho \"$1\" > {}\n", opened.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();

    let run = |folder: &str| {
        let output = home.command(&["dashboard"]).env("PATH", home.file(folder)).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, err) = run("bin");
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    let given = until(|| std::fs::read_to_string(&opened).ok().filter(|text| text.ends_with('\n')));
    let page = home.folder().join("dashboard.html");
    assert_eq!(given.trim_end(), format!("file://{}", page.display()));
    assert_eq!(mode(&page), 0o600);
    let html = std::fs::read_to_string(&page).unwrap();
    let link = html.split("url=").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(!err.contains(link.split("code=").nth(1).unwrap()), "{err}");
    assert_eq!(server.get(path_of(&server, link), &[]).status, 303);

    let (code, out, err) = run("nothing");
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("hint: open the link yourself: codeferry dashboard --print"), "{err}");
}

#[test]
fn without_a_gateway_there_is_nothing_to_open() {
    let home = Home::new();
    let ran = home.run(&["dashboard", "--print"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("no gateway serves") && ran.err.contains("hint: start one"), "{}", ran.err);
}

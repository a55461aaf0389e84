//! Where the window is, and what leads to it: its place is remembered, links open it at a screen, and files it offers
//! can be kept.

use codeferry_tests::desktop::Desktop;
use codeferry_tests::driver::Driver;
use codeferry_tests::patience::until;

/// x, y, width, height of the one window, as the window manager tells it.
async fn place(desktop: &Desktop) -> Result<[i64; 4], String> {
    let list = desktop.display.run("wmctrl", &["-lG"]).await;
    let line = list.lines().find(|line| line.contains("Codeferry")).ok_or_else(|| list.clone())?;
    let fields: Vec<i64> = line.split_whitespace().skip(2).take(4).filter_map(|field| field.parse().ok()).collect();
    fields.try_into().map_err(|_| list)
}

async fn placed(desktop: &Desktop, what: &str, fits: impl Fn([i64; 4]) -> bool) -> [i64; 4] {
    until(what, async || {
        let place = place(desktop).await?;
        if fits(place) { Ok(place) } else { Err(format!("{place:?}")) }
    })
    .await
}

fn near(a: i64, b: i64) -> bool {
    // The frame.
    (a - b).abs() <= 40
}

#[tokio::test]
async fn the_window_comes_back_where_it_was() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    let mut app = desktop.launch(&[]).await;
    desktop.gateway().await;
    let window = desktop.display.window("the dashboard", |title| title.contains("Codeferry")).await;
    desktop.display.run("wmctrl", &["-i", "-r", &window.id, "-e", "0,200,150,700,550"]).await;
    let was = placed(&desktop, "the window over there", |[x, _, width, height]| {
        near(x, 200) && near(width, 700) && near(height, 550)
    })
    .await;
    desktop.display.close(&window).await;
    desktop.display.no_window().await;

    // In the same run, and in the next one.
    assert_eq!(desktop.launch(&[]).await.code().await.0, Some(0));
    let same = |now: [i64; 4]| now.iter().zip(was).all(|(now, was)| near(*now, was));
    placed(&desktop, "the window where it was", same).await;
    app.signal("TERM");
    assert_eq!(app.code().await.0, Some(0));
    let mut app = desktop.launch(&[]).await;
    placed(&desktop, "the window where it was", same).await;
    app.signal("TERM");
    assert_eq!(app.code().await.0, Some(0));

    // The screen it was on is gone, or the file is nonsense: it can be reached all the same.
    for file in [
        r#"{"main": {"width": 5000, "height": 4000, "x": 1200, "y": -3900, "prev_x": 0, "prev_y": 0, "maximized": false, "visible": true, "decorated": true, "fullscreen": false}}"#,
        r#"{"main": {"width": 700, "height": 500, "x": 9000, "y": 9000, "prev_x": 0, "prev_y": 0, "maximized": false, "visible": true, "decorated": true, "fullscreen": false}}"#,
        "{\"main\": 3",
    ] {
        std::fs::write(desktop.data().join("window.json"), file).expect("our file");
        let mut app = desktop.launch(&[]).await;
        placed(&desktop, "a window on the screen", |[x, y, width, height]| {
            (0..1200).contains(&x) && (0..760).contains(&y) && width <= 1280 && height <= 800
        })
        .await;
        app.signal("TERM");
        assert_eq!(app.code().await.0, Some(0));
    }
}

async fn at(driver: &Driver, end: &str) {
    until(&format!("the page at {end}"), async || {
        let url = driver.url().await;
        if url.ends_with(end) { Ok(()) } else { Err(url) }
    })
    .await;
}

#[tokio::test]
async fn a_table_of_requests_can_be_kept() {
    let Some(desktop) = Desktop::start().await else { return };
    let mut driver = desktop.drive(&["codeferry://requests"]).await;
    desktop.gateway().await;
    driver.page().await;
    at(&driver, "/#/requests").await;
    driver.click("a[download]").await;
    // This desktop has no folder for downloads.
    let file = desktop.file("home/exchanges.csv");
    let table = until("the table", async || match std::fs::read_to_string(&file) {
        Ok(table) if !table.is_empty() => Ok(table),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert!(table.starts_with("seq,at,id,"), "{table}");
}

#[tokio::test]
async fn a_link_leads_to_its_screen_and_nothing_else_does() {
    let Some(desktop) = Desktop::start().await else { return };
    let mut driver = desktop.drive(&["codeferry://usage"]).await;
    desktop.gateway().await;
    driver.page().await;
    at(&driver, "/#/usage").await;
    assert_eq!(desktop.launch(&["codeferry://accounts"]).await.code().await.0, Some(0));
    at(&driver, "/#/accounts").await;
    for hostile in [
        "codeferry://accounts/../settings",
        "codeferry://settings#x",
        "https://example.com/",
        "codeferry://settings?x=y",
    ] {
        assert_eq!(desktop.launch(&[hostile]).await.code().await.0, Some(0), "{hostile}");
        at(&driver, "/#/accounts").await;
    }
    assert_eq!(desktop.launch(&["codeferry://accounts/acc_0123456789abcdef"]).await.code().await.0, Some(0));
    at(&driver, "/#/accounts/acc_0123456789abcdef").await;
}

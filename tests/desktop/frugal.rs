//! What it takes while nobody looks. The bounds are wide, for busy machines and unoptimized builds: they find a loop that
//! never rests, not a percent. `cargo xtask bench --desktop` prints the figures of a release build.

use std::time::{Duration, Instant};

use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::until;
use codeferry_tests::process::{Memory, age, children, name, ticks};

/// Time of all its processes in a span, in percent of one core.
async fn idle_percent(pid: u32, span: Duration) -> f64 {
    let used = || std::iter::once(pid).chain(children(pid)).map(ticks).sum::<u64>();
    let before = used();
    tokio::time::sleep(span).await;
    let ticks = used().saturating_sub(before);
    // A tick is a hundredth of a second.
    f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) / span.as_secs_f64()
}

fn mib(kib: u64) -> u64 {
    kib / 1024
}

/// Everything once, and told: `--nocapture` shows it.
async fn measure(span: Duration) {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    desktop.sign_in("work").await;
    // The first GTK program of a session looks at the screen's OpenGL, and leaves what it found to the others.
    let mut first = desktop.launch(&["--hidden"]).await;
    desktop.tray().await;
    desktop.gateway().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let of_first = Memory::with_children(first.pid());
    first.signal("TERM");
    first.ends().await;

    let since = Instant::now();
    let app = desktop.launch(&["--hidden"]).await;
    desktop.tray().await;
    let tray = since.elapsed();
    desktop.gateway().await;
    let serving = since.elapsed();
    desktop.served_by("[[demo:text hi]]").await;
    let served = since.elapsed();

    // What follows a start has its time.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let hidden = Memory::with_children(app.pid());
    let idle = idle_percent(app.pid(), span).await;

    let opened = Instant::now();
    desktop.tray().await.click(&["Open dashboard"]).await;
    let window = desktop.display.window("the dashboard", |title| title.contains("Codeferry")).await;
    let shown = opened.elapsed();
    until("a page", async || {
        let status = desktop.api("/status").await;
        let web = children(app.pid()).into_iter().filter(|pid| name(*pid).starts_with("WebKitWebProc"));
        if web.map(Memory::of).any(|memory| memory.rss > 60 * 1024) { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let with_window = Memory::with_children(app.pid());
    let idle_with_window = idle_percent(app.pid(), span).await;

    desktop.display.close(&window).await;
    desktop.display.no_window().await;
    until("the page is gone", async || {
        let web = children(app.pid()).into_iter().find(|pid| name(*pid).starts_with("WebKitWebProc"));
        web.map_or(Ok(()), |pid| Err(pid.to_string()))
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let closed = Memory::with_children(app.pid());
    let idle_closed = idle_percent(app.pid(), span).await;

    println!("icon in the tray        {:>6} ms", tray.as_millis());
    println!("gateway answers         {:>6} ms", serving.as_millis());
    println!("first request served    {:>6} ms", served.as_millis());
    println!("window there            {:>6} ms after the click", shown.as_millis());
    println!("hidden, the first of its session {:>6} MiB RSS {:>6} MiB PSS", mib(of_first.rss), mib(of_first.pss));
    for (what, memory, idle) in [
        ("hidden", hidden, idle),
        ("with window", with_window, idle_with_window),
        ("window closed", closed, idle_closed),
    ] {
        println!("{what:<16} {:>6} MiB RSS {:>6} MiB PSS {idle:>6.2} % of a core", mib(memory.rss), mib(memory.pss));
    }
    assert!(closed.pss < with_window.pss, "closing a window gives memory back");
    for (what, percent, bound) in [
        ("hidden", idle, 3.0),
        ("with a window", idle_with_window, 10.0),
        ("after its window was closed", idle_closed, 3.0),
    ] {
        assert!(percent < bound, "idle {what} it takes {percent} % of a core");
    }
}

/// From the start of the process to words on the screen, as the page itself measured it.
async fn first_paint() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    let mut driver = desktop.drive(&[]).await;
    driver.page().await;
    driver.see("work@demo.test").await;
    let script = "const paint = performance.getEntriesByName('first-contentful-paint')[0];
                  return paint ? performance.timeOrigin + paint.startTime : null";
    let painted = until("a first paint", async || {
        driver.js(script).await?.as_f64().ok_or_else(|| "nothing is painted yet".to_owned())
    })
    .await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let started = now.saturating_sub(age(driver.pid()));
    println!("first paint             {:>6.0} ms after the start", painted - started.as_secs_f64() * 1000.0);
}

#[tokio::test]
async fn idle_it_does_nothing() {
    first_paint().await;
    measure(Duration::from_secs(5)).await;
}

/// The figures, over a minute each.
#[tokio::test]
#[ignore = "takes minutes; `cargo xtask bench --desktop` runs it"]
async fn figures() {
    first_paint().await;
    measure(Duration::from_secs(60)).await;
}

//! The tray, read and clicked as a panel does.

use codeferry_tests::desktop::Desktop;

#[tokio::test]
async fn stop_closes_the_port_and_start_opens_it() {
    let Some(desktop) = Desktop::start().await else { return };
    let mut app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    desktop.gateway().await;
    tray.click(&["Stop"]).await;
    desktop.until_port(false).await;
    tray.click(&["Start"]).await;
    desktop.gateway().await;
    tray.until("that it runs", |menu| menu.find(&["Stop"]).is_some()).await;
    assert!(app.runs());
    tray.click(&["Quit"]).await;
    assert_eq!(app.code().await.0, Some(0));
    assert!(!desktop.port_is_open().await);
}

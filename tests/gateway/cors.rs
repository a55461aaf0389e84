//! Web pages of other origins: none without leave, and then on the data plane alone.

use codeferry_tests::World;
use codeferry_tests::browser::Browser;
use codeferry_tests::world::asking;
use reqwest::{Method, Response};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const PAGE: &str = "https://chat.example.com";

async fn preflight(world: &World, path: &str, origin: &str) -> Response {
    let request = world.http.request(Method::OPTIONS, format!("{}{path}", world.url())).header("origin", origin);
    let request = request
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,x-stainless-lang");
    request.header("access-control-request-private-network", "true").send().await.unwrap()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn nobody_without_leave() {
    let world = World::start().await;
    let refused = preflight(&world, "/v1/messages", PAGE).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "access-control-allow-origin")), (403, ""));
    let local = world.post("/v1/messages").json(&asking("[[demo:text hi]]")).send().await.unwrap();
    assert_eq!((local.status().as_u16(), header(&local, "access-control-allow-origin")), (200, ""));
}

#[tokio::test]
async fn an_origin_that_is_named() {
    let world = World::start().await;
    let app = "app://obsidian.md";
    world.gateway.settings().set("allowed_origins", &format!("{PAGE},{app}")).unwrap();
    for origin in [PAGE, app] {
        let asked = preflight(&world, "/v1/messages", origin).await;
        let told = |name: &str| header(&asked, &format!("access-control-{name}"));
        assert_eq!((asked.status().as_u16(), told("allow-origin")), (204, origin));
        assert!(told("allow-methods").contains("POST"));
        assert_eq!(told("allow-headers"), "authorization,content-type,x-stainless-lang");
        assert_eq!((told("max-age"), told("allow-private-network")), ("600", "true"));
        assert_eq!(told("allow-credentials"), "", "cookies play no part");
        assert!(header(&asked, "vary").contains("origin"));
    }
    let answer = world.post("/v1/messages").header("origin", PAGE).json(&asking("[[demo:text hi]]"));
    let answer = answer.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-origin")), (200, PAGE));
    let keyless = world.http.post(format!("{}/v1/messages", world.url())).header("origin", PAGE);
    let keyless = keyless.json(&asking("x")).send().await.unwrap();
    assert_eq!(keyless.status(), 401, "leave to read is no key");
    assert_eq!(header(&keyless, "access-control-allow-origin"), PAGE, "and the page may read why");
    for other in
        ["https://chat.example.com.evil.example", "http://chat.example.com", "https://chat.example.com:444", "null"]
    {
        let refused = preflight(&world, "/v1/messages", other).await;
        assert_eq!((refused.status().as_u16(), header(&refused, "access-control-allow-origin")), (403, ""), "{other}");
    }
    for control in ["/api/status", "/api/settings", "/accounts"] {
        let asked = preflight(&world, control, PAGE).await;
        assert_eq!(header(&asked, "access-control-allow-origin"), "", "{control} is for no page");
    }
}

/// What a browser makes of it: a page of another port is another origin.
#[tokio::test]
async fn a_page_in_a_browser() {
    let Some(mut browser) = Browser::start().await else { return };
    let world = World::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let pages = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\nconnection: close\r\n\r\npage",
                )
                .await;
        }
    });
    browser.go(&origin).await;
    let ask = format!(
        "fetch('{}/v1/messages', {{method: 'POST', body: {}, headers: {{authorization: 'Bearer {}', 'content-type': 'application/json'}}}}).then(r => r.text(), e => 'refused: ' + e)",
        world.url(),
        json!(asking("[[demo:text hi]]").to_string()),
        world.key,
    );
    let refused = browser.evaluate(&ask).await;
    assert!(refused.as_str().unwrap().starts_with("refused: "), "{refused}");
    assert!(world.demo.model_requests().is_empty(), "nothing was spent");
    world.gateway.settings().set("allowed_origins", &origin).unwrap();
    let answer = browser.evaluate(&ask).await;
    assert!(answer.as_str().unwrap().contains("hi"), "{answer}");
    pages.abort();
}

//! A browser is let in by a link, once; and what a hostile page or program makes of that.

use codeferry_tests::World;
use codeferry_tests::attempt::pass;
use codeferry_tests::browser::Browser;
use codeferry_tests::world::asking;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// A browser that keeps its cookie, goes where we tell it, and says where its requests come from.
struct Tab<'w> {
    world: &'w World,
    http: Client,
    cookie: Option<String>,
}

impl<'w> Tab<'w> {
    fn new(world: &'w World) -> Self {
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { world, http, cookie: None }
    }

    async fn open(world: &'w World) -> Self {
        let mut tab = Self::new(world);
        let answer = tab.visit(&link(world).await).await;
        assert_eq!(answer.status(), 303);
        tab
    }

    /// Goes to an address, and keeps the cookie it gets.
    async fn visit(&mut self, url: &str) -> Response {
        let mut request = self.http.get(url).header("accept", "text/html");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        if let Some(set) = answer.headers().get("set-cookie") {
            self.cookie = set.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        answer
    }

    /// A request with the cookie, and nothing else.
    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.world.url()));
        request.header("cookie", self.cookie.as_deref().unwrap())
    }

    /// As a script of our own page sends it.
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.bare(method, path).header("sec-fetch-site", "same-origin");
        request.header("origin", self.world.url()).header("x-codeferry", "1")
    }

    async fn is_in(&self) -> bool {
        let status = self.ask(Method::GET, "/api/status").send().await.unwrap().status().as_u16();
        assert!(matches!(status, 200 | 401), "{status}");
        status == 200
    }
}

async fn link(world: &World) -> String {
    let link = world.ask(Method::POST, "/session/link", json!({})).await;
    assert_eq!(link["expires_in_seconds"], 60);
    link["url"].as_str().unwrap().to_owned()
}

async fn refused(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["code"].as_str().expect("a code").to_owned())
}

#[tokio::test]
async fn a_link_opens_a_session_and_leaves_no_secret_behind() {
    let world = World::start().await;
    let url = link(&world).await;
    assert!(url.starts_with(&format!("{}/login?code=", world.url())), "{url}");
    let mut tab = Tab::new(&world);
    let answer = tab.visit(&url).await;
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(answer.status(), 303);
    assert_eq!(header("location").as_deref(), Some("/"));
    assert_eq!(header("referrer-policy").as_deref(), Some("no-referrer"));
    assert_eq!(header("cache-control").as_deref(), Some("no-store"));
    let cookie = header("set-cookie").unwrap();
    let port = world.gateway.address().port();
    assert!(cookie.starts_with(&format!("codeferry_{port}=")), "{cookie}");
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let code = url.split("code=").nth(1).unwrap();
    assert!(!cookie.contains(code), "the link is not the session");
    assert!(tab.is_in().await);
    let page = tab.visit(&format!("{}/", world.url())).await;
    assert_eq!(page.status(), 200);
}

#[tokio::test]
async fn a_link_that_was_used_is_no_use_to_others() {
    let world = World::start().await;
    let url = link(&world).await;
    let mut tab = Tab::new(&world);
    tab.visit(&url).await;
    let mut thief = Tab::new(&world);
    let answer = thief.visit(&url).await;
    assert_eq!((answer.status().as_u16(), answer.headers().get("set-cookie")), (410, None));
    let page = answer.text().await.unwrap();
    assert!(page.contains("no longer good") && page.contains("codeferry dashboard"), "{page}");
    assert!(tab.is_in().await, "who was in stays in");
    assert_eq!(tab.visit(&url).await.status(), 303, "and may go back and forth");

    // Too late, guessed, or missing.
    let late = link(&world).await;
    pass(Duration::from_secs(61)).await;
    for url in [late, format!("{}/login?code={}", world.url(), "0".repeat(64)), format!("{}/login", world.url())] {
        assert_eq!(thief.visit(&url).await.status(), 410, "{url}");
    }
}

/// Programs that look at a link before the person does must not spend it.
#[tokio::test]
async fn looking_ahead_spends_nothing() {
    let world = World::start().await;
    let url = link(&world).await;
    let mut tab = Tab::new(&world);
    assert_eq!(tab.http.head(&url).send().await.unwrap().headers().get("set-cookie"), None);
    let ahead = tab.http.get(&url).header("sec-purpose", "prefetch;prerender").send().await.unwrap();
    assert_eq!((ahead.status().as_u16(), ahead.headers().get("set-cookie")), (503, None));
    assert_eq!(tab.visit(&url).await.status(), 303);
}

#[tokio::test]
async fn two_tabs_two_gateways_and_a_logout() {
    let (world, other) = (World::start().await, World::start().await);
    let (one, two) = (Tab::open(&world).await, Tab::open(&world).await);
    let mut both = Tab::open(&other).await;
    // One browser has the cookies of both, for cookies know no ports.
    let joined = format!("{}; {}", both.cookie.as_deref().unwrap(), one.cookie.as_deref().unwrap());
    both.cookie = Some(joined.clone());
    assert!(both.is_in().await, "each gateway finds its own");
    assert!(Tab { world: &world, http: both.http.clone(), cookie: Some(joined) }.is_in().await);

    let answer = one.ask(Method::POST, "/api/session/end").send().await.unwrap();
    assert_eq!(answer.status(), 204);
    assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert!(!one.is_in().await && two.is_in().await, "a logout ends one session");
    assert_eq!(refused(one.ask(Method::GET, "/api/status")).await, (401, "session_ended".to_owned()));
    world.ask(Method::POST, "/session/end", json!({})).await;
    assert!(!two.is_in().await, "the token ends all");
    assert!(both.is_in().await);

    let third = Tab::open(&world).await;
    let (http, cookie) = (third.http.clone(), third.cookie.clone());
    let world = world.restart().await;
    assert!(!Tab { world: &world, http, cookie }.is_in().await, "a restart ends all");
}

#[tokio::test]
async fn a_session_lasts_twelve_hours_after_its_last_use() {
    let world = World::start().await;
    let tab = Tab::open(&world).await;
    for _ in 0..2 {
        pass(Duration::from_secs(11 * 60 * 60)).await;
        assert!(tab.is_in().await);
    }
    pass(Duration::from_secs(12 * 60 * 60)).await;
    assert!(!tab.is_in().await);
}

#[tokio::test]
async fn a_session_opens_the_control_plane_and_nothing_else() {
    let world = World::start().await;
    let tab = Tab::open(&world).await;
    for (method, path) in
        [(Method::POST, "/v1/messages"), (Method::GET, "/v1/models"), (Method::POST, "/v1/v1/messages")]
    {
        let answer = tab.ask(method.clone(), path).json(&asking("[[demo:text hi]]")).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{method} {path}");
    }
    assert!(world.demo.model_requests().is_empty());
    assert_eq!(
        refused(tab.ask(Method::POST, "/api/session/link")).await,
        (403, "token_needed".to_owned()),
        "a session does not make sessions"
    );
    // A wrong token is not made good by a right cookie.
    let request = tab.ask(Method::GET, "/api/status").bearer_auth("wrong");
    assert_eq!(refused(request).await, (401, "control_token_needed".to_owned()));
    assert_eq!(tab.ask(Method::POST, "/api/reload").send().await.unwrap().status(), 200);
}

/// The cookie goes along with whatever a page of this host makes the browser ask for, whichever port it is from.
#[tokio::test]
async fn foreign_pages_cannot_use_a_session() {
    let world = World::start().await;
    let tab = Tab::open(&world).await;
    let keys = world.gateway.keys().list().unwrap().len();
    let url = world.url().to_owned();
    let key = json!({"name": "mallory"}).to_string();
    let json = "application/json";
    let attacks: &[(&str, &[(&str, &str)])] = &[
        ("a form", &[("origin", "https://evil.example"), ("content-type", "text/plain")]),
        ("a form of another port", &[("origin", "http://127.0.0.1:3000"), ("content-type", "text/plain")]),
        ("a script of another port", &[("sec-fetch-site", "same-site"), ("content-type", json)]),
        ("the same, and its origin", &[("origin", "http://localhost:3000"), ("content-type", json)]),
        ("a sandboxed frame", &[("origin", "null"), ("content-type", json)]),
        ("a script of another site", &[("sec-fetch-site", "cross-site"), ("content-type", json)]),
        ("a form of ours, so to say", &[("origin", url.as_str()), ("content-type", "text/plain")]),
        ("a multipart form", &[("sec-fetch-site", "same-origin"), ("content-type", "multipart/form-data; boundary=x")]),
        ("without a word of whence", &[("content-type", json)]),
        ("rebound", &[("host", "evil.example:8081"), ("origin", "http://evil.example:8081"), ("content-type", json)]),
        (
            "rebound, without origin",
            &[("host", "evil.example"), ("sec-fetch-site", "same-origin"), ("content-type", json)],
        ),
    ];
    for (what, headers) in attacks {
        let mut request = tab.bare(Method::POST, "/api/keys").body(key.clone());
        for (name, value) in *headers {
            request = request.header(*name, *value);
        }
        assert_eq!(refused(request).await, (403, "foreign_request".to_owned()), "{what}");
    }
    assert_eq!(world.gateway.keys().list().unwrap().len(), keys, "no key was made");

    // Reading is for our own pages, too.
    for headers in
        [[("sec-fetch-site", "same-site")], [("origin", "http://127.0.0.1:3000")], [("host", "evil.example")]]
    {
        let request = tab.bare(Method::GET, "/api/status").header(headers[0].0, headers[0].1);
        assert_eq!(refused(request).await, (403, "foreign_request".to_owned()), "{headers:?}");
    }
    // An origin that may use the data plane is not ours for that.
    world.gateway.settings().set("allowed_origins", "http://127.0.0.1:3000").unwrap();
    let request = tab.bare(Method::POST, "/api/keys").header("origin", "http://127.0.0.1:3000");
    assert_eq!(refused(request.header("content-type", json).body(key)).await, (403, "foreign_request".to_owned()));
    // The page itself, for comparison.
    let made = tab.ask(Method::POST, "/api/keys").json(&json!({"name": "laptop"})).send().await.unwrap();
    assert_eq!(made.status(), 201);
}

/// In a real browser: from the file the command line leaves to the page, and a script of that page may ask.
#[tokio::test]
async fn in_a_real_browser() {
    let Some(mut browser) = Browser::start().await else { return };
    let world = World::start().await;
    let paths = codeferry_app::Paths::at(world.home.path());
    let page = codeferry_app::leave_link(&paths, &link(&world).await).unwrap();
    browser.go(page.as_str()).await;
    browser.arrive(&format!("{}/", world.url())).await;
    assert_eq!(browser.url().await, format!("{}/", world.url()), "no secret is left in the address bar");
    if codeferry_gateway::has_dashboard() {
        browser.wait_for("1 account ready").await;
        let elsewhere: Vec<_> = browser.requests.iter().filter(|url| !url.starts_with(world.url())).collect();
        assert!(elsewhere.iter().all(|url| url.starts_with("file://")), "{elsewhere:?}");
    }
    assert_eq!(browser.evaluate("document.cookie").await, "", "no script sees the cookie");
    assert_eq!(browser.evaluate("document.referrer").await, "");
    browser.go(&format!("{}/api/status", world.url())).await;
    assert!(browser.text().await.contains("started_at"), "it is in: {}", browser.text().await);

    // A page of another program on this host, which shares the site and the cookie with us, but not the origin.
    let hostile = hostile_page(&world).await;
    browser.go(&hostile).await;
    while browser.evaluate("document.title").await == "" {
        tokio::task::yield_now().await;
    }
    assert_eq!(browser.evaluate("document.title").await, "read nothing");
    assert_eq!(world.gateway.keys().list().unwrap().len(), 1, "and made no key");
    assert!(browser.requests.iter().filter(|url| url.ends_with("/api/keys")).count() >= 2, "{:?}", browser.requests);
    browser.go(&format!("{}/api/status", world.url())).await;
    assert!(browser.text().await.contains("started_at"), "the session is none the worse for it");

    if codeferry_gateway::has_dashboard() {
        browser.go(&format!("{}/#/accounts", world.url())).await;
        browser.wait_for("Add account").await;
        world.ask(Method::POST, "/session/end", json!({})).await;
        browser.wait_for("This session has ended").await;
        assert!(browser.text().await.contains("codeferry dashboard"), "and the page says how to get back in");
    }
}

/// A page that tries what it can with the visitor's cookie, and says in its title what it could read.
async fn hostile_page(world: &World) -> String {
    let html = format!(
        r#"<!doctype html><title></title><form id=f action="{0}/api/keys" method=post enctype="text/plain" target=i>
        <input name='{{"name":"mallory","x":"' value='"}}'></form><iframe name=i></iframe><script>
        document.getElementById('f').submit();
        const all = {{credentials: 'include', method: 'POST', body: '{{"name":"mallory"}}'}};
        const simple = fetch('{0}/api/keys', {{...all, mode: 'no-cors', headers: {{'content-type': 'text/plain'}}}});
        const json = fetch('{0}/api/keys', {{...all, headers: {{'content-type': 'application/json'}}}});
        const read = fetch('{0}/api/status', {{credentials: 'include'}}).then(answer => answer.text());
        Promise.allSettled([read, simple, json]).then(([read]) => document.title = read.value ?? 'read nothing')
        </script>"#,
        world.url()
    );
    let router = axum::Router::new().fallback(move || std::future::ready(axum::response::Html(html)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "the page goes with its test")]
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

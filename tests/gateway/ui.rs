//! The dashboard as the gateway serves it. What it shows is tested with a browser.

use std::collections::BTreeSet;

use codeferry_gateway::{compat_routes, control_routes, has_dashboard};
use codeferry_tests::World;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::json;

/// Without Node.js at build time there is none, and another page says so.
fn built() -> bool {
    let built = has_dashboard();
    if !built {
        #[expect(clippy::print_stderr, reason = "whoever reads the tests' output should know")]
        {
            eprintln!("skipped: the dashboard was not built; cargo xtask test builds it");
        }
    }
    built
}

async fn page(world: &World) -> Response {
    world.http.get(format!("{}/", world.url())).header("accept", "text/html").send().await.unwrap()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn programs_are_told_who_is_there_as_before() {
    let world = World::start().await;
    let url = format!("{}/", world.url());
    for request in [world.http.get(&url), world.http.get(&url).header("accept", "*/*")] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), concat!("codeferry ", env!("CARGO_PKG_VERSION"), "\n"));
    }
    let head = world.http.head(&url).send().await.unwrap();
    assert_eq!((head.status().as_u16(), header(&head, "content-security-policy")), (200, ""));
}

#[tokio::test]
async fn the_page_says_nothing_about_anybody_and_takes_nothing_from_elsewhere() {
    let world = World::start().await;
    let answer = page(&world).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
    let policy = header(&answer, "content-security-policy").to_owned();
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    let html = answer.text().await.unwrap();
    for account in world.gateway.pool().list() {
        assert!(!html.contains(account.id.as_str()) && account.email.is_none_or(|email| !html.contains(&email)));
    }
    if !built() {
        return;
    }
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert!(!html.contains("<style") && !html.contains("http://") && !html.contains("https://"), "{html}");
    for script in html.split("<script").skip(1) {
        assert!(
            script.contains(" src=") && script.split('>').nth(1) == Some("</script"),
            "a script in the page: {script}"
        );
    }
}

#[tokio::test]
async fn every_file_of_the_page_is_served_for_what_it_is() {
    if !built() {
        return;
    }
    let world = World::start().await;
    let html = page(&world).await.text().await.unwrap();
    let named = html.split("=\"/").skip(1).filter_map(|rest| rest.split('"').next());
    let files: BTreeSet<_> = named.filter(|name| name.contains('.')).collect();
    assert!(
        files.iter().any(|name| name.ends_with(".js")) && files.iter().any(|name| name.ends_with(".css")),
        "{files:?}"
    );
    for name in files {
        let answer = world.http.get(format!("{}/{name}", world.url())).send().await.unwrap();
        let kind = match name.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            other => panic!("a file of the kind {other:?}"),
        };
        assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, kind), "{name}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{name}");
        let hashed = name.starts_with("assets/");
        assert_eq!(header(&answer, "cache-control").contains("immutable"), hashed, "{name}");
    }
    // The page has one address, and the desktop window's own page none.
    for path in [
        "index.html",
        "shell.html",
        "assets",
        "assets/",
        "assets/nothing.js",
        "assets/..%2findex.html",
        "assets/%2e%2e/index.html",
    ] {
        let answer = world.http.get(format!("{}/{path}", world.url())).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    let posted = world.http.post(format!("{}/favicon.svg", world.url())).send().await.unwrap();
    assert_eq!(posted.status(), 405);
}

/// Other addresses stay whose they are: nothing of the dashboard answers for an unknown path, and no file has the name of
/// one that is known.
#[tokio::test]
async fn nothing_is_hidden_behind_the_dashboard() {
    let world = World::start().await;
    for path in ["/nothing", "/api/nothing", "/v1/nothing", "/accounts", "/settings/nothing", "/css", "/js"] {
        let answer =
            world.http.get(format!("{}{path}", world.url())).header("accept", "text/html").send().await.unwrap();
        assert!(matches!(answer.status().as_u16(), 401 | 404), "{path}: {}", answer.status());
        assert!(!header(&answer, "content-type").starts_with("text/html"), "{path}");
    }
    let first = |path: &str| path.split('/').nth(1).unwrap_or_default().to_owned();
    let routes = control_routes().into_iter().chain(compat_routes());
    let taken: BTreeSet<_> = routes.map(|route| first(&route.path)).collect();
    for name in ["assets", "favicon.svg", "theme.js"] {
        assert!(!taken.contains(name), "{name}");
    }
}

#[tokio::test]
async fn a_link_leads_to_a_screen_and_never_away() {
    let world = World::start().await;
    let browser = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    for (to, place) in [
        ("accounts", "/#/accounts"),
        ("accounts/acc_0123456789abcdef", "/#/accounts/acc_0123456789abcdef"),
        ("", "/"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("a%0d%0aSet-Cookie:%20x=1", "/"),
        ("%00", "/"),
    ] {
        let link = world.ask(reqwest::Method::POST, "/session/link", json!({})).await;
        let url = format!("{}&to={to}", link["url"].as_str().unwrap());
        let answer = browser.get(url).header("accept", "text/html").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, place), "{to}");
    }
}

/// The fields of a type that the dashboard has from the Rust sources: those that are always there, and those that may miss.
fn fields(name: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let source = include_str!("../../ui/src/api/types.gen.ts");
    let start = [format!("export interface {name} {{\n"), format!("export type {name} = ")];
    let body = start.iter().find_map(|start| source.split_once(start.as_str())).expect("it is in types.gen.ts").1;
    let body = body.split("\n}").next().unwrap();
    let names = body.lines().filter_map(|line| Some(line.strip_prefix("  ")?.split_once(": ")?.0));
    let names: Vec<_> = names.filter(|name| name.starts_with(|first: char| first.is_ascii_lowercase())).collect();
    assert!(!names.is_empty(), "{name} was not read");
    let (may, always): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.ends_with('?'));
    let own = |names: Vec<&str>| names.into_iter().map(|name| name.trim_end_matches('?').to_owned()).collect();
    (own(always), own(may))
}

#[track_caller]
fn has_all(name: &str, told: &serde_json::Value) {
    let told = told.as_object().expect("an object");
    let missing: Vec<_> = fields(name).0.into_iter().filter(|field| !told.contains_key(field)).collect();
    assert!(missing.is_empty(), "the dashboard expects {missing:?} in {name}: {told:?}");
}

/// Not a field more or less. For types beside whose own fields no others lie.
#[track_caller]
fn is_exactly(name: &str, told: &serde_json::Value) {
    has_all(name, told);
    let (always, may) = fields(name);
    let told: BTreeSet<_> = told.as_object().expect("an object").keys().cloned().collect();
    let unknown: Vec<_> = told.difference(&always).filter(|field| !may.contains(*field)).collect();
    assert!(unknown.is_empty(), "the dashboard does not know {unknown:?} of {name}");
}

/// What was read out of the sources is what goes over the wire.
#[tokio::test]
async fn what_the_dashboard_expects_is_told() {
    let world = World::start().await;
    world.say("[[demo:text hi]]").await;
    let status = world.ask(reqwest::Method::GET, "/status", json!({})).await;
    is_exactly("Status", &status);
    is_exactly("Exchanges", &status["exchanges"]);
    is_exactly("LogHealth", &status["request_log"]);
    has_all("CaptureState", &status["capture"]);
    is_exactly("Quota", &status["accounts"][0]["quota"]);
    is_exactly("QuotaWindow", &status["accounts"][0]["quota"]["windows"][0]);
    let exchanges = codeferry_tests::patience::until("the exchange in the log", async || {
        let exchanges = world.ask(reqwest::Method::GET, "/exchanges?limit=1", json!({})).await;
        if exchanges["exchanges"][0].is_object() { Ok(exchanges) } else { Err(exchanges.to_string()) }
    })
    .await;
    for part in ["Exchange", "Found", "ExchangeRow"] {
        has_all(part, &exchanges["exchanges"][0]);
    }
    is_exactly("Tokens", &exchanges["exchanges"][0]["tokens"]);
    is_exactly("Attempt", &exchanges["exchanges"][0]["attempts"][0]);
    let settings = world.ask(reqwest::Method::GET, "/settings", json!({})).await;
    is_exactly("Setting", &settings["settings"][0]);
    let accounts = world.ask(reqwest::Method::GET, "/accounts", json!({})).await;
    has_all("Account", &accounts["accounts"][0]);
    let models = world.ask(reqwest::Method::GET, "/models", json!({})).await;
    is_exactly("Model", &models["models"][0]);
    let routes = world.ask(reqwest::Method::GET, "/routes", json!({})).await;
    has_all("Route", &routes["roles"][0]);
    has_all("Role", &routes["roles"][0]);
    let found = world.ask(reqwest::Method::POST, "/routes/try", json!({"model": "sonnet"})).await;
    is_exactly("Destination", &found);
    let usage = world.ask(reqwest::Method::GET, "/usage?by=hour&tz=UTC", json!({})).await;
    is_exactly("UsageReport", &usage);
    is_exactly("Figures", &usage["total"]);
    has_all("Figures", &usage["sums"][0]);
}

//! Sign-in with a browser: what is asked, what is answered, and what is refused.

use serde_json::{Value, json};

use super::browser::{App, Browser, HOST_ID, hidden, parameters};
use super::request;
use crate::{AuthFault, CODEX_CLIENT_ID, Endpoint, Options, Outcome, Route};

#[tokio::test]
async fn a_codex_sign_in_from_the_page_to_an_answer() {
    let browser = Browser::open().await;
    let app = App::codex(1);
    let (status, _, page) = browser.get(&app.url(&browser, "")).await;
    assert_eq!(status, 200);
    assert!(page.contains("Continue as work@demo.test") && page.contains("id=\"cancel\""), "{page}");
    let ticket = hidden(&page, "ticket");
    let (status, location, _) = browser.submit("/demo/consent", &[("ticket", &ticket), ("account", "home")]).await;
    let location = location.expect("a callback");
    assert_eq!(status, 303);
    assert!(location.starts_with("http://127.0.0.1:1455/auth/callback?code=ac_"), "{location}");
    let callback = parameters(&location);
    assert_eq!(callback["state"], "a-state-of-attempt-1");
    assert!(!callback.contains_key("client_id"), "its client is the same for everybody");

    let (status, tokens) = browser.exchange(&app, &callback).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens.get("earliest_refresh_at"), None);
    let access = tokens["access_token"].as_str().expect("a token");
    let url = format!("{}/codex/responses", browser.demo.chatgpt_url());
    let ask = browser.http.post(url).bearer_auth(access).header("chatgpt-account-id", "acc-home");
    assert_eq!(ask.json(&request("hello")).send().await.expect("an answer").status(), 200);
    let refresh = json!({
        "client_id": CODEX_CLIENT_ID, "grant_type": "refresh_token", "refresh_reason": "proactive_expiry",
        "refresh_token": tokens["refresh_token"],
    });
    assert_eq!(browser.post_json("/oauth/token", &refresh).await.0, 200);
}

#[tokio::test]
async fn a_plan_sign_in_issues_a_client_that_signs_in_again() {
    let browser = Browser::open().await;
    let app = App::plan(1);
    let (_, _, page) = browser.get(&app.url(&browser, "")).await;
    assert!(page.contains("Codeferry &lt;test&gt;"), "names are escaped: {page}");
    let form = [("ticket", hidden(&page, "ticket")), ("plan_usage", "yes".to_owned()), ("account", "work".to_owned())];
    let form = form.each_ref().map(|(key, value)| (*key, value.as_str()));
    let (_, location, _) = browser.submit("/demo/consent", &form).await;
    let callback = parameters(&location.expect("a callback"));
    let client = callback["client_id"].clone();
    assert!(client.starts_with("oaiapp_") && client != crate::PLAN_CLIENT_ID);
    let (status, tokens) = browser.exchange(&app, &callback).await;
    assert_eq!(status, 200, "{tokens}");
    assert!(tokens["scope"].as_str().expect("a scope").contains("chatgpt.tokens.use.direct"));
    assert!(tokens["earliest_refresh_at"].is_i64());
    let refresh = |client: &str| {
        let token = tokens["refresh_token"].as_str().expect("a token").to_owned();
        [
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", client.to_owned()),
            ("refresh_token", token),
            ("resource", "https://api.openai.com/v1".to_owned()),
        ]
    };
    browser.demo.expire_access_tokens();
    let form = refresh(crate::PLAN_CLIENT_ID);
    let form = form.each_ref().map(|(key, value)| (*key, value.as_str()));
    let (status, other) = browser.post_form("/api/accounts/oauth/token", &form).await;
    assert_eq!((status, &other["error"]), (400, &json!("invalid_client")), "the tokens are another client's");
    let form = refresh(&client);
    let form = form.each_ref().map(|(key, value)| (*key, value.as_str()));
    assert_eq!(browser.post_form("/api/accounts/oauth/token", &form).await.0, 200);

    let known = browser.demo.violations().len();
    let mut again = App::plan(2);
    again.remove("agent_name_hint");
    again.set("client_id", &client);
    again.set("id_token_hint", tokens["id_token"].as_str().expect("a token"));
    let callback = browser.agree(&again).await;
    assert_eq!(callback["client_id"], client, "it stays the same");
    assert_eq!(browser.exchange(&again, &callback).await.0, 200);
    assert_eq!(browser.demo.violations().len(), known, "all of that was right");

    let restarted = Browser::open().await;
    assert_eq!(restarted.agree(&again).await["client_id"], client, "and a restarted demo still knows it");

    let mut stranger = App::plan(3);
    stranger.remove("agent_name_hint");
    stranger.set("client_id", &client);
    stranger.set("ext_agent_host_id", "urn:uuid:00000000-0000-4000-8000-000000000000");
    let (_, location, _) = browser.get(&stranger.url(&browser, "&demo=allow")).await;
    let refused = parameters(&location.expect("a callback"));
    assert_eq!(refused["error"], "invalid_request", "the client belongs to another installation: {refused:?}");
}

#[tokio::test]
async fn cancel_comes_back_as_access_denied() {
    let browser = Browser::open().await;
    let (_, _, page) = browser.get(&App::plan(1).url(&browser, "")).await;
    let form = [("ticket", hidden(&page, "ticket")), ("cancel", "yes".to_owned())];
    let form = form.each_ref().map(|(key, value)| (*key, value.as_str()));
    let (_, location, _) = browser.submit("/demo/consent", &form).await;
    let callback = parameters(&location.expect("a callback"));
    assert_eq!((callback["error"].as_str(), callback["state"].as_str()), ("access_denied", "a-state-of-attempt-1"));
    assert!(!callback.contains_key("code"));
    assert_eq!(browser.submit("/demo/consent", &form).await.0, 400, "the page is over");
    let (_, location, _) = browser.get(&App::codex(2).url(&browser, "&demo=deny")).await;
    assert_eq!(parameters(&location.expect("a callback"))["error"], "access_denied");
    assert_eq!(browser.violations(), Vec::<String>::new(), "a user may cancel");
}

#[tokio::test]
async fn auto_consent_needs_no_page_and_plan_usage_can_be_refused() {
    let browser = Browser::open().await;
    browser.demo.auto_consent(true);
    browser.demo.set_visitors(&["ann"]);
    browser.demo.grant_plan_usage(false);
    let app = App::plan(1);
    let (status, location, _) = browser.get(&app.url(&browser, "")).await;
    assert_eq!(status, 302);
    let callback = parameters(&location.expect("a callback"));
    assert_eq!(callback["scope"], "openid profile email offline_access resource.invoke");
    let (_, tokens) = browser.exchange(&app, &callback).await;
    assert_eq!(tokens["scope"], callback["scope"].as_str());
    let url = format!("{}/responses", browser.demo.openai_url());
    let ask = browser.http.post(url).bearer_auth(tokens["access_token"].as_str().expect("a token"));
    let answer = ask.json(&request("hello")).send().await.expect("an answer");
    assert_eq!(answer.status(), 403);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["error"]["code"], "chatpass_v2_scope_not_authorized");
    assert_eq!(browser.violations().len(), 1, "nobody should have asked with it");
    let token = browser.demo.requests().into_iter().find(|one| one.route == Route::Token).expect("an exchange");
    assert_eq!(token.account.as_deref(), Some("acc-ann"));
}

#[tokio::test]
async fn what_may_lead_nowhere_gets_a_page() {
    let browser = Browser::open().await;
    let cases: [(&str, &str, App); 9] = [
        ("redirect_uri", "http://127.0.0.1:1456/auth/callback", App::codex(0)),
        ("redirect_uri", "http://localhost:1455/auth/callback", App::codex(0)),
        ("redirect_uri", "http://localhost:4000/auth/callback", App::plan(0)),
        ("redirect_uri", "http://127.0.0.1:4000/auth/callback?x=1", App::plan(0)),
        ("redirect_uri", "http://127.0.0.1/auth/callback", App::plan(0)),
        ("redirect_uri", "https://127.0.0.1:4000/auth/callback", App::plan(0)),
        ("redirect_uri", "http://127.0.0.1:4000/<b>", App::plan(0)),
        ("client_id", "app_somebody", App::codex(0)),
        ("client_id", CODEX_CLIENT_ID, App::plan(0)),
    ];
    let count = cases.len();
    for (key, value, mut app) in cases {
        app.set(key, value);
        let (status, location, page) = browser.get(&app.url(&browser, "&demo=allow")).await;
        assert_eq!((status, location), (400, None), "{key}={value}");
        assert!(!page.contains("<b>"), "{page}");
    }
    let (status, ..) = browser.get(&App::codex(1).url(&browser, "&state=another-state-of-mine")).await;
    assert_eq!(status, 400, "a parameter twice");
    assert_eq!(browser.demo.violations().len(), count + 1, "each is on record");
    let mut second = App::codex(2);
    second.set("redirect_uri", "http://127.0.0.1:1457/auth/callback");
    assert!(browser.agree(&second).await.contains_key("code"), "the other registered one");
}

#[tokio::test]
async fn what_is_wrong_otherwise_comes_back_to_the_callback() {
    let browser = Browser::open().await;
    let cases: [(App, &str, Option<&str>, &str); 14] = [
        (App::codex(0), "response_type", Some("token"), "unsupported_response_type"),
        (App::codex(0), "code_challenge_method", Some("plain"), "invalid_request"),
        (App::codex(0), "code_challenge", Some("short"), "invalid_request"),
        (App::codex(0), "code_challenge", None, "invalid_request"),
        (App::codex(0), "state", None, "invalid_request"),
        (App::codex(0), "state", Some("short"), "invalid_request"),
        (App::codex(0), "originator", None, "invalid_request"),
        (App::codex(0), "scope", Some("openid profile email"), "invalid_scope"),
        (App::plan(0), "nonce", None, "invalid_request"),
        (App::plan(0), "ext_agent_host_id", None, "invalid_request"),
        (App::plan(0), "ext_agent_host_id", Some("7c9e6679-7425-40de-944b-e07fc1f90ae7"), "invalid_request"),
        (App::plan(0), "agent_name_hint", None, "invalid_request"),
        (App::plan(0), "resource", Some("https://api.openai.com"), "invalid_target"),
        (App::plan(0), "scope", Some("openid everything"), "invalid_scope"),
    ];
    let count = cases.len();
    for (mut app, key, value, error) in cases {
        match value {
            Some(value) => app.set(key, value),
            None => app.remove(key),
        }
        let (status, location, _) = browser.get(&app.url(&browser, "&demo=allow")).await;
        let callback = parameters(&location.expect("a callback"));
        assert_eq!((status, callback["error"].as_str()), (302, error), "{key}={value:?}");
        assert!(!callback.contains_key("code"));
    }
    assert_eq!(browser.demo.violations().len(), count);
}

#[tokio::test]
async fn an_attempt_that_repeats_another_is_put_on_record() {
    let browser = Browser::open().await;
    browser.agree(&App::plan(1)).await;
    assert_eq!(browser.violations(), Vec::<String>::new());
    browser.agree(&App::plan(1)).await;
    let said = browser.violations();
    for what in ["state", "nonce", "code_challenge"] {
        assert!(said.iter().any(|line| line.contains(&format!("the {what} of another attempt"))), "{said:?}");
    }
}

#[tokio::test]
async fn a_code_is_good_for_one_right_try() {
    let browser = Browser::open().await;
    let wrong: [(&str, &str, &str); 4] = [
        ("code_verifier", "another-verifier-of-more-than-forty-three-characters", "invalid_grant"),
        ("redirect_uri", "http://127.0.0.1:40001/auth/callback/", "invalid_grant"),
        ("client_id", "dynamic_agent_client", "invalid_client"),
        ("resource", "https://example.com", "invalid_target"),
    ];
    for (number, (key, value, error)) in (1..).zip(wrong) {
        let app = App::plan(number);
        let callback = browser.agree(&app).await;
        let change = |form: &mut std::collections::HashMap<&str, String>| drop(form.insert(key, value.to_owned()));
        let (status, body) = browser.exchange_with(&app, &callback, change).await;
        assert_eq!((status, &body["error"]), (400, &json!(error)), "{key}");
        let (_, body) = browser.exchange(&app, &callback).await;
        assert_eq!(body["error"], "invalid_grant", "the wrong try has spent it");
    }
    let app = App::codex(9);
    let callback = browser.agree(&app).await;
    let change = |form: &mut std::collections::HashMap<&str, String>| drop(form.remove("code_verifier"));
    let (status, body) = browser.exchange_with(&app, &callback, change).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("invalid_request")), "the other host's words");
    assert_eq!(browser.exchange(&app, &callback).await.0, 200, "it was not even looked at");
    let body = json!({"grant_type": "authorization_code", "code": "ac_1"});
    assert_eq!(browser.post_json("/oauth/token", &body).await.0, 400, "a form, not JSON");
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_the_sign_in() {
    let browser = Browser::open().await;
    let app = App::codex(1);
    let callback = browser.agree(&app).await;
    let (_, tokens) = browser.exchange(&app, &callback).await;
    let token = tokens["refresh_token"].as_str().expect("a token");
    assert!(browser.demo.is_live(token));
    assert_eq!(browser.exchange(&app, &callback).await.0, 400);
    assert!(!browser.demo.is_live(token));
    assert!(browser.violations().contains(&"The code was used before.".to_owned()));
}

#[tokio::test]
async fn two_attempts_do_not_disturb_each_other() {
    let browser = Browser::open().await;
    let (first, second) = (App::plan(1), App::plan(2));
    let one = browser.agree(&first).await;
    let two = browser.agree(&second).await;
    assert_ne!(one["client_id"], two["client_id"]);
    assert_eq!(browser.exchange(&second, &two).await.0, 200);
    assert_eq!(browser.exchange(&first, &one).await.0, 200);
    let (_, crossed) = browser.exchange(&first, &browser.agree(&App::plan(3)).await).await;
    assert_eq!(crossed["error"], "invalid_grant", "another attempt's code and this one's verifier");
}

#[tokio::test]
async fn codes_expire_by_the_clock_of_the_host() {
    use std::sync::atomic::{AtomicI64, Ordering};
    let now = std::sync::Arc::new(AtomicI64::new(1_795_143_921));
    let clock = std::sync::Arc::clone(&now);
    let clock = move || jiff::Timestamp::from_second(clock.load(Ordering::Relaxed)).expect("a time");
    let browser = Browser::with(Options { clock: std::sync::Arc::new(clock), ..Options::default() }).await;
    let app = App::codex(1);
    let callback = browser.agree(&app).await;
    now.fetch_add(600, Ordering::Relaxed);
    let (status, body) = browser.exchange(&app, &callback).await;
    assert_eq!((status, &body["error"]["message"]), (400, &json!("The code has expired.")));
}

#[tokio::test]
async fn faults_of_the_sign_in() {
    let browser = Browser::open().await;
    let faults =
        [AuthFault::Status(500), AuthFault::Challenge, AuthFault::Refuse("temporarily_unavailable".to_owned())];
    faults.into_iter().for_each(|fault| browser.demo.fail_next(Endpoint::Authorize, fault));
    let url = App::codex(1).url(&browser, "&demo=allow");
    assert_eq!(browser.get(&url).await.0, 500);
    let (status, _, page) = browser.get(&url).await;
    assert!(status == 403 && page.contains("Just a moment"), "{page}");
    let (_, location, _) = browser.get(&url).await;
    assert_eq!(parameters(&location.expect("a callback"))["error"], "temporarily_unavailable");

    let app = App::codex(2);
    let callback = browser.agree(&app).await;
    let refused = AuthFault::Refuse("invalid_grant".to_owned());
    for fault in [AuthFault::Status(503), AuthFault::Challenge, refused, AuthFault::Without("refresh_token")] {
        browser.demo.fail_next(Endpoint::Exchange, fault);
    }
    assert_eq!(browser.exchange(&app, &callback).await.0, 503);
    assert_eq!(browser.exchange(&app, &callback).await, (403, Value::Null), "HTML, not JSON");
    assert_eq!(browser.exchange(&app, &callback).await.1["error"]["code"], "invalid_grant");
    let (status, tokens) = browser.exchange(&app, &callback).await;
    assert_eq!((status, tokens.get("refresh_token")), (200, None), "none of these had spent the code");
    assert!(tokens["access_token"].is_string());

    let app = App::codex(3);
    let callback = browser.agree(&app).await;
    browser.demo.fail_next(Endpoint::Exchange, AuthFault::Reset);
    browser.demo.fail_next(Endpoint::Exchange, AuthFault::LostAnswer);
    let form = [("grant_type", "authorization_code"), ("client_id", CODEX_CLIENT_ID), ("code", &callback["code"])];
    let mut form = form.to_vec();
    form.extend([("redirect_uri", app.redirect.as_str()), ("code_verifier", app.verifier.as_str())]);
    let send = || browser.http.post(browser.at("/oauth/token")).form(&form).send();
    assert!(send().await.is_err(), "the line drops before");
    assert!(send().await.is_err(), "the line drops after");
    let (_, body) = browser.exchange(&app, &callback).await;
    assert_eq!(body["error"]["message"], "The code was used before.", "the second one had spent it");
    browser.demo.fail_always(Endpoint::Exchange, Some(AuthFault::Garbled));
    for number in 4..6 {
        let app = App::codex(number);
        let callback = browser.agree(&app).await;
        assert_eq!(browser.exchange(&app, &callback).await, (200, Value::Null), "no JSON");
    }
}

#[tokio::test]
async fn a_hanging_exchange_goes_on_when_released() {
    let browser = Browser::open().await;
    let app = App::codex(1);
    let callback = browser.agree(&app).await;
    browser.demo.fail_next(Endpoint::Exchange, AuthFault::Hang);
    let ((status, _), ()) = tokio::join!(browser.exchange(&app, &callback), async {
        let seen = browser.demo.wait_until(|seen| seen.iter().any(|one| one.route == Route::Token)).await;
        assert_eq!(seen.last().map(|one| &one.outcome), Some(&Outcome::Open));
        browser.demo.release();
    });
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_record_shows_fields_to_tests_and_hides_them_from_logs() {
    let browser = Browser::open().await;
    let app = App::plan(1);
    let callback = browser.agree(&app).await;
    let (_, tokens) = browser.exchange(&app, &callback).await;
    let seen = browser.demo.requests();
    assert_eq!(seen.iter().map(|one| one.route).collect::<Vec<_>>(), [Route::Authorize, Route::Token]);
    assert_eq!(seen[0].field("ext_agent_host_id").as_deref(), Some(HOST_ID));
    assert_eq!(seen[1].field("code").as_ref(), callback.get("code"));
    assert_eq!(seen[1].played, "authorization_code");
    let shown = format!("{seen:?} {:?}", browser.demo.account("ann"));
    assert!(shown.contains("code_verifier"), "the names are there: {shown}");
    let secrets = [&callback["code"], &callback["state"], &app.verifier, HOST_ID];
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    let refresh = tokens["refresh_token"].as_str().expect("a token").to_owned();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    browser.post_form("/api/accounts/oauth/token", &form).await;
    assert!(!format!("{:?}{:?}", browser.demo.requests(), browser.demo.violations()).contains(&refresh));
    assert!(!shown.contains("rt_"), "an account hides its tokens");
}

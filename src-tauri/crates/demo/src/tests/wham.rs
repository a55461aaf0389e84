//! Usage, reset credits and workspaces, and windows in every position.

use serde_json::{Value, json};

use super::{Stage, request};
use crate::{AuthFault, Endpoint, ExtraLimit, Limits, ResetCredit, Route, Window, Workspace};

const CREDITS: &str = "rate-limit-reset-credits";
const REDEEM: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

impl Stage {
    fn wham(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/wham/{path}", self.demo.chatgpt_url()))
            .bearer_auth(&self.account.access_token)
            .header("user-agent", "codeferry/0.1.0")
            .header("chatgpt-account-id", &self.account.account_id)
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.wham(reqwest::Method::GET, path).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    }

    async fn consume(&self, body: &Value) -> (u16, Value) {
        let ask = self.wham(reqwest::Method::POST, &format!("{CREDITS}/consume")).json(body);
        let answer = ask.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }
}

#[tokio::test]
async fn a_paid_plan_has_five_hours_and_a_week() {
    let stage = Stage::open().await;
    let limits = Limits {
        primary: Some(Window::five_hours(41.5, 600)),
        secondary: Some(Window::weekly(70.0, 90_000)),
        code_review: Some(Window::weekly(5.0, 1)),
        ..Limits::default()
    };
    stage.demo.set_limits(
        "acc-ann",
        limits.with_credits("12.50").with_extra(ExtraLimit {
            id: "codex_bengalfox".to_owned(),
            name: "GPT-5.3-Codex-Spark".to_owned(),
            primary: Some(Window::five_hours(3.0, 60)),
            secondary: None,
        }),
    );
    let usage = stage.read("usage").await;
    let week = &usage["rate_limit"]["secondary_window"];
    assert_eq!((&week["used_percent"], &week["limit_window_seconds"]), (&json!(70), &json!(604_800)));
    assert_eq!(week["reset_after_seconds"], 90_000);
    assert!(week["reset_at"].as_i64() > Some(1_700_000_000));
    assert_eq!(usage["rate_limit"]["primary_window"]["used_percent"], 41.5);
    assert_eq!(usage["rate_limit"]["limit_reached"], false);
    assert_eq!(usage["credits"], json!({"has_credits": true, "unlimited": false, "balance": "12.50"}));
    let extra = &usage["additional_rate_limits"][0];
    assert_eq!(extra["metered_feature"], "codex_bengalfox");
    assert_eq!(extra["rate_limit"]["primary_window"]["used_percent"], 3.0);
    assert_eq!(extra["rate_limit"]["secondary_window"], Value::Null);
    assert_eq!(usage["code_review_rate_limit"]["primary_window"]["used_percent"], 5.0);
    assert_eq!(usage["rate_limit_reached_type"], Value::Null);

    let answer = stage.say("x").await;
    assert_eq!(answer.header("x-codex-bengalfox-primary-window-minutes"), "300");
    assert_eq!(answer.header("x-codex-bengalfox-limit-name"), "GPT-5.3-Codex-Spark");
    assert_eq!(answer.header("x-codex-credits-balance"), "12.50");
    assert_eq!(answer.header("x-codex-credits-has-credits"), "True");
    assert_eq!(stage.demo.violations(), []);
}

#[tokio::test]
async fn a_window_can_stand_in_any_position() {
    let stage = Stage::open().await;
    stage.demo.set_plan("acc-ann", "free");
    stage.demo.set_limits("acc-ann", Limits::free(25.0, 100));
    let usage = stage.read("usage").await;
    assert_eq!(usage["plan_type"], "free");
    assert_eq!(usage["rate_limit"]["primary_window"]["limit_window_seconds"], 604_800);
    assert_eq!(usage["rate_limit"]["secondary_window"], Value::Null);
    let answer = stage.say("x").await;
    assert_eq!(answer.header("x-codex-plan-type"), "free");
    assert_eq!(answer.header("x-codex-primary-window-minutes"), "10080");
    assert!(!answer.headers.contains_key("x-codex-secondary-window-minutes"));

    stage.demo.set_limits("acc-ann", Limits { blank: true, ..Limits::free(25.0, 100) });
    let answer = stage.say("x").await;
    assert!(answer.headers.contains_key("x-codex-secondary-window-minutes"));
    assert_eq!(answer.header("x-codex-secondary-used-percent"), "", "there, but empty");

    stage.demo.set_limits("acc-ann", Limits::default().swapped());
    let answer = stage.say("x").await;
    assert_eq!(answer.header("x-codex-primary-window-minutes"), "10080");
    assert_eq!(answer.header("x-codex-secondary-window-minutes"), "300");

    stage.demo.set_limits("acc-ann", Limits { secondary: Some(Window::zero()), ..Limits::week_used_up(60) });
    assert_eq!(stage.say("x").await.header("x-codex-secondary-window-minutes"), "0");
    stage.demo.set_limits("acc-ann", Limits::week_used_up(60));
    let usage = stage.read("usage").await;
    assert_eq!(usage["rate_limit"]["allowed"], false, "and still status 200");
    assert_eq!(usage["rate_limit_reached_type"]["type"], "rate_limit_reached");
}

#[tokio::test]
async fn streams_begin_with_the_limits_when_told_so() {
    let stage = Stage::open().await;
    assert_eq!(stage.say("[[demo:text a]]").await.kinds()[0], "response.created");
    stage.demo.send_limit_events(true);
    stage.demo.set_limits("acc-ann", Limits::default().swapped());
    let events = stage.say("[[demo:text a]]").await.events();
    assert_eq!((&events[0]["type"], &events[1]["type"]), (&json!("codex.rate_limits"), &json!("response.created")));
    assert_eq!(events[0]["rate_limits"]["primary"]["window_minutes"], 10_080);
    assert_eq!(events[0]["rate_limits"]["secondary"]["window_minutes"], 300);
    let limited = stage.say("[[demo:limit first]]").await;
    assert_eq!(limited.kinds(), ["codex.rate_limits", "response.failed"]);
    assert_eq!(
        stage.ask_plan(&request("[[demo:text a]]")).await.kinds()[0],
        "response.created",
        "not on the plan host"
    );
}

#[tokio::test]
async fn a_reset_credit_works_once_and_a_repeated_request_costs_nothing() {
    let stage = Stage::open().await;
    assert_eq!(stage.read(CREDITS).await, json!({"available_count": 0, "credits": []}));
    stage.demo.set_limits("acc-ann", Limits::used_up(3_600));
    assert_eq!(stage.consume(&json!({"redeem_request_id": REDEEM})).await.1["code"], "no_credit");
    stage.demo.set_reset_credits("acc-ann", vec![ResetCredit::new("rc_1"), ResetCredit::new("rc_2")]);
    let credits = stage.read(CREDITS).await;
    assert_eq!((&credits["available_count"], &credits["credits"][1]["id"]), (&json!(2), &json!("rc_2")));
    assert_eq!(stage.read("usage").await["rate_limit_reset_credits"]["available_count"], 2);

    let (_, done) = stage.consume(&json!({"redeem_request_id": REDEEM, "credit_id": "rc_2"})).await;
    assert_eq!(done, json!({"code": "reset", "windows_reset": 2}));
    let usage = stage.read("usage").await;
    assert_eq!(usage["rate_limit"]["primary_window"]["used_percent"], 0.0);
    assert_eq!(usage["rate_limit"]["primary_window"]["reset_after_seconds"], 18_000);
    assert_eq!(stage.consume(&json!({"redeem_request_id": REDEEM})).await.1["code"], "already_redeemed");
    let other = REDEEM.replace('7', "8");
    assert_eq!(stage.consume(&json!({"redeem_request_id": other})).await.1["code"], "nothing_to_reset");
    assert_eq!(stage.read(CREDITS).await["available_count"], 1, "neither cost anything");
    assert_eq!(stage.demo.violations(), []);
}

#[tokio::test]
async fn a_redemption_whose_answer_is_lost_can_be_asked_again() {
    let stage = Stage::open().await;
    stage.demo.set_limits("acc-ann", Limits::used_up(3_600));
    stage.demo.set_reset_credits("acc-ann", vec![ResetCredit::new("rc_1"), ResetCredit::new("rc_2")]);
    stage.demo.fail_next(Endpoint::ConsumeResetCredit, AuthFault::LostAnswer);
    let body = json!({"redeem_request_id": REDEEM});
    let lost = stage.wham(reqwest::Method::POST, &format!("{CREDITS}/consume")).json(&body).send().await;
    assert!(lost.is_err());
    assert_eq!(stage.consume(&body).await.1["code"], "already_redeemed");
    assert_eq!(stage.read(CREDITS).await["available_count"], 1);
    for wrong in [json!({}), json!({"redeem_request_id": "1"})] {
        assert_eq!(stage.consume(&wrong).await.0, 422);
    }
    assert_eq!(stage.demo.violations().len(), 2);
}

#[tokio::test]
async fn workspaces_are_told_as_a_list_or_a_map() {
    let stage = Stage::open().await;
    let check = stage.read("accounts/check").await;
    assert_eq!(check["accounts"][0]["id"], "acc-ann");
    assert_eq!(check["accounts"][0]["workspace_backend_origin"], "NO_CONSTRAINT");
    assert_eq!(check["default_account_id"], "acc-ann");
    let workspace = Workspace { deactivated: true, routing_override: "us".to_owned(), ..Workspace::default() };
    stage.demo.set_workspace("acc-ann", workspace);
    stage.demo.set_accounts_as_map(true);
    let entry = stage.read("accounts/check").await["accounts"]["acc-ann"].take();
    assert_eq!((&entry["is_deactivated"], &entry["account_routing_override"]), (&json!(true), &json!("us")));
}

#[tokio::test]
async fn wrong_questions_about_an_account_are_put_on_record() {
    let mut stage = Stage::open().await;
    let ask = async |token: &str, account: &str| {
        let url = format!("{}/wham/usage", stage.demo.chatgpt_url());
        let ask = stage.http.get(url).header("user-agent", "codeferry/0.1.0").header("chatgpt-account-id", account);
        ask.bearer_auth(token).send().await.expect("an answer")
    };
    assert_eq!(ask(&stage.account.access_token, "acc-bob").await.status(), 200);
    assert!(stage.demo.violations()[0].what.contains("acc-bob"));
    let plan = stage.demo.plan_account("pat");
    let refused = ask(&plan.access_token, "acc-pat").await;
    assert_eq!(refused.status(), 401, "there is no usage endpoint for plan accounts");
    assert!(refused.text().await.expect("a body").contains("Could not parse your authentication token"));
    assert_eq!(stage.demo.violations().len(), 2);
    assert_eq!(ask("nonsense", "acc-ann").await.status(), 401);
    assert_eq!(stage.demo.violations().len(), 2, "a dead token may be nobody's fault");
    stage.account = stage.demo.account("ann");
    stage.demo.fail_always(Endpoint::Usage, Some(AuthFault::Challenge));
    for _ in 0..2 {
        let answer = stage.wham(reqwest::Method::GET, "usage").send().await.expect("an answer");
        assert_eq!(answer.status(), 403);
        assert!(answer.text().await.expect("a body").contains("Just a moment"));
    }
    stage.demo.fail_always(Endpoint::Usage, None);
    stage.read("usage").await;
    assert!(stage.demo.requests().iter().all(|one| one.route == Route::Usage));
}

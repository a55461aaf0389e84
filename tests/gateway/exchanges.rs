//! `/api/exchanges`: what people see of the request log.

use codeferry_demo::AccountKind;
use codeferry_store::log::{Attempt, Exchange, Outcome, Tokens};
use codeferry_tests::World;
use codeferry_tests::patience::until;
use codeferry_tests::world::asking;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

/// What the control plane says at that path.
pub(crate) async fn get(world: &World, path: &str) -> (u16, Value) {
    let answer = world.control(Method::GET, path).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// One of a thousand rows that nobody sent.
pub(crate) fn row(number: i64) -> Exchange {
    let pick = |words: [&str; 2]| words[usize::try_from(number % 2).unwrap()].to_owned();
    let outcome = if number % 5 == 0 { Outcome::Refused } else { Outcome::Completed };
    Exchange {
        id: format!("req_{number:032x}"),
        // A second apart.
        at: Timestamp::from_millisecond(1_795_100_000_000 + number * 1000).unwrap(),
        client: pick(["laptop", "sdk"]),
        dialect: "anthropic".into(),
        path: "/v1/messages".into(),
        asked: pick(["claude-opus-4-8", "claude-haiku-4-5"]),
        model: pick(["gpt-6.1-sol", "gpt-6-luna"]),
        conversation: Some(format!("talk-{}", number % 3)),
        provider: "codex".into(),
        account: "acc_0123456789abcdef".into(),
        tokens: (outcome == Outcome::Completed).then_some(Tokens {
            input: 1000,
            cached: 800,
            output: 50,
            reasoning: 20,
        }),
        first_byte_ms: Some(200),
        total_ms: 1000,
        outcome,
        status: Some(if outcome == Outcome::Refused { 429 } else { 200 }),
        error: (outcome == Outcome::Refused).then(|| "rate_limit_error".into()),
        message: (outcome == Outcome::Refused).then(|| "=HYPERLINK(\"https://x\"), used up".into()),
        ..Exchange::default()
    }
}

/// A world whose log has so many rows.
pub(crate) async fn world_with(rows: i64) -> World {
    let world = World::start().await;
    for number in 1..=rows {
        world.gateway.log().record(row(number));
    }
    written(&world, rows).await;
    world
}

/// Waits until the row of this number is written. A busy machine takes longer than a reader waits by itself.
async fn written(world: &World, number: i64) {
    until("the rows to be written", async || {
        let newest = ids(&get(world, "/exchanges?limit=1").await.1);
        if newest == [number] { Ok(()) } else { Err(format!("{newest:?}")) }
    })
    .await;
}

fn ids(page: &Value) -> Vec<i64> {
    let rows = page["exchanges"].as_array().unwrap();
    rows.iter()
        .map(|row| i64::from_str_radix(row["id"].as_str().unwrap().trim_start_matches("req_"), 16).unwrap())
        .collect()
}

#[tokio::test]
async fn pages_are_filtered_by_everything_there_is() {
    let world = world_with(20).await;
    let found = async |query: &str| {
        let (status, page) = get(&world, &format!("/exchanges?{query}")).await;
        assert_eq!(status, 200, "{query}: {page}");
        ids(&page)
    };
    assert_eq!(found("limit=3").await, [20, 19, 18], "the newest first");
    assert_eq!(found("model=gpt-6-luna&limit=2").await, [19, 17]);
    assert_eq!(found("model=claude-opus-4-8&limit=2").await, [20, 18], "as it was asked for, too");
    assert_eq!(found("client=sdk&outcome=refused").await, [15, 5]);
    assert_eq!(found("outcome=refused,failed").await, [20, 15, 10, 5]);
    assert_eq!(found("status=429&conversation=talk-0").await, [15]);
    assert_eq!(found("q=used%20up").await, [20, 15, 10, 5]);
    assert_eq!(found("account=acc_0123456789abcdef&limit=1").await, [20], "an account that is gone has its id left");
    let (since, until) = (row(7).at, row(9).at);
    assert_eq!(found(&format!("since={since}&until={until}")).await, [8, 7], "not before, and before");
    let (since, until) = (since.as_millisecond(), until.as_millisecond());
    assert_eq!(found(&format!("since={since}&until={until}")).await, [8, 7], "in milliseconds as well");
    assert_eq!(found("until=2026-11-01&tz=Europe/Berlin").await, [0; 0]);
    assert_eq!(found("model=&client=&limit=1").await, [20], "what is empty is not asked");

    let (_, first) = get(&world, "/exchanges?limit=15").await;
    let (_, rest) = get(&world, &format!("/exchanges?limit=15&before={}", first["next"])).await;
    assert_eq!((ids(&first), ids(&rest)), ((6..=20).rev().collect(), (1..=5).rev().collect()));
    assert_eq!(rest["next"], Value::Null);
}

#[tokio::test]
async fn a_parameter_that_cannot_be_meant_is_named() {
    let world = World::start().await;
    for (query, name) in [
        ("since=soon", "since"),
        ("until=2026-99-99", "until"),
        ("limit=0", "limit"),
        ("before=x", "before"),
        ("status=9", "status"),
        ("outcome=bad", "outcome"),
        ("account=nobody", "account"),
        ("tz=Mars", "tz"),
        ("colour=red", "colour"),
        ("model=a&model=b", "model"),
    ] {
        for path in ["exchanges", "exchanges.csv"] {
            let (status, refused) = get(&world, &format!("/{path}?{query}")).await;
            assert_eq!((status, &refused["code"]), (400, &"bad_parameter".into()), "{query}: {refused}");
            assert!(refused["message"].as_str().unwrap().starts_with(&format!("{name}: ")), "{refused}");
        }
    }
    let (status, refused) = get(&world, "/exchanges?limit=1001").await;
    assert_eq!((status, &refused["message"]), (400, &"limit: \"1001\" is not a number from 1 to 1000".into()));
    let (status, refused) = get(&world, "/exchanges/req_1").await;
    assert_eq!((status, &refused["code"]), (404, &"unknown_exchange".into()));
    assert!(refused["hint"].is_string());
}

#[tokio::test]
async fn one_is_told_with_names_costs_and_what_was_lost() {
    let world = World::start().await;
    world.gateway.pool().reload().await.unwrap();
    let id = world.gateway.pool().list()[0].id.to_string();
    world.gateway.pool().label(&id, Some("work".into())).await.unwrap();
    let mut body = asking("hello");
    body["temperature"] = json!(0.3);
    body["top_k"] = json!(4);
    world.stream(&body).await;
    for who in ["work", "work@demo.test", "WORK@demo.test", id.as_str()] {
        let (status, page) = get(&world, &format!("/exchanges?account={who}")).await;
        assert_eq!((status, page["exchanges"][0]["account_name"].as_str()), (200, Some("work")), "{who}: {page}");
    }
    let (_, page) = get(&world, "/exchanges").await;
    let row = &page["exchanges"][0];
    let (_, one) = get(&world, &format!("/exchanges/{}", row["id"].as_str().unwrap())).await;
    for (name, value) in row.as_object().unwrap() {
        assert_eq!(&one[name], value, "{name}: everything of the row is there");
    }
    let (nano, dollars) = (one["cost_nano_usd"].as_i64().unwrap(), one["cost_usd"].as_f64().unwrap());
    assert!(nano > 0 && (dollars - nano as f64 / 1e9).abs() < 1e-12, "{one}");
    assert_eq!(one["account_names"], json!({id.clone(): "work"}));
    assert_eq!(one["losses"], json!(["temperature", "top_k"]));
    let explained = one["explained"].as_array().unwrap();
    assert_eq!((explained[0]["loss"].as_str(), explained.len()), (Some("temperature"), 2));
    assert!(explained.iter().all(|one| one["meaning"].as_str().unwrap().ends_with('.')), "{one}");

    world.add(AccountKind::Codex, "twin").await;
    let twin = world.gateway.pool().list().iter().find(|account| account.id.to_string() != id).unwrap().id.to_string();
    world.gateway.log().record(Exchange {
        account: id.clone(),
        attempts: vec![
            Attempt { account: twin.clone(), failure: Some("usage_limit".into()), ..Attempt::default() },
            Attempt { account: "acc_ffffffffffffffff".into(), ..Attempt::default() },
        ],
        losses: vec!["of_tomorrow".into()],
        ..self::row(1)
    });
    let (_, one) = get(&world, &format!("/exchanges/{}", self::row(1).id)).await;
    assert_eq!(one["account_names"], json!({twin: "twin@demo.test"}), "one of them is gone: {one}");
    assert_eq!(one["explained"], json!([{"loss": "of_tomorrow", "meaning": null}]));
}

#[tokio::test]
async fn a_spreadsheet_gets_all_of_them_and_no_formula() {
    let world = world_with(1203).await;
    let text = async |query: &str| {
        let answer = world.control(Method::GET, &format!("/exchanges.csv{query}")).send().await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
        assert!(answer.headers()["content-disposition"].to_str().unwrap().contains("exchanges.csv"));
        answer.text().await.unwrap()
    };
    let all = text("").await;
    // No cell of these has a line break.
    let lines: Vec<_> = all.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1204, "more than a page");
    assert!(lines[0].starts_with("seq,at,id,client,"));
    let (_, page) = get(&world, "/exchanges?limit=1000").await;
    for (line, row) in lines[1..].iter().zip(page["exchanges"].as_array().unwrap()) {
        let start = format!("{},{},{},", row["seq"], row["at"].as_str().unwrap(), row["id"].as_str().unwrap());
        assert!(line.starts_with(&start), "{line}");
    }
    assert!(lines[4].contains("\"'=HYPERLINK(\"\"https://x\"\"), used up\""), "{}", lines[4]);
    assert_eq!(text("?limit=1100").await.split_terminator("\r\n").count(), 1101, "more than a page has");
    assert_eq!(text("?limit=501").await.split_terminator("\r\n").count(), 502, "over the end of a page");
    assert_eq!(text("?limit=7&outcome=refused").await.split_terminator("\r\n").count(), 8);
    assert_eq!(text("?model=nothing").await.split_terminator("\r\n").count(), 1);
}

/// A search looks at ten thousand rows at a time. What it looks for is found all the same.
#[tokio::test]
async fn a_search_goes_on_where_it_stopped() {
    let world = World::start().await;
    for number in 1..=10_050 {
        world.gateway.log().record(Exchange { message: (number == 7).then(|| "a needle".into()), ..row(number) });
        if number % 1000 == 0 {
            written(&world, number).await;
        }
    }
    written(&world, 10_050).await;
    let (_, first) = get(&world, "/exchanges?q=needle").await;
    assert_eq!(ids(&first), [0; 0]);
    let (_, second) = get(&world, &format!("/exchanges?q=needle&before={}", first["next"])).await;
    assert_eq!((ids(&second), &second["next"]), (vec![7], &Value::Null));
    let csv = world.control(Method::GET, "/exchanges.csv?q=needle&limit=5").send().await.unwrap().text().await.unwrap();
    assert_eq!(csv.split_terminator("\r\n").count(), 2, "{csv}");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_an_error_of_ours() {
    let world = World::start().await;
    std::fs::create_dir(world.home.path().join("requests.sqlite")).unwrap();
    for path in ["/exchanges", "/exchanges/req_1", "/exchanges.csv", "/usage", "/usage.csv"] {
        let (status, refused) = get(&world, path).await;
        assert_eq!((status, &refused["code"]), (500, &"request_log_failed".into()), "{path}: {refused}");
    }
}

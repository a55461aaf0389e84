//! `/api/usage`, `/api/prices`, and what clients see of it at `/v1/usage`.

use codeferry_store::log::{Exchange, Outcome};
use codeferry_tests::World;
use codeferry_tests::world::asking;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::exchanges::{get, row, world_with};

/// What a client sees.
async fn ask(world: &World, key: &str, path: &str) -> (u16, Value) {
    let answer = world.http.get(format!("{}{path}", world.url())).bearer_auth(key).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn sums_have_shares_that_follow_from_them() {
    let world = world_with(20).await;
    let (status, usage) = get(&world, "/usage").await;
    assert_eq!(status, 200);
    let total = &usage["total"];
    assert_eq!((&total["requests"], &total["completed"], &total["refused"]), (&json!(20), &json!(16), &json!(4)));
    assert_eq!((&total["counted"], &total["input"], &total["cached"]), (&json!(16), &json!(16_000), &json!(12_800)));
    assert_eq!((&total["cached_percent"], &total["average_first_byte_ms"]), (&json!(80.0), &json!(200.0)));
    assert_eq!(total["tokens_per_second"], json!(50.0), "of those whose tokens are known");
    let nano = total["cost_nano_usd"].as_i64().unwrap();
    assert!(nano > 0);
    assert_eq!(total["cost_usd"].as_f64(), Some(nano as f64 / 1e9));
    assert_eq!(usage["sums"], json!([]));

    let (_, usage) = get(&world, "/usage?by=model,client&tz=UTC&model=gpt-6.1-sol").await;
    assert_eq!((&usage["by"], &usage["tz"]), (&json!(["model", "client"]), &"UTC".into()));
    assert_eq!(usage["sums"].as_array().unwrap().len(), 1);
    assert_eq!(usage["sums"][0]["key"], json!({"model": "gpt-6.1-sol", "client": "laptop"}));
    assert_eq!(usage["sums"][0]["requests"], 10);

    let (_, usage) = get(&world, &format!("/usage?since={}&until={}", row(5).at, row(6).at)).await;
    assert_eq!((&usage["total"]["requests"], &usage["total"]["refused"]), (&json!(1), &json!(1)));
    assert_eq!(usage["total"]["cached_percent"], Value::Null, "a share of nothing is none");
    assert_eq!(usage["total"]["tokens_per_second"], Value::Null);
}

#[tokio::test]
async fn sums_are_those_of_the_rows_they_are_about() {
    let world = world_with(200).await;
    let (since, until) = (row(31).at, row(170).at);
    for by in ["hour", "day,model", "account", "client,dialect,model"] {
        let (status, usage) = get(&world, &format!("/usage?by={by}&since={since}&until={until}&tz=Asia/Kolkata")).await;
        assert_eq!(status, 200, "{usage}");
        let sums = usage["sums"].as_array().unwrap();
        for figure in ["requests", "completed", "refused", "input", "output", "cost_nano_usd"] {
            let sum: i64 = sums.iter().map(|sum| sum[figure].as_i64().unwrap()).sum();
            assert_eq!(Some(sum), usage["total"][figure].as_i64(), "{by}: {figure}");
        }
        assert_eq!(usage["total"]["requests"], 139);
    }
}

#[tokio::test]
async fn days_are_those_of_the_zone() {
    let world = World::start().await;
    for at in ["2026-11-18T22:30:00Z", "2026-11-18T23:30:00Z", "2026-11-19T22:30:00Z"] {
        world.gateway.log().record(Exchange { id: format!("req_{at}"), at: at.parse().unwrap(), ..row(1) });
    }
    let days = async |zone: &str| {
        let (_, usage) = get(&world, &format!("/usage?by=day&tz={zone}")).await;
        let sums = usage["sums"].as_array().unwrap().clone();
        sums.iter()
            .map(|sum| (sum["key"]["day"].as_str().unwrap().to_owned(), sum["requests"].as_i64().unwrap()))
            .collect::<Vec<_>>()
    };
    let expected = |days: [(&str, i64); 2]| days.map(|(day, count)| (day.to_owned(), count)).to_vec();
    assert_eq!(days("UTC").await, expected([("2026-11-18T00:00:00+00:00", 2), ("2026-11-19T00:00:00+00:00", 1)]));
    assert_eq!(
        days("Europe/Berlin").await,
        expected([("2026-11-18T00:00:00+01:00", 1), ("2026-11-19T00:00:00+01:00", 2)])
    );
    let (_, csv) =
        (0, world.control(Method::GET, "/usage.csv?by=day&tz=UTC").send().await.unwrap().text().await.unwrap());
    assert!(csv.starts_with("day,requests,") && csv.split_terminator("\r\n").count() == 3, "{csv}");
}

#[tokio::test]
async fn parameters_of_sums_are_named_when_they_cannot_be_meant() {
    let world = World::start().await;
    for (query, name) in
        [("by=colour", "by"), ("by=day,day", "by"), ("tz=x", "tz"), ("since=-", "since"), ("limit=1", "limit")]
    {
        for path in ["usage", "usage.csv"] {
            let (status, refused) = get(&world, &format!("/{path}?{query}")).await;
            assert_eq!((status, &refused["code"]), (400, &"bad_parameter".into()), "{query}: {refused}");
            assert!(refused["message"].as_str().unwrap().starts_with(&format!("{name}: ")), "{refused}");
        }
    }
}

#[tokio::test]
async fn prices_have_dates_and_sources_and_ones_own_stand_out() {
    let world = World::start().await;
    world.gateway.settings().set("price.gpt-6.1-sol", "3/0.3/9").unwrap();
    world.gateway.settings().set("price.gpt-mine", "1/1/1").unwrap();
    let (_, list) = get(&world, "/prices").await;
    let prices = list["prices"].as_array().unwrap();
    let of = |model: &str| prices.iter().filter(|row| row["model"] == model).collect::<Vec<_>>();
    let sol = of("gpt-6.1-sol");
    assert_eq!(
        (sol[0]["own"].as_bool(), sol[0]["counts"].as_bool(), &sol[0]["input"]),
        (Some(true), Some(true), &json!(3.0))
    );
    assert_eq!((sol[1]["own"].as_bool(), sol[1]["counts"].as_bool()), (Some(false), Some(false)));
    assert!(sol[1]["from"].is_string() && sol[1]["source"].as_str().unwrap().starts_with("https://"));
    assert_eq!(of("gpt-mine").len(), 1);
}

#[tokio::test]
async fn clients_see_their_own_usage_in_the_shapes_they_know() {
    let world = World::start().await;
    let other = world.gateway.keys().create("other", Timestamp::now()).unwrap().key;
    world.say("hello").await;
    world.say("again").await;
    world.refused("[[demo:overflow status]]").await;
    world.gateway.log().record(Exchange { client: "other".into(), at: row(1).at, ..row(1) });

    let (status, usage) = ask(&world, &world.key, "/v1/usage").await;
    assert_eq!(status, 200);
    let names: Vec<_> = usage.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        names,
        ["completion_tokens_est", "end", "prompt_tokens_est", "start", "total_requests", "total_tokens_est"]
    );
    assert_eq!((&usage["start"], &usage["total_requests"]), (&json!(0), &json!(3)));
    let number = |name: &str| usage[name].as_i64().unwrap();
    assert!(number("prompt_tokens_est") > 0);
    assert_eq!(number("prompt_tokens_est") + number("completion_tokens_est"), number("total_tokens_est"));

    let (_, raw) = ask(&world, &world.key, "/v1/usage/raw?limit=2").await;
    let events = raw["events"].as_array().unwrap();
    assert_eq!((&raw["count"], events.len()), (&json!(2), 2));
    let names: Vec<_> = events[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        names,
        [
            "completion_tokens_est",
            "duration_ms",
            "effective_model",
            "method",
            "prompt_tokens_est",
            "req_id",
            "requested_model",
            "route",
            "status",
            "stream",
            "total_tokens_est",
            "ts",
            "user_agent"
        ]
    );
    assert!(events[0]["ts"].as_i64() <= events[1]["ts"].as_i64(), "the oldest first");
    assert_eq!((events[0]["status"].as_u64(), &events[0]["stream"]), (Some(200), &json!(true)));
    assert_eq!((events[1]["status"].as_u64(), &events[1]["total_tokens_est"]), (Some(400), &json!(0)));
    for limit in ["0", "-3", "99999"] {
        assert_eq!(
            ask(&world, &world.key, &format!("/v1/usage/raw?limit={limit}")).await.0,
            200,
            "brought into bounds"
        );
    }

    let (_, theirs) = ask(&world, &other, "/v1/v1/usage").await;
    assert_eq!(theirs["total_requests"], 1, "only their own");
    assert_eq!(ask(&world, &other, "/v1/usage/raw").await.1["count"], 1);
    world.gateway.settings().set("usage_api_scope", "all").unwrap();
    assert_eq!(ask(&world, &other, "/v1/usage").await.1["total_requests"], 4);
    assert_eq!(ask(&world, &other, "/v1/usage/raw").await.1["count"], 4);
}

#[tokio::test]
async fn buckets_are_half_open_and_sorted() {
    let world = World::start().await;
    let hour = 3_600_000;
    let base = 1_795_100_400_000_i64.div_euclid(hour) * hour;
    for (number, at) in
        [base - 1, base, base + 5, base + hour - 1, base + hour, base + 2 * hour].into_iter().enumerate()
    {
        let at = Timestamp::from_millisecond(at).unwrap();
        world.gateway.log().record(Exchange { id: format!("req_{number}"), client: "test".into(), at, ..row(1) });
    }
    let (start, end) = (base, base + 2 * hour);
    let (_, usage) = ask(&world, &world.key, &format!("/v1/usage?start={start}&end={end}&group=hour")).await;
    assert_eq!((&usage["start"], &usage["end"], &usage["group"]), (&json!(start), &json!(end), &json!("hour")));
    assert_eq!(usage["total_requests"], 4, "from the start on, and before the end");
    let buckets = usage["buckets"].as_array().unwrap();
    let told: Vec<_> =
        buckets.iter().map(|bucket| (bucket["ts"].as_i64().unwrap(), bucket["requests"].as_i64().unwrap())).collect();
    assert_eq!(told, [(base, 3), (base + hour, 1)]);
    assert_eq!(buckets[0]["total_tokens_est"], 3 * 1050);
    let iso = Timestamp::from_millisecond(base).unwrap();
    let (_, usage) = ask(&world, &world.key, &format!("/v1/usage?start={iso}&group=day")).await;
    assert_eq!(usage["total_requests"], 5);
    let sum: i64 = usage["buckets"].as_array().unwrap().iter().map(|bucket| bucket["requests"].as_i64().unwrap()).sum();
    assert_eq!(sum, 5);
}

#[tokio::test]
async fn clients_are_refused_in_the_shape_they_know() {
    let world = World::start().await;
    for path in ["/v1/usage", "/v1/usage/raw"] {
        let (status, refused) = ask(&world, "cf_wrong", path).await;
        assert_eq!((status, &refused["error"]["code"]), (401, &"invalid_api_key".into()), "{refused}");
        let (status, refused) = ask(&world, &world.key, &format!("{path}?x=1")).await;
        assert_eq!((status, &refused["error"]["param"]), (400, &"x".into()), "{refused}");
    }
    for (query, param) in [("start=soon", "start"), ("group=minute", "group")] {
        let (status, refused) = ask(&world, &world.key, &format!("/v1/usage?{query}")).await;
        assert_eq!(status, 400);
        let error = &refused["error"];
        assert_eq!((&error["type"], &error["param"]), (&"invalid_request_error".into(), &param.into()), "{refused}");
    }
    let (status, refused) = ask(&world, &world.key, "/v1/usage/raw?limit=many").await;
    assert_eq!((status, &refused["error"]["param"]), (400, &"limit".into()));
}

/// What was asked a moment ago is in the sums: readers wait for the rows that are on their way.
#[tokio::test]
async fn an_answer_that_has_ended_is_counted() {
    let world = World::start().await;
    for count in 1..=5 {
        world.stream(&asking("hello")).await;
        let since = Timestamp::now() - SignedDuration::from_hours(1);
        let (_, usage) = get(&world, &format!("/usage?since={since}")).await;
        assert_eq!(usage["total"]["requests"], count);
    }
    assert_eq!(Outcome::ALL.len(), 4, "each has its figure");
}

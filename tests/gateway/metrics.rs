//! `/metrics`, and its table in the documents.

use std::collections::{BTreeMap, BTreeSet};

use codeferry_demo::AccountKind;
use codeferry_tests::World;
use codeferry_tests::world::{Setup, asking};

/// What was scraped: each sample by its name and labels, as written.
struct Scrape(BTreeMap<String, f64>, String);

impl Scrape {
    async fn of(world: &World) -> Self {
        let answer = world.http.get(format!("{}/metrics", world.url())).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
        let text = answer.text().await.unwrap();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.map(|line| line.rsplit_once(' ').unwrap());
        Self(samples.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect(), text)
    }

    #[track_caller]
    fn get(&self, sample: &str) -> f64 {
        *self.0.get(sample).unwrap_or_else(|| unreachable!("no {sample} in\n{}", self.1))
    }

    /// Name and labels of each metric. A histogram has its own name, and no `le`.
    fn shapes(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut shapes = BTreeMap::<String, BTreeSet<String>>::new();
        for line in self.1.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').unwrap();
            shapes.insert(if kind == "counter" { format!("{name}_total") } else { name.to_owned() }, BTreeSet::new());
        }
        for sample in self.0.keys() {
            let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            let labels = labels.trim_end_matches('}').split(',').filter_map(|label| Some(label.split_once('=')?.0));
            shapes.get_mut(base).unwrap().extend(labels.filter(|label| *label != "le").map(str::to_owned));
        }
        shapes
    }
}

/// The rows of the table under `## Metrics`: the name, and the labels in the second cell.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let document = include_str!("../../docs/operations.md");
    let section = document.split("\n## Metrics\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (name, rest) = row.split_once('`').unwrap();
        let labels = rest.split(" | ").nth(1).unwrap().split('`').skip(1).step_by(2);
        (name.to_owned(), labels.map(str::to_owned).collect())
    })
    .collect()
}

#[tokio::test]
async fn the_table_of_the_documents_is_what_is_scraped() {
    let setup = Setup { settings: vec![("rotation", "sticky".to_owned())], ..Setup::default() };
    let world = World::with(setup).await;
    world.add(AccountKind::Plan, "second").await;
    world.say("[[demo:text hi]]").await;
    let scrape = Scrape::of(&world).await;
    assert_eq!(scrape.shapes(), documented());
}

#[tokio::test]
async fn an_exchange_is_counted_once_at_its_end() {
    let world = World::start().await;
    let before = Scrape::of(&world).await;
    assert_eq!(before.get("codeferry_retries_total"), 0.0);
    world.say("[[demo:text hi]]").await;
    world.refused("[[demo:500 always]]").await;
    let mut unknown = asking("[[demo:text hi]]");
    for n in 0..3 {
        unknown["model"] = format!("no-such-model-{n}").into();
        assert_eq!(world.messages(&unknown).await.status(), 404);
    }
    let after = Scrape::of(&world).await;
    let exchanges = |labels: &str| after.get(&format!("codeferry_exchanges_total{{{labels}}}"));
    assert_eq!(exchanges(r#"dialect="anthropic",model="gpt-6.1-sol",outcome="completed""#), 1.0);
    assert_eq!(exchanges(r#"dialect="anthropic",model="gpt-6.1-sol",outcome="refused""#), 1.0);
    assert_eq!(
        exchanges(r#"dialect="anthropic",model="other",outcome="refused""#),
        3.0,
        "names of clients are no labels"
    );
    assert_eq!(after.get("codeferry_exchanges_in_flight"), 0.0);
    assert_eq!(after.get(r#"codeferry_first_byte_seconds_count{dialect="anthropic"}"#), 1.0);
    assert_eq!(after.get(r#"codeferry_exchange_seconds_count{dialect="anthropic"}"#), 5.0);
    let attempts = |result: &str| {
        after.get(&format!("codeferry_upstream_attempts_total{{provider=\"codex\",result=\"{result}\"}}"))
    };
    let failed = attempts("server");
    assert!(failed >= 2.0, "it was tried again: {failed}");
    assert_eq!((attempts("answered"), after.get("codeferry_retries_total")), (1.0, failed - 1.0));
    let tokens = |direction: &str| {
        after.get(&format!("codeferry_tokens_total{{model=\"gpt-6.1-sol\",direction=\"{direction}\"}}"))
    };
    assert!(tokens("input") > 0.0 && tokens("output") > 0.0);
    let account = &world.gateway.pool().list()[0];
    assert_eq!(after.get(r#"codeferry_accounts{provider="codex",state="ready"}"#), 1.0);
    let used = format!("codeferry_quota_used_percent{{account=\"{}\"", account.id);
    assert!(after.0.keys().any(|sample| sample.starts_with(&used)), "{}", after.1);
    for direction in ["received", "sent"] {
        let sample = format!("codeferry_client_bytes_total{{direction=\"{direction}\"}}");
        assert!(after.get(&sample) > before.get(&sample) + 500.0, "{direction}");
    }
    assert!(!after.1.contains("demo.test"), "no addresses: {}", after.1);
}

#[tokio::test]
async fn only_from_here_or_with_the_control_token() {
    let world = World::start().await;
    let forwarded = || world.http.get(format!("{}/metrics", world.url())).header("x-forwarded-for", "203.0.113.7");
    assert_eq!(forwarded().send().await.unwrap().status(), 403);
    assert_eq!(forwarded().bearer_auth(&world.key).send().await.unwrap().status(), 403, "a client key is no token");
    let token = codeferry_app::control_token(&codeferry_app::Paths::at(world.home.path())).unwrap();
    assert_eq!(forwarded().bearer_auth(token.expose()).send().await.unwrap().status(), 200);
}

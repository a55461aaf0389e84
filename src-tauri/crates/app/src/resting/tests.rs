use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{AccountId, AccountState, Cooldown, KeySource, Kind, Pool, import};
use codeferry_demo::{Demo, DemoAccount, Limits, Options, Route};
use codeferry_gateway::Looks;
use codeferry_store::Settings;
use codeferry_upstream::Upstream;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::{Asked, due, look, watch};
use crate::{Environment, Paths, parts, system_clock};

struct House {
    _temp: tempfile::TempDir,
    demo: Demo,
    pool: Pool,
    upstream: Arc<Upstream>,
}

async fn house() -> House {
    let temp = tempfile::tempdir().unwrap();
    let demo = Demo::start(Options::default()).await.unwrap();
    let mut environment = Environment { vault: KeySource::File, ..Environment::default() };
    environment.endpoints.chatgpt = demo.chatgpt_url().parse().unwrap();
    let pool = parts::vault_pool(&Paths::at(temp.path()), &environment);
    let upstream = Arc::new(parts::upstream(environment.endpoints, &Settings::default(), &system_clock()));
    House { _temp: temp, demo, pool, upstream }
}

impl House {
    async fn add(&self, kind: Kind, account: &DemoAccount) -> AccountId {
        let file = account.import_json().to_string();
        let imported = import::read(kind, file.as_bytes(), system_clock()()).unwrap();
        self.pool.import(imported).await.unwrap().id
    }

    fn rest(&self, id: &AccountId, why: Cooldown) {
        self.pool.cool_down(id, system_clock()() + SignedDuration::from_hours(3), why);
    }

    fn rests(&self, id: &AccountId) -> bool {
        let list = self.pool.list();
        list.iter().any(|account| account.id == *id && !matches!(account.state, AccountState::Ready))
    }
}

#[tokio::test]
async fn only_codex_accounts_at_their_limit_are_asked_about_and_not_before_five_minutes() {
    let house = house().await;
    let limited = house.add(Kind::Codex, &house.demo.account("limited")).await;
    let turned_away = house.add(Kind::Codex, &house.demo.account("away")).await;
    let plan = house.add(Kind::Plan, &house.demo.plan_account("pat")).await;
    house.add(Kind::Codex, &house.demo.account("ready")).await;
    house.rest(&limited, Cooldown::UsageLimit);
    house.rest(&plan, Cooldown::UsageLimit);
    house.rest(&turned_away, Cooldown::Unavailable);
    let (mut asked, start) = (Asked::new(), Instant::now());
    let mut due_at = |seconds: u64| {
        let now = start + Duration::from_secs(seconds);
        let due = due(&house.pool.list(), &mut asked, now);
        for id in &due {
            asked.insert(id.clone(), now);
        }
        due
    };
    assert_eq!(due_at(0), [], "it was told of its limit just now");
    assert_eq!(due_at(299), []);
    assert_eq!(due_at(300), std::slice::from_ref(&limited));
    assert_eq!(due_at(301), []);
    assert_eq!(due_at(600), std::slice::from_ref(&limited));
    house.pool.wake(limited.as_str()).await.unwrap();
    assert_eq!(due_at(900), [], "it rests no more");
    assert!(asked.is_empty());
    assert_eq!(Looks::APART.as_secs(), 300);
}

#[tokio::test]
async fn a_look_that_finds_quota_ends_the_rest() {
    let (house, looks) = (house().await, Looks::default());
    let id = house.add(Kind::Codex, &house.demo.account("ada")).await;
    house.rest(&id, Cooldown::UsageLimit);
    house.demo.set_limits("acc-ada", Limits::used_up(9_000));
    look(&house.pool, &house.upstream, &looks, &id).await.unwrap();
    assert!(house.rests(&id), "nothing is left yet");
    house.demo.set_limits("acc-ada", Limits::default());
    look(&house.pool, &house.upstream, &looks, &id).await.unwrap();
    assert!(!house.rests(&id));
    let asked = house.demo.requests().into_iter().filter(|request| request.route == Route::Usage).count();
    assert_eq!((asked, house.demo.refresh_count()), (2, 0));
}

/// A person looked two minutes ago: the account that rests is not asked about a second time within the five.
#[tokio::test]
async fn those_who_look_share_one_clock() {
    let (house, looks) = (house().await, Arc::new(Looks::default()));
    let id = house.add(Kind::Codex, &house.demo.account("ada")).await;
    house.demo.set_limits("acc-ada", Limits::used_up(9_000));
    house.rest(&id, Cooldown::UsageLimit);
    let asked = || house.demo.requests().into_iter().filter(|request| request.route == Route::Usage).count();
    let looking = async {
        // The watch takes notice of the rest before time is moved.
        tokio::time::sleep(Duration::from_millis(50)).await;
        pass(180).await;
        look(&house.pool, &house.upstream, &looks, &id).await.unwrap();
        pass(121).await;
        assert_eq!(asked(), 1, "five minutes of rest are over, but not since the look");
        pass(301).await;
        assert_eq!(asked(), 2);
    };
    tokio::select! {
        () = watch(house.pool.clone(), Arc::clone(&house.upstream), Arc::clone(&looks)) => panic!("it watches for good"),
        () = looking => {}
    }
}

/// Lets so many seconds pass, and whoever waited for them do their work.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
    tokio::time::sleep(Duration::from_millis(300)).await;
}

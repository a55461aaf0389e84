use std::collections::BTreeSet;
use std::sync::Arc;

use codeferry_accounts::{KeySource, Kind, Pool, import};
use codeferry_demo::{Demo, Options, Recorded};
use codeferry_store::Settings;

use super::{Cache, Keeper, known_models};
use crate::{Environment, Paths, parts, system_clock};

struct House {
    _temp: tempfile::TempDir,
    paths: Paths,
    demo: Demo,
    environment: Environment,
}

async fn house() -> House {
    let temp = tempfile::tempdir().unwrap();
    let demo = Demo::start(Options::default()).await.unwrap();
    let mut environment = Environment { vault: KeySource::File, ..Environment::default() };
    environment.endpoints.chatgpt = demo.chatgpt_url().parse().unwrap();
    House { paths: Paths::at(temp.path()), _temp: temp, demo, environment }
}

impl House {
    fn pool(&self) -> Pool {
        parts::vault_pool(&self.paths, &self.environment)
    }

    /// As after a start: nothing is on the shelf yet.
    async fn keeper(&self) -> Keeper {
        let upstream = parts::upstream(self.environment.endpoints.clone(), &Settings::default(), &system_clock());
        let cache = Some(Cache::new(&self.paths));
        let mut keeper = Keeper { pool: self.pool(), upstream: Arc::new(upstream), cache, known: BTreeSet::new() };
        keeper.load().await;
        keeper
    }

    async fn sign_in(&self, name: &str) {
        let file = self.demo.account(name).import_json().to_string();
        let imported = import::read(Kind::Codex, file.as_bytes(), system_clock()()).unwrap();
        self.pool().import(imported).await.unwrap();
    }

    fn asked(&self) -> Vec<Recorded> {
        self.demo.requests().into_iter().filter(|request| request.path.contains("/codex/models")).collect()
    }
}

#[tokio::test]
async fn a_catalogue_outlives_the_process_with_its_tag() {
    let house = house().await;
    house.sign_in("someone").await;
    let (id, _) = house.keeper().await.fetch().await.expect("there is an account");
    assert!(house.paths.catalogs().join(format!("{id}.json")).is_file());

    let mut keeper = house.keeper().await;
    assert!(keeper.upstream.shelf().of(&id).is_some(), "before anybody was asked");
    keeper.fetch().await.expect("there is an account");
    let asked = house.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].header("if-none-match"), None);
    assert!(asked[1].header("if-none-match").is_some(), "the second time only news is wanted");
}

#[tokio::test]
async fn an_account_that_is_gone_takes_its_catalogue_along() {
    let house = house().await;
    house.sign_in("first").await;
    house.sign_in("second").await;
    let mut keeper = house.keeper().await;
    let (id, _) = keeper.fetch().await.expect("there is an account");
    house.pool().remove(id.as_str()).await.unwrap();
    keeper.pool.reload().await.unwrap();
    keeper.prune().await;
    assert!(keeper.upstream.shelf().of(&id).is_none());
    assert!(Cache::new(&house.paths).load().is_empty());
}

#[tokio::test]
async fn without_an_account_nobody_is_asked() {
    let house = house().await;
    assert!(house.keeper().await.fetch().await.is_none());
    assert!(house.asked().is_empty());
    assert!(known_models(&house.paths).get("gpt-6.1-sol").is_some(), "the one compiled in serves");
}

use std::net::Ipv4Addr;
use std::time::Duration;

use codeferry_accounts::KeySource;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::{Keeper, Phase, TroubleKind};
use crate::{Environment, Options, OwnerRecord, Paths};

struct House {
    _temp: tempfile::TempDir,
    paths: Paths,
    keeper: Keeper,
    phase: watch::Receiver<Phase>,
    tasks: TaskTracker,
}

fn begin(port: u16) -> House {
    let temp = tempfile::tempdir().unwrap();
    let paths = Paths::at(temp.path().join("data"));
    let environment = Environment { vault: KeySource::File, ..Environment::default() };
    let options = Options { demo: true, port: Some(port), ..Options::default() };
    let tasks = TaskTracker::new();
    let keeper = Keeper::begin(options, paths.clone(), environment, &tasks);
    House { _temp: temp, paths, phase: keeper.phase(), keeper, tasks }
}

impl House {
    async fn comes_to(&mut self, name: &str) -> Phase {
        let until = self.phase.wait_for(|phase| phase.name() == name);
        tokio::time::timeout(Duration::from_secs(20), until).await.expect(name).unwrap().clone()
    }

    async fn port(&mut self) -> u16 {
        let Phase::Running(serving) = self.comes_to("running").await else { panic!("it runs") };
        serving.url().rsplit_once(':').unwrap().1.parse().unwrap()
    }
}

async fn answers(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok()
}

#[tokio::test]
async fn a_person_stops_and_starts_it() {
    let mut house = begin(0);
    let port = house.port().await;
    assert!(answers(port).await);
    house.keeper.start();
    house.keeper.stop();
    house.comes_to("stopped").await;
    assert!(!answers(port).await);
    assert_eq!(OwnerRecord::find(&house.paths).unwrap(), None, "the folder is given back");
    house.keeper.start();
    let port = house.port().await;
    assert!(answers(port).await);
    house.keeper.end().await;
    assert!(!answers(port).await);
    house.tasks.close();
    house.tasks.wait().await;
    house.keeper.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_taken_port_is_told_and_had_as_soon_as_it_is_free() {
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = held.local_addr().unwrap().port();
    let mut house = begin(port);
    let Phase::Failed(trouble) = house.comes_to("failed").await else { panic!("it failed") };
    assert_eq!(trouble.kind, TroubleKind::PortTaken { port });
    assert!(trouble.tries_again && trouble.message.contains(&port.to_string()), "{trouble:?}");
    assert!(!trouble.message.contains("--port"), "nobody types anything here: {trouble:?}");
    // Not shown once more at each try.
    house.phase.mark_unchanged();
    assert!(tokio::time::timeout(Duration::from_secs(4), house.phase.changed()).await.is_err());
    drop(held);
    assert_eq!(house.port().await, port);
    house.keeper.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_breaks_off_is_shown_and_starts_again() {
    let mut house = begin(0);
    house.port().await;
    for round in 0..3 {
        house.keeper.serving().expect("it runs").gateway().break_off();
        let Phase::Failed(trouble) = house.comes_to("failed").await else { panic!("it failed") };
        assert_eq!(trouble.kind, TroubleKind::Broken, "{round}");
        assert!(trouble.message.contains("the listener is gone"), "{trouble:?}");
        let began = tokio::time::Instant::now();
        assert!(answers(house.port().await).await);
        assert!(began.elapsed() >= Duration::from_secs(1 << round), "each pause is longer: {:?}", began.elapsed());
    }
    house.keeper.end().await;
}

#[tokio::test]
async fn the_demo_comes_and_goes() {
    let mut house = begin(0);
    house.port().await;
    assert!(house.keeper.serving().expect("it runs").is_demo());
    house.keeper.set_demo(false);
    let own = house.phase.wait_for(|phase| matches!(phase, Phase::Running(serving) if !serving.is_demo()));
    tokio::time::timeout(Duration::from_secs(20), own).await.expect("it serves without the demo").unwrap();
    house.keeper.end().await;
}

#[tokio::test]
async fn another_owner_is_named_by_its_address() {
    let mut first = begin(0);
    let port = first.port().await;
    let options = Options { demo: true, port: Some(0), ..Options::default() };
    let environment = Environment { vault: KeySource::File, ..Environment::default() };
    let keeper = Keeper::begin(options, first.paths.clone(), environment, &first.tasks);
    let mut phase = keeper.phase();
    let failed = phase.wait_for(|phase| phase.name() == "failed").await.unwrap().clone();
    let Phase::Failed(trouble) = failed else { panic!("it failed") };
    let TroubleKind::OtherOwner { url, pid } = trouble.kind else { panic!("{trouble:?}") };
    assert_eq!((url, pid), (Some(format!("http://127.0.0.1:{port}")), Some(std::process::id())));
    first.keeper.end().await;
    phase.wait_for(|phase| phase.name() == "running").await.unwrap();
    keeper.end().await;
}

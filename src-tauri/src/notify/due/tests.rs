//! What is told when, and what is not.

use codeferry_app::NotifyAbout;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::facts::{Account, Drift, Facts, Failover, Window};
use super::super::said::Said;
use super::super::words::Moment;
use super::due;

/// A day in the life of a desktop: each look is compared with the one before.
struct Day {
    before: Facts,
    said: Said,
    about: NotifyAbout,
}

impl Day {
    /// It begins with these accounts, about which nothing is told.
    fn with(accounts: Vec<Account>) -> Self {
        let mut day = Self { before: Facts::default(), said: Said::default(), about: NotifyAbout::default() };
        assert_eq!(day.at("09:00", facts(accounts)), "", "what was so already is not told");
        day
    }

    /// Looks at that time of the day. What is told, a line each.
    fn at(&mut self, clock: &str, after: Facts) -> String {
        let (now, zone) = (time(clock), TimeZone::UTC);
        let notices = due(&self.before, &after, &mut self.said, self.about, Moment { now, zone: &zone });
        self.before = after;
        let line = |notice: &super::Notice| format!("{} | {} | {}", notice.title, notice.body, notice.link);
        notices.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The program is started again: only the file is left.
    fn restart(&mut self) {
        let file = serde_json::to_vec(&self.said).unwrap();
        self.said = serde_json::from_slice(&file).unwrap();
        self.before = Facts::default();
    }
}

fn time(clock: &str) -> Timestamp {
    format!("2026-11-20T{clock}:00Z").parse().unwrap()
}

fn facts(accounts: Vec<Account>) -> Facts {
    Facts { accounts: Some(accounts), ..Facts::default() }
}

fn account(name: &str) -> Account {
    Account {
        id: format!("acc_{name}"),
        name: format!("{name}@…"),
        needs_sign_in: None,
        used_up: None,
        windows: Vec::new(),
    }
}

fn window(used_percent: f64, resets_at: Option<&str>) -> Window {
    Window { family: "codex".to_owned(), title: None, minutes: 300, used_percent, resets_at: resets_at.map(time) }
}

fn used(name: &str, percent: f64, resets_at: &str) -> Account {
    Account { windows: vec![window(percent, Some(resets_at))], ..account(name) }
}

#[test]
fn each_level_of_a_window_is_told_once_for_each_run_of_it() {
    let mut day = Day::with(vec![used("work", 20.0, "14:20")]);
    let mut look =
        |clock: &str, percent: f64, resets_at: &str| day.at(clock, facts(vec![used("work", percent, resets_at)]));
    assert_eq!(look("10:00", 79.9, "14:20"), "");
    assert_eq!(
        look("10:10", 80.0, "14:20"),
        "work@… is running low | work@… has 20 % of its five hours left, back at 14:20. | codeferry://accounts/acc_work"
    );
    assert_eq!(look("10:20", 84.0, "14:21"), "", "the moment moves by seconds");
    assert_eq!(look("10:25", 60.0, "14:20"), "", "an answer of another machine upstream");
    assert_eq!(look("10:26", 84.0, "14:20"), "");
    assert!(look("10:30", 95.5, "14:20").contains("has 4 % of its five hours left"));
    assert_eq!(look("10:40", 97.0, "14:20"), "");
    assert_eq!(look("14:21", 0.0, "19:30"), "");
    assert!(look("15:00", 81.0, "19:30").contains("has 19 %"), "a new run");
}

#[test]
fn who_jumps_over_a_level_hears_of_the_higher_one_only() {
    let mut day = Day::with(vec![used("work", 20.0, "14:20")]);
    let told = day.at("10:00", facts(vec![used("work", 96.0, "14:20")]));
    assert_eq!((told.lines().count(), told.contains("has 4 %")), (1, true), "{told}");
    assert_eq!(day.at("10:10", facts(vec![used("work", 85.0, "14:20")])), "");
}

#[test]
fn nothing_is_told_twice_over_a_restart() {
    let mut day = Day::with(vec![used("work", 20.0, "14:20")]);
    assert_ne!(day.at("10:00", facts(vec![used("work", 81.0, "14:20")])), "");
    day.restart();
    assert_eq!(day.at("10:05", facts(vec![used("work", 40.0, "14:20")])), "");
    assert_eq!(day.at("10:10", facts(vec![used("work", 82.0, "14:20")])), "", "this was said before");
    assert_ne!(day.at("10:20", facts(vec![used("work", 96.0, "14:20")])), "", "this was not");
    day.restart();
    assert_eq!(day.at("10:25", facts(vec![used("work", 99.0, "14:20")])), "", "so when we came");
}

#[test]
fn a_window_that_names_no_reset_is_told_again_after_it_fell() {
    let without = |percent| facts(vec![Account { windows: vec![window(percent, None)], ..account("work") }]);
    let mut day = Day::with(vec![account("work")]);
    assert!(day.at("10:00", without(80.0)).contains("20 % of its five hours left."));
    assert_eq!(day.at("10:10", without(78.0)), "");
    assert_eq!(day.at("10:20", without(81.0)), "");
    assert_eq!(day.at("10:30", without(3.0)), "");
    assert_ne!(day.at("10:40", without(80.0)), "");
}

#[test]
fn windows_are_called_by_their_length() {
    let of = |minutes, family: &str, title: Option<&str>| {
        let window =
            Window { minutes, family: family.to_owned(), title: title.map(str::to_owned), ..window(80.0, None) };
        let mut day = Day::with(vec![account("work")]);
        day.at("10:00", facts(vec![Account { windows: vec![window], ..account("work") }]))
    };
    for (minutes, words) in [
        (10_080, "its week left"),
        (43_200, "its month left"),
        (1440, "its day left"),
        (180, "its three hours left"),
        (60, "its hour left"),
        (45, "its 45 minutes left"),
    ] {
        assert!(of(minutes, "codex", None).contains(words), "{minutes}: {}", of(minutes, "codex", None));
    }
    assert!(of(300, "spark", Some("gpt-6-spark")).contains("its five hours for gpt-6-spark left"));
}

#[test]
fn a_limit_is_told_with_the_moment_it_ends() {
    let full = |until: &str| Account { used_up: Some(Some(time(until))), ..used("work", 100.0, until) };
    let mut day = Day::with(vec![used("work", 70.0, "14:20")]);
    assert_eq!(
        day.at("10:00", facts(vec![full("14:20")])),
        "work@… is used up | Its five hours are used up, back at 14:20. | codeferry://accounts/acc_work",
        "and not that it is running low"
    );
    assert_eq!(day.at("10:10", facts(vec![full("14:21")])), "");
    // Somebody wakes it, and it is refused again.
    assert_eq!(day.at("10:20", facts(vec![used("work", 99.0, "14:20")])), "");
    assert_eq!(day.at("10:30", facts(vec![full("14:20")])), "");
    day.restart();
    assert_eq!(day.at("10:40", facts(vec![used("work", 99.0, "14:20")])), "");
    assert_eq!(day.at("10:50", facts(vec![full("14:20")])), "");
    assert_eq!(day.at("14:30", facts(vec![used("work", 0.0, "19:30")])), "");
    assert!(day.at("16:00", facts(vec![full("19:30")])).contains("back at 19:30"), "the next time");
    // On top of it the week is used up.
    let week = Window { minutes: 10_080, ..window(100.0, None) };
    let later: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
    let weekly = Account {
        used_up: Some(Some(later)),
        windows: vec![window(100.0, Some("19:30")), Window { resets_at: Some(later), ..week }],
        ..account("work")
    };
    assert!(day.at("17:00", facts(vec![weekly])).contains("Its week is used up, back at 08:00 on Mon 23 Nov."));
}

#[test]
fn a_limit_without_a_moment() {
    let mut day = Day::with(vec![account("work")]);
    let full = || facts(vec![Account { used_up: Some(None), ..account("work") }]);
    assert!(day.at("10:00", full()).contains("Its plan's limit is reached. |"));
    assert_eq!(day.at("10:10", full()), "");
    assert_eq!(day.at("10:20", facts(vec![account("work")])), "");
    assert_ne!(day.at("10:30", full()), "");
}

#[test]
fn a_sign_in_is_asked_for_once() {
    let out = || {
        let why = "the provider ended the sign-in".to_owned();
        facts(vec![Account { needs_sign_in: Some(why), ..account("work") }, account("home")])
    };
    let well = || facts(vec![account("work"), account("home")]);
    let mut day = Day::with(vec![account("work"), account("home")]);
    assert_eq!(
        day.at("10:00", out()),
        "work@… needs you to sign in again | The provider ended the sign-in. Click to sign in. | codeferry://accounts/acc_work"
    );
    assert_eq!(day.at("10:10", out()), "");
    day.restart();
    assert_eq!(day.at("10:20", out()), "");
    assert_eq!(day.at("10:30", well()), "");
    assert_ne!(day.at("10:40", out()), "", "it ended once more");
}

#[test]
fn who_took_over_is_told_once_for_a_while() {
    let change = |at: &str, why: &str, until: Option<&str>| Facts {
        failover: Some(Failover {
            at: time(at),
            from: "acc_work".to_owned(),
            to: "acc_home".to_owned(),
            why: why.to_owned(),
            until: until.map(time),
        }),
        ..facts(vec![account("work"), account("home")])
    };
    let mut day = Day::with(vec![account("work"), account("home")]);
    assert_eq!(
        day.at("10:00", change("10:00", "usage limit reached", Some("14:20"))),
        "home@… has taken over from work@… | Usage limit reached. home@… pays now. work@… is back at 14:20. | \
         codeferry://accounts/acc_home"
    );
    assert_eq!(day.at("10:01", change("10:00", "usage limit reached", Some("14:20"))), "");
    assert_eq!(day.at("12:00", change("12:00", "usage limit reached", Some("14:20"))), "", "it is back at 14:20 still");
    let why = "work@example.com has reached the 5-hour limit of its ChatGPT plan; it resets at 19:20 (in 4 h 10 min)";
    let told = day.at("15:00", change("15:00", why, Some("19:20")));
    assert!(
        told.contains("| work@example.com has reached") && told.contains("(in 4 h 10 min). home@… pays now. |"),
        "{told}"
    );
    // One that fails now and then is no news each time.
    let mut day = Day::with(vec![account("work"), account("home")]);
    assert_ne!(day.at("10:00", change("10:00", "the upstream failed", None)), "");
    assert_eq!(day.at("10:10", change("10:10", "the upstream failed", None)), "");
    assert_ne!(day.at("11:00", change("11:00", "the upstream failed", None)), "");
}

#[test]
fn a_taken_port_is_told_at_the_start_too() {
    let taken = |port| Facts { port_taken: port, ..Facts::default() };
    let mut day = Day { before: Facts::default(), said: Said::default(), about: NotifyAbout::default() };
    assert!(day.at("09:00", taken(Some(8081))).starts_with("Port 8081 is taken | Another program"));
    assert_eq!(day.at("09:01", taken(Some(8081))), "");
    assert_eq!(day.at("09:02", taken(None)), "");
    assert_ne!(day.at("09:03", taken(Some(8081))), "");
    assert_ne!(day.at("09:04", taken(Some(8082))), "");
}

#[test]
fn a_version_is_told_once() {
    let newer = |version: &str| Facts { update: Some(version.to_owned()), ..facts(vec![]) };
    let mut day = Day::with(vec![]);
    assert!(day.at("10:00", newer("0.2.0")).starts_with("Codeferry 0.2.0 is there | "));
    day.restart();
    assert_eq!(day.at("10:10", newer("0.2.0")), "");
    assert_ne!(day.at("10:20", newer("0.2.1")), "");
}

fn drift(what: &[&str]) -> Drift {
    let what = what.iter().map(|what| (*what).to_owned()).collect();
    Drift { client: "claude-code".to_owned(), name: "Claude Code".to_owned(), target: "user".to_owned(), what }
}

#[test]
fn a_client_that_was_changed_is_told_once_for_each_difference() {
    let facts = |drifted: Vec<Drift>| Facts { drifted: Some(drifted), ..facts(vec![]) };
    let mut day = Day::with(vec![]);
    let told = day.at("10:00", facts(vec![drift(&["env.A", "env.B"])]));
    assert!(told.starts_with("Claude Code is not set up as it was | Changed since: env.A and 1 more. "), "{told}");
    assert!(told.ends_with("| codeferry://clients/claude-code"), "{told}");
    day.restart();
    assert_eq!(day.at("10:10", facts(vec![drift(&["env.A", "env.B"])])), "", "that was told");
    assert_ne!(day.at("10:20", facts(vec![drift(&["env.A"])])), "", "this is another");
    assert_eq!(day.at("10:30", facts(vec![])), "");
    assert_ne!(day.at("10:40", facts(vec![drift(&["env.A"])])), "", "it was well in between");
}

#[test]
fn every_kind_has_its_switch_and_is_not_made_up_for() {
    type Put = fn(&mut NotifyAbout) -> &mut bool;
    let well = || vec![used("work", 20.0, "14:20"), account("home")];
    let all = || Facts {
        failover: Some(Failover {
            at: time("10:00"),
            from: "acc_work".to_owned(),
            to: "acc_home".to_owned(),
            why: "x".to_owned(),
            until: None,
        }),
        update: Some("0.2.0".to_owned()),
        port_taken: Some(8081),
        drifted: Some(vec![drift(&["env.ANTHROPIC_BASE_URL"])]),
        ..facts(vec![
            Account { needs_sign_in: Some("x".to_owned()), ..used("work", 85.0, "14:20") },
            Account { used_up: Some(None), ..account("home") },
        ])
    };
    let switches: [(&str, Put); 7] = [
        ("sign in again", |about| &mut about.sign_in),
        ("running low", |about| &mut about.window),
        ("used up", |about| &mut about.limit),
        ("taken over", |about| &mut about.failover),
        ("is there", |about| &mut about.update),
        ("Port", |about| &mut about.port),
        ("not set up as it was", |about| &mut about.client_changed),
    ];
    for (words, switch) in switches {
        let mut day = Day::with(well());
        *switch(&mut day.about) = false;
        let told = day.at("10:00", all());
        assert_eq!((told.lines().count(), told.contains(words)), (6, false), "{words}: {told}");
        *switch(&mut day.about) = true;
        assert_eq!(day.at("10:10", all()), "", "{words}: what was not told then is not told now");
    }
}

#[test]
fn an_account_that_comes_is_shown_and_not_announced() {
    let mut day = Day::with(vec![account("work")]);
    let news = || facts(vec![account("work"), Account { used_up: Some(None), ..used("home", 96.0, "14:20") }]);
    assert_eq!(day.at("10:00", news()), "");
    assert_eq!(day.at("10:10", news()), "");
}

#[test]
fn a_file_that_is_damaged_is_as_good_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notified.json");
    assert_eq!(Said::read(&path), Said::default());
    let mut day = Day::with(vec![used("work", 20.0, "14:20")]);
    day.at("10:00", facts(vec![used("work", 81.0, "14:20")]));
    day.said.write(&path).unwrap();
    assert_eq!(Said::read(&path), day.said);
    std::fs::write(&path, "{\"windows\": 3").unwrap();
    assert_eq!(Said::read(&path), Said::default());
}

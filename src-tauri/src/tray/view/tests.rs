use codeferry_app::setup::SeenClient;
use codeferry_app::{
    AccountId, AccountState, AccountStatus, Cooldown, Effort, Kind, Language, MAIN_FAMILY, ModelChoice, ModelRole,
    Quota, QuotaWindow, Rotation, Target, TrayTitle, Trouble, TroubleKind,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{LINES, lines, view};
use crate::testing;
use crate::tray::action::Action;
use crate::tray::menu::{Body, Entry, said};
use crate::tray::snapshot::{Gateway, Known, Running, Snapshot};
use crate::tray::state::{self, Shape};

/// A Friday; 12:30 in Berlin.
const NOW: &str = "2026-11-20T11:30:00Z";

fn at(moment: &str) -> Timestamp {
    moment.parse().expect("a moment")
}

fn zone() -> TimeZone {
    TimeZone::get("Europe/Berlin").expect("a zone")
}

fn window(minutes: u32, used_percent: f64, resets_at: &str) -> QuotaWindow {
    QuotaWindow {
        minutes,
        family: MAIN_FAMILY.to_owned(),
        title: None,
        used_percent,
        resets_at: Some(at(resets_at)),
        seen_at: at(NOW),
        forecast: None,
    }
}

fn quota(windows: Vec<QuotaWindow>) -> Option<Quota> {
    Some(Quota { windows, credits: None, plan: None, reset_credits: None, seen_at: at(NOW) })
}

fn account(email: &str) -> AccountStatus {
    AccountStatus {
        id: AccountId::derive(Kind::Codex, None, Some(email)),
        email: Some(email.to_owned()),
        plan: Some("plus".to_owned()),
        ..testing::account(email)
    }
}

/// The account that pays, with both windows.
fn work() -> AccountStatus {
    let windows = vec![window(300, 62.0, "2026-11-20T13:20:00Z"), window(10_080, 31.0, "2026-11-23T08:00:00Z")];
    AccountStatus { active: true, quota: quota(windows), ..account("work@example.com") }
}

fn running(accounts: Vec<AccountStatus>) -> Running {
    let to = |name, model: &str, effort| ModelRole { name, to: Target { model: model.to_owned(), effort } };
    let choice = |model: &str, efforts: &[Effort]| ModelChoice { model: model.to_owned(), efforts: efforts.to_vec() };
    Running {
        url: "http://127.0.0.1:8081".to_owned(),
        demo: false,
        rotation: Rotation::Personal,
        accounts,
        known: Known::Yes,
        busy: false,
        capture_until: None,
        models: vec![
            choice("gpt-6.1-sol", &[Effort::Low, Effort::Medium, Effort::High, Effort::Max]),
            choice("gpt-6-luna", &[Effort::Low, Effort::High]),
        ],
        roles: vec![
            to("opus", "gpt-6.1-sol", None),
            to("haiku", "gpt-6-luna", Some(Effort::Low)),
            to("default", "ollama/qwen3:32b", Some(Effort::XHigh)),
        ],
        clients: [client("claude-code", "Claude Code", false)].into(),
        title: TrayTitle::Off,
        bars: false,
    }
}

fn client(client: &'static str, name: &'static str, here: bool) -> SeenClient {
    SeenClient { client, name, ready: true, here, drifts: Vec::new() }
}

fn snapshot(gateway: Gateway) -> Snapshot {
    Snapshot { gateway, autostart: Some(false), update: None }
}

fn serving(running: Running) -> Snapshot {
    snapshot(Gateway::Running(Box::new(running)))
}

fn menu(snapshot: &Snapshot) -> Vec<Entry> {
    view(snapshot, at(NOW), &zone())
}

/// The menu as people see it: ticks, what opens (▸), and in brackets what cannot be clicked.
fn drawn(entries: &[Entry], depth: usize, opened: &dyn Fn(&Entry) -> bool) -> String {
    let mut text = String::new();
    for entry in entries {
        let label = entry.label.replace('\u{2003}', "  ");
        let line = match &entry.body {
            Body::Separator => "─────".to_owned(),
            Body::Check(on) => format!("{} {label}", if *on { "[x]" } else { "[ ]" }),
            Body::Submenu(_) => format!("{label} ▸"),
            Body::Plain => label,
        };
        let line = if entry.enabled || entry.body == Body::Separator { line } else { format!("({line})") };
        text += &format!("{}{line}\n", "    ".repeat(depth));
        if let Body::Submenu(entries) = &entry.body
            && opened(entry)
        {
            text += &drawn(entries, depth + 1, opened);
        }
    }
    text
}

/// The tooltip, the title and the picture above, and the menu with nothing but the accounts opened.
fn seen(snapshot: &Snapshot) -> String {
    let picture = state::picture(snapshot);
    let faint = if picture.faint { " faint" } else { "" };
    let title = state::title(snapshot, at(NOW), &zone()).map_or(String::new(), |title| format!(" {title:?}"));
    let tooltip = state::tooltip(snapshot, at(NOW), &zone());
    let opened = |entry: &Entry| entry.id.starts_with("account:") || entry.id == "more-accounts";
    let next = state::next_change(snapshot, at(NOW), &zone()).map_or("never".to_owned(), |next| next.to_string());
    format!(
        "{tooltip}\n{:?}{faint}{title}, changes by itself: {next}\n\n{}",
        picture.shape,
        drawn(&menu(snapshot), 0, &opened)
    )
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings
}

fn failed(kind: TroubleKind, message: &str) -> Snapshot {
    snapshot(Gateway::Failed(Trouble { kind, message: message.to_owned(), tries_again: true }))
}

/// The case that is shown, by name.
fn cases() -> Vec<(&'static str, Snapshot)> {
    let signed_out = || AccountStatus {
        state: AccountState::NeedsSignIn { why: "the refresh token was used by another program".to_owned() },
        ..account("old@example.com")
    };
    let cooling = || AccountStatus {
        state: AccountState::CoolingDown { until: at("2026-11-20T12:05:00Z"), why: Cooldown::RateLimit },
        ..account("home@example.com")
    };
    let used_up = AccountStatus {
        state: AccountState::CoolingDown { until: at("2026-11-21T13:20:00Z"), why: Cooldown::UsageLimit },
        quota: quota(vec![window(300, 100.0, "2026-11-21T13:20:00Z")]),
        ..work()
    };
    let ollama = AccountStatus {
        kind: Kind::Compatible,
        named: true,
        email: None,
        plan: None,
        label: Some("ollama".to_owned()),
        ..account("ollama")
    };
    let demo = AccountStatus {
        kind: Kind::Demo,
        label: Some("demo".to_owned()),
        ephemeral: true,
        active: true,
        ..account("demo@codeferry.example")
    };
    let high = |busy| {
        let windows = vec![window(10_080, 93.4, "2026-11-23T08:00:00Z")];
        let account = AccountStatus { quota: quota(windows), ..work() };
        serving(Running { busy, title: TrayTitle::Worst, bars: true, ..running(vec![account]) })
    };
    let many = || -> Vec<_> {
        let more = (1..9).map(|n| account(&format!("number-{n}@example.com")));
        std::iter::once(signed_out()).chain(more).chain([work()]).collect()
    };
    let five = vec![
        account("first@example.com"),
        cooling(),
        work(),
        signed_out(),
        AccountStatus { paused: true, ..account("spare@example.com") },
    ];
    vec![
        ("starting", snapshot(Gateway::Starting)),
        ("stopping", snapshot(Gateway::Stopping)),
        ("stopped", Snapshot { update: Some("0.2.0".to_owned()), ..snapshot(Gateway::Stopped) }),
        ("port_taken", failed(TroubleKind::PortTaken { port: 8081 }, "port 8081 on 127.0.0.1 is taken by node")),
        (
            "other_owner",
            failed(TroubleKind::OtherOwner { url: Some("http://127.0.0.1:9".to_owned()), pid: Some(7) }, "taken"),
        ),
        ("broken", failed(TroubleKind::Broken, "serving failed")),
        (
            "other_trouble",
            failed(
                TroubleKind::Other,
                "cannot make the data folder /home/somebody/.local/share/codeferry: permission denied by the system",
            ),
        ),
        ("unread", serving(Running { known: Known::NotYet, ..running(Vec::new()) })),
        ("unreadable", serving(Running { known: Known::Never, ..running(Vec::new()) })),
        ("no_account", serving(running(Vec::new()))),
        ("demo", serving(Running { demo: true, ..running(vec![demo]) })),
        (
            "one",
            serving(Running {
                clients: [client("claude-code", "Claude Code", true), client("codex", "Codex CLI", false)].into(),
                title: TrayTitle::Both,
                ..running(vec![work()])
            }),
        ),
        ("one_busy", serving(Running { busy: true, bars: true, ..running(vec![work()]) })),
        ("two", serving(running(vec![work(), cooling()]))),
        (
            "two_and_an_update",
            Snapshot { update: Some("0.2.0".to_owned()), ..serving(running(vec![work(), cooling()])) },
        ),
        ("five", serving(Running { rotation: Rotation::Sticky, ..running(five) })),
        ("ten", serving(running(many()))),
        ("used_up", serving(Running { title: TrayTitle::FiveHours, ..running(vec![used_up, account("b@x.de")]) })),
        ("nearly_used_up", high(false)),
        ("nearly_used_up_busy", high(true)),
        ("needs_sign_in", serving(running(vec![AccountStatus { active: true, ..signed_out() }]))),
        ("paused", serving(running(vec![AccountStatus { paused: true, ..work() }]))),
        ("none_chosen", serving(running(vec![account("a@example.com"), account("b@example.com")]))),
        ("named_alone", serving(running(vec![ollama.clone()]))),
        ("named_beside", serving(running(vec![ollama, work()]))),
        (
            "blocked",
            serving(running(vec![AccountStatus {
                state: AccountState::Blocked { why: Cooldown::PlanMismatch },
                warning: Some("the new token is not on disk yet".to_owned()),
                ..work()
            }])),
        ),
        (
            "at_this_pace",
            serving(running(vec![AccountStatus {
                quota: quota(vec![QuotaWindow {
                    forecast: Some(at("2026-11-20T12:43:21Z")),
                    ..window(300, 62.0, "2026-11-20T13:20:00Z")
                }]),
                ..work()
            }])),
        ),
        ("capturing", serving(Running { capture_until: Some(at("2026-11-20T12:00:00Z")), ..running(vec![work()]) })),
        ("no_autostart", Snapshot { autostart: None, ..serving(running(vec![work()])) }),
    ]
}

#[test]
fn the_menu_says_what_is() {
    let all: Vec<_> = cases().iter().map(|(name, snapshot)| format!("===== {name}\n{}", seen(snapshot))).collect();
    settings().bind(|| insta::assert_snapshot!("menus", all.join("\n")));
}

/// Two small English words side by side: what nobody has translated.
fn is_english(text: &str) -> bool {
    let small = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let words: Vec<_> = text.split([' ', '\u{2003}']).map(|word| word.trim_matches([',', '.', ':', ';'])).collect();
    words.windows(2).any(|pair| pair.iter().all(|word| small(word)))
}

#[test]
fn all_of_it_is_said_in_chinese() {
    /// Reasons that these tests made up, and one that is cut to fit.
    const NOT_OURS: [&str; 3] = ["used by another program", "is not on disk yet", "cannot make the data folder"];
    let language = Language::Chinese;
    let mut left = Vec::new();
    for (name, snapshot) in cases() {
        let mut labels = vec![language.say(&state::tooltip(&snapshot, at(NOW), &zone()))];
        let mut look = vec![said(menu(&snapshot), language)];
        while let Some(entries) = look.pop() {
            for entry in entries {
                labels.push(entry.label);
                if let Body::Submenu(entries) = entry.body {
                    look.push(entries);
                }
            }
        }
        left.extend(
            labels
                .into_iter()
                .filter(|label| is_english(label) && !NOT_OURS.iter().any(|words| label.contains(words)))
                .map(|label| (name, label)),
        );
    }
    assert!(left.is_empty(), "{left:#?}");
    // Single words are as much of it.
    let labels: Vec<_> =
        said(menu(&serving(running(vec![work()]))), language).into_iter().map(|entry| entry.label).collect();
    for label in ["停止", "打开面板", "设置…", "退出", "设置客户端"] {
        assert!(labels.iter().any(|known| known == label), "{label}: {labels:#?}");
    }
}

#[test]
fn each_family_says_where_it_leads() {
    let menu = menu(&serving(running(Vec::new())));
    let models = menu.iter().find(|entry| entry.id == "models").expect("models");
    settings().bind(|| insta::assert_snapshot!("models", drawn(std::slice::from_ref(models), 0, &|_| true)));
}

#[test]
fn there_are_twelve_lines_at_most() {
    for count in 0..30 {
        for update in [None, Some("1.0.0".to_owned())] {
            let accounts = (0..count).map(|n| account(&format!("{n}@example.com"))).collect();
            let menu = menu(&Snapshot { update, ..serving(running(accounts)) });
            assert!(lines(&menu) <= LINES, "{count}: {}", lines(&menu));
        }
    }
}

#[test]
fn every_account_is_somewhere_and_so_is_the_way_to_another() {
    for count in [0, 1, 2, 3, 10] {
        let accounts: Vec<_> = (0..count).map(|n| account(&format!("{n}@example.com"))).collect();
        let mut ids = Vec::new();
        collect(&menu(&serving(running(accounts.clone()))), &mut ids);
        for account in accounts {
            assert!(ids.contains(&format!("account:{}", account.id)), "{count}");
        }
        assert!(ids.contains(&Action::AddAccount.id()), "{count}");
    }
}

#[test]
fn ids_are_unique_and_every_click_means_something() {
    for (name, snapshot) in cases() {
        let menu = menu(&snapshot);
        let mut ids = Vec::new();
        collect(&menu, &mut ids);
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "{name}: {ids:?}");
        clickable(&menu, &mut |entry| {
            assert!(Action::of(&entry.id).is_some(), "{name}: {} ({})", entry.label, entry.id);
        });
    }
}

#[test]
fn nothing_changes_before_it_is_said_to() {
    for (name, snapshot) in cases() {
        let Some(next) = state::next_change(&snapshot, at(NOW), &zone()) else { continue };
        let just_before = next - jiff::SignedDuration::from_millis(1);
        let looks = |now| (view(&snapshot, now, &zone()), state::tooltip(&snapshot, now, &zone()));
        assert_eq!(looks(at(NOW)), looks(just_before), "{name}");
    }
}

#[test]
fn a_new_day_changes_how_moments_are_named() {
    let snapshot = serving(running(vec![work()]));
    let late = at("2026-11-22T22:00:00Z");
    assert_eq!(state::next_change(&snapshot, late, &zone()), Some(at("2026-11-22T23:00:00Z")), "midnight in Berlin");
}

#[test]
fn the_bars_are_those_of_the_account_that_pays() {
    let bars = |account: AccountStatus| state::picture(&serving(Running { bars: true, ..running(vec![account]) })).bars;
    assert_eq!(bars(work()), Some([Some(62), Some(31)]));
    let week = vec![window(10_080, 31.0, "2026-11-23T08:00:00Z")];
    assert_eq!(
        bars(AccountStatus { quota: quota(week), ..work() }),
        Some([None, Some(31)]),
        "a plan without the short one"
    );
    assert_eq!(bars(AccountStatus { quota: None, ..work() }), None, "nobody has seen any");
    let of_a_model = QuotaWindow { family: "spark".to_owned(), ..window(300, 99.0, "2026-11-20T13:20:00Z") };
    let picture = state::picture(&serving(running(vec![AccountStatus { quota: quota(vec![of_a_model]), ..work() }])));
    assert_eq!((picture.shape, picture.bars), (Shape::Idle, None), "a limit of one model alone");
}

fn collect(entries: &[Entry], ids: &mut Vec<String>) {
    for entry in entries {
        ids.push(entry.id.clone());
        if let Body::Submenu(entries) = &entry.body {
            collect(entries, ids);
        }
    }
}

fn clickable(entries: &[Entry], told: &mut impl FnMut(&Entry)) {
    for entry in entries {
        match &entry.body {
            Body::Submenu(entries) => clickable(entries, told),
            Body::Plain | Body::Check(_) if entry.enabled => told(entry),
            _ => {}
        }
    }
}

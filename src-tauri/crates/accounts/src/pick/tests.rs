//! Pure tests. No IO, no async.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Ask, Picked, View, pick};
use crate::{AccountId, Cooldown, Kind, NoAccount, Rest, Rotation};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const ZONE: &TimeZone = &TimeZone::UTC;
const ROTATING: [Rotation; 4] = [Rotation::Sticky, Rotation::RoundRobin, Rotation::LeastInFlight, Rotation::FillFirst];

fn id(number: usize) -> AccountId {
    AccountId::derive(Kind::Codex, None, Some(&number.to_string()))
}

fn view<'a>(id: &'a AccountId, name: &'a str) -> View<'a> {
    View { id, name, sign_in: None, paused: false, rest: None, priority: 0, in_flight: 0, turn: 0, used: 0 }
}

fn ask(rotation: Rotation, active: &AccountId) -> Ask<'_> {
    Ask { rotation, active: Some(active), kept: None, excluded: &[], now: NOW, zone: ZONE }
}

fn rest(minutes: i64, why: Cooldown) -> Option<Rest> {
    Some(Rest { since: NOW, until: Some(NOW + SignedDuration::from_mins(minutes)), why })
}

#[test]
fn the_reason_comes_with_the_account() {
    let (work, home) = (id(1), id(2));
    let views = [view(&home, "home"), view(&work, "work")];
    let picked = pick(&views, &ask(Rotation::Personal, &work)).expect("it is ready");
    assert_eq!((picked.id, picked.why.as_str()), (work.clone(), "work: active"));

    let views = [View { rest: rest(65, Cooldown::UsageLimit), ..view(&home, "home") }, view(&work, "work")];
    let picked = pick(&views, &ask(Rotation::Sticky, &work)).expect("it is ready");
    assert_eq!(picked.why, "work: active; home: cooling down until 01:05 UTC (usage limit reached)");
    let picked = pick(&views, &ask(Rotation::Sticky, &home)).expect("the other is ready");
    assert_eq!(picked.why, "work: next in line; home: cooling down until 01:05 UTC (usage limit reached)");
}

#[test]
fn the_reason_speaks_of_the_time_where_the_person_lives() {
    let (work, home) = (id(1), id(2));
    let zone = TimeZone::fixed(jiff::tz::offset(2));
    let views = [View { rest: rest(65, Cooldown::UsageLimit), ..view(&home, "home") }, view(&work, "work")];
    let why = |views: &[View<'_>]| {
        pick(views, &Ask { zone: &zone, ..ask(Rotation::Sticky, &work) }).expect("it is ready").why
    };
    assert!(why(&views).contains("until 03:05 ("), "{}", why(&views));
    let views = [View { rest: rest(3000, Cooldown::UsageLimit), ..view(&home, "home") }, view(&work, "work")];
    assert!(why(&views).contains("until Sat 03 Jan, 04:00 ("), "{}", why(&views));
}

#[test]
fn every_refusal_of_one_account_says_why() {
    let work = id(1);
    let refused = |view: View<'_>, ask: Ask<'_>| pick(&[view], &ask).expect_err("refused").to_string();
    let personal = ask(Rotation::Personal, &work);
    assert_eq!(pick(&[], &personal), Err(NoAccount::None));
    let of_work = view(&work, "work");
    assert!(refused(of_work, Ask { active: None, ..personal }).contains("codeferry accounts switch"));
    assert_eq!(refused(View { sign_in: Some("revoked"), ..of_work }, personal), "sign-in needed: work: revoked");
    assert_eq!(
        refused(View { rest: rest(60, Cooldown::UsageLimit), ..of_work }, personal),
        "cooling down until 1970-01-01T01:00:00Z: work: usage limit reached"
    );
    let paused = refused(View { paused: true, ..of_work }, personal);
    assert!(paused.contains("work: paused") && paused.contains("codeferry accounts resume"), "{paused}");
    let dead = Rest { since: NOW, until: None, why: Cooldown::WorkspaceDeactivated };
    let barred = refused(View { rest: Some(dead), ..of_work }, personal);
    assert!(barred.contains("the workspace was deactivated") && barred.contains("accounts wake"), "{barred}");
    assert!(refused(of_work, Ask { excluded: std::slice::from_ref(&work), ..personal }).contains("tried"));
}

#[test]
fn when_nobody_can_serve_each_account_is_named_with_the_earliest_reset() {
    let ids = [id(1), id(2), id(3), id(4)];
    let views = [
        View { rest: rest(90, Cooldown::UsageLimit), ..view(&ids[0], "work") },
        View { rest: rest(30, Cooldown::RateLimit), ..view(&ids[1], "home") },
        View { sign_in: Some("revoked"), ..view(&ids[2], "old") },
        View { paused: true, ..view(&ids[3], "spare") },
    ];
    for rotation in ROTATING {
        let refused = pick(&views, &ask(rotation, &ids[0])).expect_err("nobody");
        assert!(
            matches!(&refused, NoAccount::CoolingDown { earliest, accounts }
                if *earliest == NOW + SignedDuration::from_mins(30) && accounts.len() == 4),
            "{refused:?}"
        );
        let text = refused.to_string();
        for part in [
            "work: cooling down until 01:30 UTC (usage limit reached)",
            "home: cooling",
            "old: revoked",
            "spare: paused",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
    let tried = [ids[0].clone()];
    let asked = Ask { excluded: &tried, ..ask(Rotation::Sticky, &ids[0]) };
    let views = [view(&ids[0], "work"), views[2], views[3]];
    assert!(matches!(pick(&views, &asked), Err(NoAccount::Excluded { accounts }) if accounts.len() == 3));
    assert!(matches!(pick(&views[1..], &asked), Err(NoAccount::NeedsSignIn { accounts }) if accounts.len() == 2));
    assert!(matches!(pick(&views[2..], &asked), Err(NoAccount::Unusable { .. })));
}

#[test]
fn a_cooldown_ends_at_its_end() {
    let work = id(1);
    let views = [View { rest: rest(0, Cooldown::RateLimit), ..view(&work, "work") }];
    pick(&views, &ask(Rotation::Personal, &work)).expect("over");
}

#[test]
fn every_rotation_begins_at_the_active_account() {
    let ids: Vec<_> = (0..4).map(id).collect();
    let views: Vec<_> = ids.iter().map(|id| view(id, "x")).collect();
    for rotation in Rotation::ALL {
        for active in &ids {
            assert_eq!(pick(&views, &ask(rotation, active)).expect("all are ready").id, *active, "{rotation}");
        }
    }
}

#[test]
fn sticky_goes_on_around_the_list_and_comes_back() {
    let ids: Vec<_> = (0..3).map(id).collect();
    let mut views: Vec<_> = ids.iter().map(|id| view(id, "x")).collect();
    let picked = |views: &[View<'_>]| pick(views, &ask(Rotation::Sticky, &ids[1])).expect("one is ready").id;
    assert_eq!(picked(&views), ids[1]);
    views[1].rest = rest(1, Cooldown::UsageLimit);
    assert_eq!(picked(&views), ids[2], "the one after it");
    views[0].priority = 1;
    assert_eq!(picked(&views), ids[0], "unless another is preferred");
    views[1].rest = None;
    assert_eq!(picked(&views), ids[1], "the active one goes before all once it can");
}

#[test]
fn fill_first_goes_by_priority_and_so_do_the_turns() {
    let ids: Vec<_> = (0..3).map(id).collect();
    let mut views: Vec<_> = ids.iter().map(|id| view(id, "x")).collect();
    views[2].priority = 5;
    for rotation in [Rotation::FillFirst, Rotation::RoundRobin, Rotation::LeastInFlight] {
        let picked = |views: &[View<'_>]| pick(views, &ask(rotation, &ids[1])).expect("one is ready").id;
        let mut views = views.clone();
        (views[2].in_flight, views[2].turn, views[2].used) = (9, 9, 9);
        assert_eq!(picked(&views), ids[2], "{rotation}: the highest priority, busy or not");
        views[2].paused = true;
        assert_eq!(picked(&views), ids[1], "{rotation}: then the active one of the next");
    }
}

#[test]
fn the_fewest_in_flight_then_the_longest_idle() {
    let ids: Vec<_> = (0..3).map(id).collect();
    let mut views: Vec<_> = ids.iter().map(|id| view(id, "x")).collect();
    let picked = |views: &[View<'_>]| pick(views, &ask(Rotation::LeastInFlight, &ids[0])).expect("ready");
    (views[0].in_flight, views[1].in_flight, views[2].in_flight) = (2, 1, 1);
    (views[1].used, views[2].used) = (8, 7);
    let found = picked(&views);
    assert_eq!((found.id, found.why.as_str()), (ids[2].clone(), "x: fewest requests under way (1)"));
    views[1].used = 0;
    assert_eq!(picked(&views).id, ids[1], "never used");
}

#[test]
fn a_conversation_stays_until_its_account_is_blocked_and_then_says_where_it_came_from() {
    let (work, home) = (id(1), id(2));
    let mut views = [view(&work, "work"), view(&home, "home")];
    for rotation in ROTATING {
        let asked = Ask { kept: Some(&home), ..ask(rotation, &work) };
        let picked = pick(&views, &asked).expect("ready");
        assert_eq!((picked.id, picked.moved_from, picked.turn), (home.clone(), None, false));
        assert_eq!(picked.why, "home: this conversation is with it");
    }
    views[1].rest = rest(5, Cooldown::UsageLimit);
    for rotation in ROTATING {
        let picked = pick(&views, &Ask { kept: Some(&home), ..ask(rotation, &work) }).expect("ready");
        assert_eq!((&picked.id, picked.moved_from.as_ref()), (&work, Some(&home)));
        assert!(picked.why.contains("; moved from home: cooling down until 00:05 UTC"), "{}", picked.why);
    }
    let gone = pick(&views[..1], &Ask { kept: Some(&home), ..ask(Rotation::Sticky, &work) }).expect("ready");
    assert_eq!(gone.why, "work: active; moved from an account that is gone");
    let switched = pick(&views, &Ask { kept: Some(&home), ..ask(Rotation::Personal, &work) }).expect("ready");
    assert_eq!((switched.id, switched.moved_from), (work, Some(home)), "in personal mode the active one pays");
}

#[test]
fn the_log_learns_no_name_and_no_words_of_others() {
    let (work, home) = (id(1), id(2));
    let views = [
        view(&work, "ada@example.com"),
        View { sign_in: Some("now of eve@example.com"), ..view(&home, "bob@example.com") },
    ];
    let kept = Ask { kept: Some(&work), ..ask(Rotation::Sticky, &work) };
    let moved = Ask { kept: Some(&home), ..kept };
    for asked in [ask(Rotation::Personal, &work), ask(Rotation::RoundRobin, &work), kept, moved] {
        let picked = pick(&views, &asked).expect("ready");
        assert!(
            !picked.why_logged.contains('@') && picked.why_logged.starts_with(work.as_str()),
            "{}",
            picked.why_logged
        );
        assert!(picked.why.starts_with("ada@example.com: "));
    }
    let logged = pick(&views, &moved).expect("ready").why_logged;
    assert_eq!(logged, format!("{work}: active; moved from {home}: needs sign-in"));
}

#[test]
fn many_that_cannot_serve_are_counted() {
    let ids: Vec<_> = (0..9).map(id).collect();
    let views: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(at, id)| View { paused: at > 0, ..view(id, if at == 0 { "work" } else { "x" }) })
        .collect();
    let kept = ids[8].clone();
    let picked = pick(&views, &Ask { kept: Some(&kept), ..ask(Rotation::Sticky, &ids[0]) }).expect("ready");
    let named = "; x: paused".repeat(4);
    assert_eq!(picked.why, format!("work: active{named}; moved from x: paused; 3 more cannot serve"));
}

#[test]
fn a_step_for_a_failed_request_moves_no_turn() {
    let ids: Vec<_> = (0..3).map(id).collect();
    let mut turns = Turns::default();
    let all: Vec<_> = ids.clone();
    assert_eq!(turns.serve(&all, &ids[0], &[]).id, ids[0]);
    let failed = [ids[0].clone()];
    assert_eq!(turns.serve(&all, &ids[0], &failed).id, ids[1], "the next one steps in");
    assert_eq!(turns.serve(&all, &ids[0], &[]).id, ids[1], "and its turn is still to come");
    assert_eq!(turns.serve(&all, &ids[0], &[]).id, ids[2]);
    assert_eq!(turns.serve(&all, &ids[0], &[]).id, ids[0]);
}

/// Round robin over lists that change, remembering what the pool remembers.
#[derive(Default)]
struct Turns {
    count: u64,
    last: HashMap<AccountId, u64>,
}

impl Turns {
    fn serve(&mut self, list: &[AccountId], active: &AccountId, excluded: &[AccountId]) -> Picked {
        let views: Vec<_> =
            list.iter().map(|id| View { turn: self.last.get(id).copied().unwrap_or(0), ..view(id, "x") }).collect();
        let picked = pick(&views, &Ask { excluded, ..ask(Rotation::RoundRobin, active) }).expect("one is ready");
        if picked.turn {
            self.count += 1;
            self.last.insert(picked.id.clone(), self.count);
        }
        picked
    }
}

prop_compose! {
    fn any_account()(
        dead in prop::bool::weighted(0.2), paused in prop::bool::weighted(0.2),
        rest in prop::option::weighted(0.4, prop::option::of(-5i64..5)), priority in -1..2i32, in_flight in 0..3usize,
        turn in 0..4u64, used in 0..4u64,
    ) -> (bool, bool, Option<Option<i64>>, i32, usize, u64, u64) {
        (dead, paused, rest, priority, in_flight, turn, used)
    }
}

fn any_rotation() -> impl Strategy<Value = Rotation> {
    prop::sample::select(Rotation::ALL.to_vec())
}

proptest! {
    #[test]
    fn nobody_blocked_paused_or_tried_is_picked_and_somebody_is_if_anybody_can(
        accounts in prop::collection::vec(any_account(), 0..6), rotation in any_rotation(),
        active in prop::option::of(0..6usize), kept in prop::option::of(0..6usize),
        excluded in prop::collection::vec(0..6usize, 0..3),
    ) {
        let ids: Vec<_> = (0..6).map(id).collect();
        let views: Vec<_> = accounts.iter().zip(&ids).map(|(&(dead, paused, rest, priority, in_flight, turn, used), id)| View {
            sign_in: dead.then_some("dead"),
            paused,
            rest: rest.map(|rest| Rest {
                since: NOW,
                until: rest.map(|rest| NOW + SignedDuration::from_secs(rest)),
                why: Cooldown::RateLimit,
            }),
            priority, in_flight, turn, used,
            ..view(id, "x")
        }).collect();
        let tried: Vec<_> = excluded.iter().map(|&at| ids[at].clone()).collect();
        let can = |at: usize| accounts.get(at).is_some_and(|&(dead, paused, rest, ..)| {
            !dead && !paused && rest.is_none_or(|rest| rest.is_some_and(|rest| rest <= 0)) && !excluded.contains(&at)
        });
        let asked = Ask {
            rotation, active: active.map(|at| &ids[at]), kept: kept.map(|at| &ids[at]), excluded: &tried, now: NOW, zone: ZONE,
        };
        let picked = pick(&views, &asked);
        if let Ok(picked) = &picked {
            let at = ids.iter().position(|id| *id == picked.id).expect("one of them");
            prop_assert!(can(at), "{} was picked", at);
            if let Some(kept) = kept.filter(|&kept| can(kept) && rotation != Rotation::Personal) {
                prop_assert_eq!(at, kept, "the conversation stays");
            }
            prop_assert_eq!(picked.moved_from.as_ref(), asked.kept.filter(|kept| **kept != picked.id));
            let kept_here = kept == Some(at) && rotation != Rotation::Personal;
            let best = (0..6).filter(|&other| can(other)).map(|other| accounts[other].3).max();
            if !kept_here && !matches!(rotation, Rotation::Personal | Rotation::Sticky) {
                prop_assert_eq!(Some(accounts[at].3), best, "nobody of a lower priority");
            }
        }
        let anybody = match rotation {
            Rotation::Personal => active.is_some_and(can),
            _ => (0..6).any(can),
        };
        prop_assert_eq!(picked.is_ok(), anybody);
        // The same question has the same answer.
        prop_assert_eq!(picked, pick(&views, &asked));
    }

    #[test]
    fn a_conversation_never_moves_while_its_account_can_serve(
        rotation in prop::sample::select(ROTATING.to_vec()),
        changes in prop::collection::vec((0..4usize, any::<bool>(), 0..4usize), 1..40),
    ) {
        let ids: Vec<_> = (0..4).map(id).collect();
        let mut paused = [false; 4];
        let mut kept: Option<AccountId> = None;
        for (at, pause, active) in changes {
            paused[at] = pause;
            let views: Vec<_> = ids.iter().zip(paused).map(|(id, paused)| View { paused, ..view(id, "x") }).collect();
            let Ok(picked) = pick(&views, &Ask { kept: kept.as_ref(), ..ask(rotation, &ids[active]) }) else { continue };
            if let Some(kept) = &kept && picked.id != *kept {
                let was = ids.iter().position(|id| id == kept).expect("one of them");
                prop_assert!(paused[was], "it moved from an account that could serve");
            }
            kept = Some(picked.id);
        }
    }

    #[test]
    fn turns_are_fair_however_the_list_changes(
        steps in prop::collection::vec((0u8..32, 0..5usize, prop::option::weighted(0.3, 0..5usize)), 1..80),
    ) {
        // Account 0 and 1 are always there: between two turns of one, the other has exactly one.
        let ids: Vec<_> = (0..5).map(id).collect();
        let mut turns = Turns::default();
        let mut history: Vec<usize> = Vec::new();
        for (present, active, failed) in steps {
            let list: Vec<_> = (0..5).filter(|&at| at < 2 || present & (1 << at) != 0).map(|at| ids[at].clone()).collect();
            if let Some(failed) = failed {
                turns.serve(&list, &ids[active], &[ids[failed].clone()]);
            }
            let picked = turns.serve(&list, &ids[active], &[]);
            history.push(ids.iter().position(|id| *id == picked.id).expect("one of them"));
        }
        for (one, other) in [(0, 1), (1, 0)] {
            let at: Vec<_> = (0..history.len()).filter(|&at| history[at] == one).collect();
            for pair in at.windows(2) {
                let between = history[pair[0]..pair[1]].iter().filter(|&&who| who == other).count();
                prop_assert_eq!(between, 1, "{:?}", history);
            }
        }
        // Nobody who is there waits longer than all others take.
        for window in history.windows(5) {
            prop_assert!(window.contains(&0) && window.contains(&1), "{:?}", history);
        }
    }
}

//! Links and sessions, with time as an argument of the test.

use axum::http::{HeaderMap, HeaderValue};
use tokio::time::advance;

use super::{Duration, LINK_LASTS, MOST_COOKIES, MOST_LINKS, MOST_SESSIONS, SESSION_LASTS, Session, Sessions, cookies};

const SECOND: Duration = Duration::from_secs(1);

fn find(sessions: &Sessions, cookie: &str) -> Option<Session> {
    sessions.find([cookie].into_iter())
}

fn begin(sessions: &Sessions) -> String {
    let code = sessions.link().expect("random numbers");
    sessions.redeem(&code).expect("random numbers").expect("a session")
}

#[tokio::test(start_paused = true)]
async fn a_link_is_good_once_and_for_a_minute() {
    let sessions = Sessions::default();
    let code = sessions.link().expect("random numbers");
    assert_eq!(code.len(), 64);
    assert_eq!(sessions.redeem("").expect("random numbers"), None);
    assert_eq!(sessions.redeem(&code[..63]).expect("random numbers"), None, "a guess does not spend it");
    let cookie = sessions.redeem(&code).expect("random numbers").expect("a session");
    assert_ne!(cookie, code);
    assert_eq!(sessions.redeem(&code).expect("random numbers"), None, "spent");
    assert!(find(&sessions, &cookie).is_some() && find(&sessions, &code).is_none());

    let code = sessions.link().expect("random numbers");
    advance(LINK_LASTS).await;
    assert_eq!(sessions.redeem(&code).expect("random numbers"), None, "too late");
}

#[test]
fn of_many_who_come_at_once_one_gets_in() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _inside = runtime.enter();
    let sessions = Sessions::default();
    let code = sessions.link().expect("random numbers");
    let got_in = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..16).map(|_| scope.spawn(|| sessions.redeem(&code).expect("random numbers"))).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("no panic")).count()
    });
    assert_eq!(got_in, 1);
}

#[tokio::test(start_paused = true)]
async fn few_links_are_outstanding() {
    let sessions = Sessions::default();
    let codes: Vec<_> = (0..=MOST_LINKS).map(|_| sessions.link().expect("random numbers")).collect();
    let good = codes.iter().filter(|code| sessions.redeem(code).expect("random numbers").is_some());
    assert_eq!(good.collect::<Vec<_>>(), codes.iter().skip(1).collect::<Vec<_>>(), "the first gave way");
}

#[tokio::test(start_paused = true)]
async fn a_session_lasts_while_it_is_used() {
    let sessions = Sessions::default();
    let cookie = begin(&sessions);
    for _ in 0..3 {
        advance(SESSION_LASTS - SECOND).await;
        assert!(find(&sessions, &cookie).is_some());
    }
    let session = find(&sessions, &cookie).expect("open");
    advance(SESSION_LASTS - SECOND).await;
    sessions.touch(&session);
    advance(SESSION_LASTS - SECOND).await;
    assert!(find(&sessions, &cookie).is_some(), "whoever looks on uses it, too");
    advance(SESSION_LASTS).await;
    assert!(find(&sessions, &cookie).is_none());
    assert!(session.ended.is_cancelled(), "and what runs for it is told");
}

#[tokio::test(start_paused = true)]
async fn sessions_are_bounded_and_the_idlest_gives_way() {
    let sessions = Sessions::default();
    let (first, second) = (begin(&sessions), begin(&sessions));
    for _ in 2..MOST_SESSIONS {
        advance(SECOND).await;
        begin(&sessions);
    }
    advance(SECOND).await;
    assert!(find(&sessions, &first).is_some(), "used just now");
    begin(&sessions);
    assert!(find(&sessions, &second).is_none() && find(&sessions, &first).is_some());
}

#[tokio::test(start_paused = true)]
async fn an_end_is_an_end() {
    let sessions = Sessions::default();
    let (one, other, code) = (begin(&sessions), begin(&sessions), sessions.link().expect("random numbers"));
    let session = find(&sessions, &one).expect("open");
    sessions.end(&session);
    assert!(session.ended.is_cancelled() && find(&sessions, &one).is_none() && find(&sessions, &other).is_some());
    assert_eq!(sessions.end_all(), 1);
    assert!(find(&sessions, &other).is_none());
    assert_eq!(sessions.redeem(&code).expect("random numbers"), None);
}

/// Any program on this host can set cookies for it: theirs do not shut ours out, and are not read without end.
#[tokio::test(start_paused = true)]
async fn cookies_of_others_do_not_matter() {
    let sessions = Sessions::default();
    let cookie = begin(&sessions);
    let mut headers = HeaderMap::new();
    let line = format!("a=b; codeferry_1=forged;codeferry_12={cookie}; codeferry_1={cookie}; {cookie}");
    headers.append("cookie", HeaderValue::from_static("theme=dark"));
    headers.append("cookie", HeaderValue::from_str(&line).expect("a header"));
    assert_eq!(cookies(&headers, "codeferry_1").collect::<Vec<_>>(), ["forged", cookie.as_str()]);
    assert!(sessions.find(cookies(&headers, "codeferry_1")).is_some());
    assert!(sessions.find(cookies(&headers, "codeferry_2")).is_none());
    let forged = std::iter::repeat_n("forged", MOST_COOKIES).chain([cookie.as_str()]);
    assert!(sessions.find(forged).is_none());
}

#[test]
fn nothing_that_opens_is_shown() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _inside = runtime.enter();
    let sessions = Sessions::default();
    let (cookie, code) = (begin(&sessions), sessions.link().expect("random numbers"));
    let shown = format!("{sessions:?}");
    assert!(!shown.contains(&cookie) && !shown.contains(&code));
}

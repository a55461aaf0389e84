//! The sentences of the sign-in window: what is asked, and how a sign-in ended.

use codeferry_app::SignInStage;

use super::hosts::Refusal;

/// Something to say, or to ask: a title and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) title: &'static str,
    pub(crate) text: String,
}

/// Of the two answers to a question about the browser.
pub(crate) const USE_BROWSER: &str = "Use my browser";
pub(crate) const STAY: &str = "Stay here";
/// Of the two answers to whether to begin.
pub(crate) const CONTINUE: &str = "Continue";
pub(crate) const CANCEL: &str = "Cancel";

/// Where the window does not go. `None`: nobody waits for that.
pub(crate) fn refused(refusal: &Refusal) -> Option<Words> {
    match refusal {
        Refusal::Unknown { host } => Some(Words {
            title: "This page opens in your browser only",
            text: format!(
                "The sign-in wants to go on at {host}. Codeferry's own window opens no other pages than those of ChatGPT, \
                 Microsoft and Apple.\n\nIf {host} is where you sign in, for instance your company's page, go on in your \
                 browser. It starts from the beginning there. If you do not know {host}, stay here."
            ),
        }),
        Refusal::Unwilling { host, provider } => Some(Words {
            title: "This works in your browser only",
            text: format!(
                "{provider} ({host}) does not let people sign in within the windows of other programs.\n\nGo on in your \
                 browser: it starts from the beginning there, and Codeferry notices when you are done."
            ),
        }),
        Refusal::Unsafe { host } => Some(Words {
            title: "This page is not safe",
            text: format!(
                "The sign-in wants to go on at {host}, without encryption or under a name that misleads. It was not opened.\n\n\
                 You can try it in your browser, which starts from the beginning."
            ),
        }),
        Refusal::Nothing => None,
    }
}

/// Before the sign-in of the Codex CLI begins, where no page of ours has said it.
pub(crate) fn unofficial() -> Words {
    Words {
        title: "Sign in the way the Codex CLI does",
        text: "This is the sign-in of OpenAI's Codex CLI. It is unofficial for any other program: OpenAI has not approved its \
               use here, and may end it or object.\n\nThe documented way for programs like this one is “Continue with ChatGPT”."
            .to_owned(),
    }
}

/// How it ended, where that has to be said: not when it worked, and not to whoever gave it up.
pub(crate) fn of_end(stage: &SignInStage) -> Option<Words> {
    match stage {
        SignInStage::Done { notice: Some(notice), .. } => {
            Some(Words { title: "Signed in, with a catch", text: sentence(notice) })
        }
        SignInStage::Failed { message, hint } => Some(Words {
            title: "The sign-in did not work",
            text: format!("{}\n\n{}", sentence(message), sentence(hint)),
        }),
        SignInStage::Expired => Some(Words {
            title: "The sign-in took too long",
            text: "It waited for a quarter of an hour. Nothing has changed; begin again when you are ready.".to_owned(),
        }),
        SignInStage::Done { notice: None, .. }
        | SignInStage::Cancelled
        | SignInStage::Waiting
        | SignInStage::Exchanging => None,
    }
}

/// The gateway went away under it.
pub(crate) fn gone() -> Words {
    Words {
        title: "The sign-in was interrupted",
        text: "The gateway stopped, so nobody waits for this sign-in any more. Start the gateway and begin again."
            .to_owned(),
    }
}

/// It could not begin.
pub(crate) fn not_begun(why: &str) -> Words {
    Words { title: "The sign-in could not begin", text: sentence(why) }
}

/// What came back is no answer. The sign-in waits on.
pub(crate) fn not_read(why: &str) -> Words {
    Words {
        title: "The answer of the sign-in page cannot be read",
        text: format!("{}\n\nTry once more, or use your browser.", sentence(why)),
    }
}

/// Nothing on this computer opens web pages.
pub(crate) fn no_browser(why: &str) -> Words {
    Words { title: "No browser could be opened", text: sentence(why) }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::{of_end, refused, sentence};
    use crate::login_window::hosts::Refusal;
    use codeferry_app::SignInStage;

    #[test]
    fn a_refusal_names_the_host_and_a_part_of_a_page_says_nothing() {
        let host = || "login.acme.example".to_owned();
        for refusal in [
            Refusal::Unknown { host: host() },
            Refusal::Unwilling { host: host(), provider: "Google" },
            Refusal::Unsafe { host: host() },
        ] {
            let words = refused(&refusal).unwrap();
            assert!(words.text.contains("login.acme.example") && words.text.contains("your browser"), "{words:?}");
        }
        assert_eq!(refused(&Refusal::Nothing), None);
    }

    #[test]
    fn an_end_is_told_when_there_is_something_to_do() {
        let failed = SignInStage::Failed { message: "the auth host said no".into(), hint: "sign in again".into() };
        assert_eq!(of_end(&failed).unwrap().text, "The auth host said no.\n\nSign in again.");
        assert!(of_end(&SignInStage::Expired).is_some());
        assert_eq!(of_end(&SignInStage::Cancelled), None);
    }

    #[test]
    fn sentences_begin_and_end_as_they_should() {
        for (text, whole) in [("no", "No."), ("It is so.", "It is so."), ("", "."), ("wait…", "Wait…")] {
            assert_eq!(sentence(text), whole);
        }
    }
}

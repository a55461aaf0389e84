//! Pure tests. No IO, no async.

use std::collections::BTreeSet;

use codeferry_accounts::Kind;

use super::{Extra, Provider};

const KINDS: [Kind; 3] = [Kind::Plan, Kind::Codex, Kind::Demo];

/// `codex-backend.md §2` and §12 name these; a body with one of them is refused as a whole.
#[test]
fn nothing_the_upstreams_refuse_is_allowed() {
    const REFUSED: [&str; 24] = [
        "max_output_tokens",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_logprobs",
        "frequency_penalty",
        "presence_penalty",
        "metadata",
        "user",
        "safety_identifier",
        "previous_response_id",
        "truncation",
        "context_management",
        "prompt_cache_retention",
        "prompt_cache_options",
        "logprobs",
        "stop",
        "n",
        "seed",
        "background",
        "conversation",
        "max_tool_calls",
        "prompt",
    ];
    for kind in KINDS {
        let allowed = Provider::of(kind).allowed;
        for name in REFUSED {
            assert!(!allowed.parameters.contains(&name), "{kind}: {name}");
        }
        // Without these no request is accepted at all.
        for name in ["model", "input", "instructions", "store", "stream", "include", "prompt_cache_key"] {
            assert!(allowed.parameters.contains(&name), "{kind}: {name}");
        }
        for tier in ["auto", "flex", "fast", "scale"] {
            assert!(!allowed.service_tiers.contains(&tier), "{kind}: {tier}");
        }
        let once: BTreeSet<_> = allowed.parameters.iter().collect();
        assert_eq!(once.len(), allowed.parameters.len(), "{kind}: a parameter twice");
        assert_eq!(Provider::of(kind).kind, kind);
    }
}

/// What is paid per token takes more than a plan, and no header of the backend's own client either.
#[test]
fn a_key_takes_what_the_public_api_documents() {
    let key = Provider::of(Kind::OpenaiKey);
    for name in ["max_output_tokens", "temperature", "top_p", "store", "include", "input"] {
        assert!(key.allowed.parameters.contains(&name), "{name}");
    }
    for kind in [Kind::OpenaiKey, Kind::Compatible] {
        let provider = Provider::of(kind);
        assert_eq!((provider.kind, provider.headers, provider.compress), (kind, &[] as &[Extra], false));
    }
}

/// `codex-backend.md §12`: bearer only, and these tools answer `subscription_sharing_unsupported_capability`.
#[test]
fn a_plan_gets_less_than_the_backend() {
    let plan = Provider::of(Kind::Plan);
    assert_eq!(plan.headers, [] as [Extra; 0]);
    assert!(!plan.compress);
    for tool in ["image_generation", "tool_search", "local_shell"] {
        assert!(!plan.allowed.tools.contains(&tool), "{tool}");
        assert!(Provider::of(Kind::Codex).allowed.tools.contains(&tool), "{tool}");
    }
}

//! The paths of the data plane, and those that are open to everybody, as tables like that of the control plane: the router is
//! built from them, and `docs/api.md` and `docs/openapi.json` are compared with them.
//!
//! **Invariant:** there is no other way to a handler below `/v1`, `/v1beta` or `/backend-api`.

use super::{beside, chat, count_tokens, gemini, messages, models, responses, root, socket, usage};
use crate::control::table::{ControlRoute, Table};
use crate::{account_pages, control, health, metrics};

/// A base URL that ends in /v1 makes clients ask for /v1/v1 (`claude-code.md §1`).
const BASES: [&str; 2] = ["/v1", "/v1/v1"];
/// The base address of a Codex that goes by the settings of its own host.
const CODEX: &str = "/backend-api/codex";

/// Below this its clients ask where they are told to go by a key of its cloud: what is set in variables alone brings the Gemini CLI
/// here so.
const VERTEX: &str = "/v1beta1/publishers/google";
/// The version of Google's API that its clients speak.
const GOOGLE: &str = "/v1beta";

/// What clients of models ask, with their key. Whoever adds a row describes it in `docs/api.md`, and gives it one in
/// `xtask/src/openapi/table.rs`.
pub(crate) fn table() -> Table {
    let mut table = Table::at_root();
    for base in BASES.into_iter().chain([CODEX]) {
        table = table
            .post(&format!("{base}/responses"), responses::responses)
            .get(&format!("{base}/responses"), socket::socket)
            .post(&format!("{base}/responses/compact"), beside::compact)
            .post(&format!("{base}/memories/trace_summarize"), beside::trace_summarize)
            .post(&format!("{base}/images/generations"), beside::images_generations)
            .post(&format!("{base}/images/edits"), beside::images_edits)
            .get(&format!("{base}/models"), models::list)
            .get(&format!("{base}/models/{{*id}}"), models::one);
    }
    for base in BASES {
        table = table
            .post(&format!("{base}/messages"), messages::messages)
            .post(&format!("{base}/messages/count_tokens"), count_tokens::count_tokens)
            .post(&format!("{base}/chat/completions"), chat::chat)
            .post(&format!("{base}/completions"), chat::completions)
            .get(&format!("{base}/usage"), usage::sums)
            .get(&format!("{base}/usage/raw"), usage::events)
            .get(&format!("{base}/responses/{{id}}"), responses::kept)
            .post(&format!("{base}/responses/{{id}}"), responses::kept)
            .delete(&format!("{base}/responses/{{id}}"), responses::kept)
            .get(&format!("{base}/responses/{{id}}/{{*rest}}"), responses::kept)
            .post(&format!("{base}/responses/{{id}}/{{*rest}}"), responses::kept);
    }
    // The first is where Google's clients look, the second where those look that are given an address with a version.
    for base in [GOOGLE, "/v1", VERTEX] {
        table = table.post(&format!("{base}/models/{{*id}}"), gemini::call);
    }
    table = table
        .get(&format!("{GOOGLE}/models"), models::for_gemini::list)
        .get(&format!("{GOOGLE}/models/{{*id}}"), models::for_gemini::one);
    // What a Codex asks about its account: with the host's own base address, and with another.
    table
        .get("/backend-api/wham/usage", account_pages::usage)
        .get("/backend-api/codex/usage", account_pages::usage)
        .get("/api/codex/usage", account_pages::usage)
        .get("/backend-api/wham/rate-limit-reset-credits", account_pages::reset_credits)
        .get("/backend-api/wham/accounts/check", account_pages::accounts)
}

/// What is answered to everybody, or decides itself whom it answers.
pub(crate) fn open_table() -> Table {
    Table::at_root()
        .get("/", root::root)
        .get("/login", control::session::login)
        .get("/health", root::health)
        .get("/healthz", health::healthz)
        .get("/livez", health::livez)
        .get("/readyz", health::readyz)
        .get("/metrics", metrics::metrics)
}

/// All paths of the data plane, and the open ones.
pub fn data_routes() -> Vec<ControlRoute> {
    let mut rows = table().into_rows();
    rows.extend(open_table().into_rows());
    rows
}

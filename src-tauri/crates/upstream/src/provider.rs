//! The providers, and how they differ: one table, no code.
//!
//! **Invariant:** whatever is true of one provider only is a field here. Nothing else in this crate asks which provider
//! it is talking to, but the addresses ([`Endpoints`](crate::Endpoints)).

use codeferry_accounts::Kind;
use codeferry_wire::responses::request::MEMBERS;

/// What is particular to one provider.
#[derive(Debug)]
pub struct Provider {
    /// Which accounts use it.
    pub kind: Kind,
    /// The path for answers, below the model host.
    pub(crate) responses: &'static str,
    /// The path of the model catalogue, below the model host.
    pub(crate) models: &'static str,
    /// Headers beyond `authorization`, `user-agent`, `accept` and `content-type`.
    pub(crate) headers: &'static [Extra],
    /// Its own client compresses request bodies (zstd), so we may.
    pub(crate) compress: bool,
    /// Its path for answers can be upgraded to a WebSocket.
    pub(crate) socket: Option<Socket>,
    /// How tokens are renewed. A code is exchanged at the same address.
    pub(crate) renewal: Renewal,
    /// The path to give tokens back, below the auth host.
    pub(crate) revoke: &'static str,
    /// The path of the account's own pages, below the model host. `None`: there are none, so no usage either.
    pub(crate) wham: Option<&'static str>,
    /// It answers what [`Beside`](crate::pages::Beside) asks.
    pub(crate) beside: bool,
    /// What a request body may contain.
    pub allowed: Allowed,
}

/// What is particular to a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Socket {
    /// `openai-beta`
    pub(crate) beta: Option<&'static str>,
}

/// A header some providers get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    /// `chatgpt-account-id`: the workspace that pays.
    Account,
    /// `originator: codeferry`: who we are.
    Originator,
    /// `version`: ours.
    Version,
    /// `session-id`. Cache affinity follows it (`codex-backend.md §2`, prompt_cache_key).
    Session,
    /// `thread-id`.
    Thread,
    /// `x-client-request-id`: the thread, as the backend's own client has it.
    ClientRequest,
    /// `x-codex-turn-state`: sticky routing, given back within a turn.
    TurnState,
    /// `x-codex-routing-hint: model=…`.
    RoutingHint,
    /// `x-openai-internal-codex-responses-lite`, when the body has that shape.
    Lite,
    /// What a Codex says of its turn, in headers that only its own backend knows ([`Carried`](crate::Carried)).
    Carried,
}

impl Extra {
    /// The header of [`Extra::Lite`].
    pub(crate) const LITE: &'static str = "x-openai-internal-codex-responses-lite";
}

/// How a provider's auth host renews tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Renewal {
    /// Below the auth host.
    pub(crate) path: &'static str,
    pub(crate) shape: RenewalShape,
}

/// The two spellings of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RenewalShape {
    /// JSON with a reason; the client is public and known (`codex-backend.md §1`).
    Json {
        /// Used where a credential names none.
        client_id: &'static str,
    },
    /// A form for one resource; every installation has its own client (`codex-backend.md §12`).
    Form {
        /// What the token is for: a name, so no endpoint override changes it.
        resource: &'static str,
    },
}

/// What a request body may contain. The upstreams refuse what they do not know, so this is a list of what goes, never
/// of what does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Top-level keys of the body.
    pub parameters: &'static [&'static str],
    /// Values of `service_tier`; any other is left out.
    pub service_tiers: &'static [&'static str],
    /// Values of `include`.
    pub include: &'static [&'static str],
    /// Values of `tools[].type`.
    pub tools: &'static [&'static str],
    /// Longest `prompt_cache_key`, in characters.
    pub cache_key_chars: usize,
    /// Longest `call_id` and item id, in characters.
    pub id_chars: usize,
}

/// `codex-backend.md §2`: the keys its own client sends, in their order, plus `instructions`, which it may omit and we
/// never do.
const CODEX_ALLOWED: Allowed = Allowed {
    parameters: &MEMBERS,
    service_tiers: &["default", "priority", "ultrafast"],
    include: &["reasoning.encrypted_content", "web_search_call.action.sources"],
    tools: &["function", "custom", "web_search", "image_generation", "namespace", "tool_search", "local_shell"],
    cache_key_chars: 64,
    id_chars: 64,
};

/// `codex-backend.md §12`, "Inference". `service_tier` is ignored there, so it stays home; `client_metadata` is not
/// named among what is accepted.
const PLAN_ALLOWED: Allowed = Allowed {
    parameters: &[
        "model",
        "stream",
        "instructions",
        "input",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "store",
        "include",
        "prompt_cache_key",
        "text",
    ],
    service_tiers: &[],
    include: &["reasoning.encrypted_content", "web_search_call.action.sources"],
    tools: &["function", "custom", "web_search", "namespace"],
    cache_key_chars: 64,
    id_chars: 64,
};

/// `codex-backend.md §6`.
const CODEX_SOCKET: Socket = Socket { beta: Some("responses_websockets=2026-02-06") };
/// `codex-backend.md §12`, "WebSocket": bearer only.
const PLAN_SOCKET: Socket = Socket { beta: None };

const CODEX_HEADERS: &[Extra] = &[
    Extra::Account,
    Extra::Originator,
    Extra::Version,
    Extra::Session,
    Extra::Thread,
    Extra::ClientRequest,
    Extra::TurnState,
    Extra::RoutingHint,
    Extra::Lite,
    Extra::Carried,
];

/// The client of the Codex CLI: public, without a secret, the same for everybody (`codex-backend.md §1`).
pub(crate) const CODEX_CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// Refresh of the Codex sign-in, `codex-backend.md §1`.
const CODEX_RENEWAL: Renewal = Renewal { path: "oauth/token", shape: RenewalShape::Json { client_id: CODEX_CLIENT } };

/// The public API with a ChatGPT plan, `codex-backend.md §12`. Bearer only.
static PLAN: Provider = Provider {
    kind: Kind::Plan,
    responses: "responses",
    models: "models",
    headers: &[],
    compress: false,
    socket: Some(PLAN_SOCKET),
    renewal: Renewal {
        path: "api/accounts/oauth/token",
        shape: RenewalShape::Form { resource: "https://api.openai.com/v1" },
    },
    revoke: "api/accounts/oauth/revoke",
    wham: None,
    beside: false,
    allowed: PLAN_ALLOWED,
};

/// The backend of the Codex CLI, `codex-backend.md §2`.
static CODEX: Provider = Provider {
    kind: Kind::Codex,
    responses: "codex/responses",
    models: "codex/models",
    headers: CODEX_HEADERS,
    compress: true,
    socket: Some(CODEX_SOCKET),
    renewal: CODEX_RENEWAL,
    revoke: "oauth/revoke",
    wham: Some("wham"),
    beside: true,
    allowed: CODEX_ALLOWED,
};

/// The simulated upstream: the codex wire, on this machine.
static DEMO: Provider = Provider {
    kind: Kind::Demo,
    responses: "backend-api/codex/responses",
    models: "backend-api/codex/models",
    headers: CODEX_HEADERS,
    compress: true,
    socket: Some(CODEX_SOCKET),
    renewal: CODEX_RENEWAL,
    revoke: "oauth/revoke",
    wham: Some("backend-api/wham"),
    beside: true,
    allowed: CODEX_ALLOWED,
};

/// `platform.openai.com/docs/api-reference/responses/create`, as far as what is lowered can hold it. What a model of that
/// API does not take it refuses by name, and the request goes again without.
const OPENAI_KEY_ALLOWED: Allowed = Allowed {
    parameters: &[
        "model",
        "stream",
        "service_tier",
        "instructions",
        "input",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "store",
        "include",
        "prompt_cache_key",
        "text",
        "max_output_tokens",
        "temperature",
        "top_p",
        "truncation",
        "metadata",
        "safety_identifier",
    ],
    service_tiers: &["auto", "default", "flex", "priority"],
    include: &["reasoning.encrypted_content", "web_search_call.action.sources"],
    tools: &["function", "custom", "web_search", "image_generation"],
    cache_key_chars: 64,
    id_chars: 64,
};

/// A key runs out for nobody here: there is no auth host to ask ([`Endpoints`](crate::Endpoints)).
const NO_RENEWAL: Renewal = Renewal { path: "", shape: RenewalShape::Json { client_id: "" } };

/// The public API with a key of one's own, paid per token. Bearer only.
static OPENAI_KEY: Provider = Provider {
    kind: Kind::OpenaiKey,
    responses: "responses",
    models: "models",
    headers: &[],
    compress: false,
    socket: None,
    renewal: NO_RENEWAL,
    revoke: "",
    wham: None,
    beside: true,
    allowed: OPENAI_KEY_ALLOWED,
};

/// A server that speaks Chat Completions: what is lowered for it is translated once more.
static COMPATIBLE: Provider = Provider {
    kind: Kind::Compatible,
    responses: "chat/completions",
    models: "models",
    headers: &[],
    compress: false,
    socket: None,
    renewal: NO_RENEWAL,
    revoke: "",
    wham: None,
    beside: false,
    allowed: PLAN_ALLOWED,
};

/// A program beside us; nothing of it goes over this crate's wire.
static CODEX_CLI: Provider = Provider {
    kind: Kind::CodexCli,
    responses: "",
    models: "",
    headers: &[],
    compress: false,
    socket: None,
    renewal: NO_RENEWAL,
    revoke: "",
    wham: None,
    beside: false,
    allowed: PLAN_ALLOWED,
};

impl Provider {
    /// Whether it answers what [`Beside`](crate::pages::Beside) asks.
    pub fn has_beside(&self) -> bool {
        self.beside
    }

    /// The provider that accounts of this kind use.
    pub fn of(kind: Kind) -> &'static Self {
        match kind {
            Kind::Plan => &PLAN,
            Kind::Codex => &CODEX,
            Kind::Demo => &DEMO,
            Kind::Compatible => &COMPATIBLE,
            Kind::OpenaiKey => &OPENAI_KEY,
            Kind::CodexCli => &CODEX_CLI,
        }
    }
}

#[cfg(test)]
mod tests;

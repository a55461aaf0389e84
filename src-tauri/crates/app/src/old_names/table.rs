//! The two tables.

use super::System::{self, Codaze, CodexProxy, CompletionsApi};
use super::{OldName, Ours};

const fn instead(name: &'static str, of: &'static [System], ours: &'static str) -> OldName {
    OldName { name, of, ours: Ours::Use(ours), shared: false }
}

const fn gone(name: &'static str, of: &'static [System], why: &'static str) -> OldName {
    OldName { name, of, ours: Ours::Nothing(why), shared: false }
}

impl OldName {
    const fn shared(self) -> Self {
        Self { shared: true, ..self }
    }
}

const NO_CHILD: &str = "no Codex process is started for requests, so there is nothing to set up for one";
const AS_IT_IS: &str = "answers are carried as they are; nothing is cut, merged or rewritten for one client";
const NO_WORKER: &str = "there is no worker process to supervise";
const A_MINUTE: &str = "codeferry settings set requests_per_minute_per_key N";
const CAPTURE: &str = "codeferry capture on";
const METRICS: &str = "/metrics is served to this machine, and to others with the control token";
const IDLE: &str = "codeferry settings set idle_timeout_seconds N";
const ONE_MODEL: &str = "no request is answered by another model than the one it asked for";
const NO_LOGIN_URL: &str = "no address to sign in at is put into errors; sign in with codeferry accounts add";
const ORIGINS: &str = "codeferry settings set allowed_origins ORIGIN,…";
const WHO_WE_ARE: &str = "Codeferry says who it is; it neither takes on the name of another client nor passes one on";

/// Variables.
pub const VARIABLES: &[OldName] = &[
    instead("PORT", &[CodexProxy, CompletionsApi], "codeferry serve --port N, or codeferry settings set port N")
        .shared(),
    instead("HOST", &[CodexProxy], "codeferry serve --host ADDRESS").shared(),
    gone(
        "OAUTH_CALLBACK_HOST",
        &[CodexProxy],
        "the browser comes back to loopback, always; on another machine, paste the address it ended at",
    ),
    gone(
        "OAUTH_CALLBACK_PORT",
        &[CodexProxy],
        "the auth host knows two ports for this login, 1455 and 1457; it had no effect before either",
    ),
    instead("CODEX_CLAUDE_PROXY_ENABLE_KILO", &[CodexProxy], "codeferry accounts add --kind compatible --preset kilo"),
    instead(
        "CODEX_CLAUDE_PROXY_ENABLE_MULTI_ACCOUNT_ROTATION",
        &[CodexProxy],
        "codeferry settings set rotation sticky (or round_robin)",
    ),
    instead(
        "CODEX_CLAUDE_PROXY_ADMIN_TOKEN",
        &[CodexProxy],
        "codeferry token; the header X-Codex-Proxy-Admin-Token takes this token",
    ),
    gone(
        "CODEX_CLAUDE_PROXY_ALLOW_EXTERNAL_ENDPOINTS",
        &[CodexProxy],
        "no other address than one of this machine is written into the settings of Claude Code",
    ),
    OldName {
        name: "CLAUDE_CONFIG_PATH",
        of: &[CodexProxy],
        ours: Ours::Better("CLAUDE_CONFIG_DIR, which is the name Claude Code itself has for its folder"),
        shared: false,
    },
    instead(
        "CODEX_CLAUDE_PROXY_CONFIG_DIR",
        &[CodexProxy],
        "CODEFERRY_HOME for the folder here; codeferry migrate --from codex-proxy --path DIR for what lies there",
    ),
    gone(
        "CODEX_CLAUDE_PROXY_METRICS_DB",
        &[CodexProxy],
        "the request log lies in the data folder; CODEFERRY_HOME moves them together",
    ),
    instead("CODEX_CLAUDE_PROXY_METRICS_MAX_BYTES", &[CodexProxy], "codeferry settings set request_log_mib N"),
    gone("SPI_ACCOUNT_SECRET", &[CodexProxy], "there is no provider that is a command"),
    instead(
        "PROXY_API_KEY",
        &[CompletionsApi],
        "codeferry keys create NAME, or codeferry migrate --from completions-api --adopt-key NAME",
    ),
    instead("CODEX_MODEL", &[CompletionsApi], "codeferry settings set route.default MODEL"),
    gone("PROXY_STREAM_MODE", &[CompletionsApi], "answers are streamed as they come; it had no effect before either"),
    gone("CODEX_BIN", &[CompletionsApi], NO_CHILD).shared(),
    gone(
        "CODEX_HOME",
        &[CompletionsApi],
        "it is read for one thing only: where the Codex CLI keeps its sign-in, when that is to be imported",
    )
    .shared(),
    gone("PROXY_SANDBOX_MODE", &[CompletionsApi], NO_CHILD),
    gone("PROXY_CODEX_WORKDIR", &[CompletionsApi], NO_CHILD),
    gone("CODEX_FORCE_PROVIDER", &[CompletionsApi], "the account says where requests go: codeferry accounts switch"),
    instead("PROXY_ENABLE_CORS", &[CompletionsApi], ORIGINS),
    gone("PROXY_PROTECT_MODELS", &[CompletionsApi], "the list of models needs a client key, always"),
    instead("PROXY_TIMEOUT_MS", &[CompletionsApi], "codeferry settings set overall_deadline_seconds N"),
    instead("PROXY_IDLE_TIMEOUT_MS", &[CompletionsApi], IDLE),
    instead("PROXY_STREAM_IDLE_TIMEOUT_MS", &[CompletionsApi], IDLE),
    instead("PROXY_PROTO_IDLE_MS", &[CompletionsApi], IDLE),
    gone("PROXY_KILL_ON_DISCONNECT", &[CompletionsApi], "a client that leaves cancels its request upstream, always"),
    gone("SSE_KEEPALIVE_MS", &[CompletionsApi], "keep-alives come as often as clients need them"),
    gone("PROXY_SSE_KEEPALIVE_MS", &[CompletionsApi], "keep-alives come as often as clients need them"),
    gone("TOKEN_LOG_PATH", &[CompletionsApi], "the request log lies in the data folder, with real figures in it"),
    instead("RATE_LIMIT_AVG", &[CompletionsApi], A_MINUTE),
    gone("RATE_LIMIT_BURST", &[CompletionsApi], "the requests of a minute may come all at once"),
    instead("PROXY_DEBUG_PROTO", &[CompletionsApi], "CODEFERRY_LOG=debug"),
    instead("PROXY_HOST", &[CompletionsApi], "codeferry serve --host ADDRESS"),
    gone(
        "PROXY_TRUST_PROXY",
        &[CompletionsApi],
        "who a proxy in front of us speaks for is not looked at: the client key says who asks",
    ),
    gone("PROXY_ENV", &[CompletionsApi], "there is one way to run: loopback, keys and checks are always on"),
    gone("PROXY_USE_APP_SERVER", &[CompletionsApi], NO_CHILD),
    gone("PROXY_ENABLE_RESPONSES", &[CompletionsApi], "each dialect is always served"),
    gone("PROXY_DEFAULT_STREAM", &[CompletionsApi], "a request is streamed when it asks for it, as the dialects say"),
    gone("PROXY_ENABLE_PARALLEL_TOOL_CALLS", &[CompletionsApi], "the request says so itself"),
    gone("PROXY_STOP_AFTER_TOOLS", &[CompletionsApi], AS_IT_IS),
    gone("PROXY_STOP_AFTER_TOOLS_MODE", &[CompletionsApi], AS_IT_IS),
    gone("PROXY_STOP_AFTER_TOOLS_GRACE_MS", &[CompletionsApi], AS_IT_IS),
    gone("PROXY_SUPPRESS_TAIL_AFTER_TOOLS", &[CompletionsApi], AS_IT_IS),
    gone("PROXY_TOOL_BLOCK_MAX", &[CompletionsApi], AS_IT_IS),
    gone("PROXY_TOOL_BLOCK_DEDUP", &[CompletionsApi], AS_IT_IS),
    gone("PROXY_TOOL_BLOCK_DELIMITER", &[CompletionsApi], AS_IT_IS),
    gone("PROXY_OUTPUT_MODE", &[CompletionsApi], AS_IT_IS),
    gone("PROXY_RESPONSES_OUTPUT_MODE", &[CompletionsApi], AS_IT_IS),
    gone("PROXY_COPILOT_AUTO_DETECT", &[CompletionsApi], AS_IT_IS),
    gone("PROXY_RESPONSES_DEFAULT_MAX_TOKENS", &[CompletionsApi], "the request says so itself"),
    gone("PROXY_DISABLE_SHELL_TOOL", &[CompletionsApi], NO_CHILD),
    gone("PROXY_DISABLE_UNIFIED_EXEC", &[CompletionsApi], NO_CHILD),
    gone("PROXY_APPROVAL_POLICY", &[CompletionsApi], NO_CHILD),
    gone("CODEX_APPROVAL_POLICY", &[CompletionsApi], NO_CHILD),
    gone("PROXY_AUTH_LOGIN_URL", &[CompletionsApi], NO_LOGIN_URL),
    gone("PROXY_AUTH_LOGIN_URL_MODE", &[CompletionsApi], NO_LOGIN_URL),
    gone(
        "PROXY_IGNORE_CLIENT_SYSTEM_PROMPT",
        &[CompletionsApi],
        "what the client says to the model reaches it, always",
    ),
    gone("PROXY_TITLE_GEN_INTERCEPT", &[CompletionsApi], ONE_MODEL),
    gone("PROXY_TITLE_SUMMARY_EXEC_MODEL", &[CompletionsApi], ONE_MODEL),
    gone("PROXY_TITLE_SUMMARY_EXEC_REASONING_EFFORT", &[CompletionsApi], ONE_MODEL),
    instead("PROXY_CORS_ALLOWED_ORIGINS", &[CompletionsApi], ORIGINS),
    instead("PROXY_LOG_CORS_ORIGIN", &[CompletionsApi], "CODEFERRY_LOG=debug"),
    gone("PROXY_ENABLE_METRICS", &[CompletionsApi], METRICS),
    gone("PROXY_METRICS_ALLOW_UNAUTH", &[CompletionsApi], METRICS),
    gone("PROXY_METRICS_ALLOW_LOOPBACK", &[CompletionsApi], METRICS),
    gone("PROXY_METRICS_TOKEN", &[CompletionsApi], METRICS),
    instead("PROXY_ENABLE_OTEL", &[CompletionsApi], "OTEL_EXPORTER_OTLP_ENDPOINT"),
    instead("PROXY_OTEL_EXPORTER_URL", &[CompletionsApi], "OTEL_EXPORTER_OTLP_ENDPOINT"),
    instead("PROXY_MAINTENANCE_MODE", &[CompletionsApi], "codeferry accounts pause WHO"),
    gone("PROXY_SANITIZE_METADATA", &[CompletionsApi], AS_IT_IS),
    instead("PROXY_CAPTURE_CHAT_TRANSCRIPTS", &[CompletionsApi], CAPTURE),
    instead("PROXY_CAPTURE_CHAT_RAW_TRANSCRIPTS", &[CompletionsApi], CAPTURE),
    instead("PROXY_CAPTURE_RESPONSES_TRANSCRIPTS", &[CompletionsApi], CAPTURE),
    instead("PROXY_CAPTURE_RESPONSES_RAW_TRANSCRIPTS", &[CompletionsApi], CAPTURE),
    instead("PROXY_CAPTURE_CHAT_DIR", &[CompletionsApi], CAPTURE),
    instead("PROXY_CAPTURE_CHAT_RAW_DIR", &[CompletionsApi], CAPTURE),
    instead("PROXY_CAPTURE_RESPONSES_DIR", &[CompletionsApi], CAPTURE),
    instead("PROXY_CAPTURE_RESPONSES_RAW_DIR", &[CompletionsApi], CAPTURE),
    gone("PROXY_INGRESS_GUARDRAIL", &[CompletionsApi], "nothing is added to what a client says"),
    gone("WORKER_BACKOFF_INITIAL_MS", &[CompletionsApi], NO_WORKER),
    gone("WORKER_BACKOFF_MAX_MS", &[CompletionsApi], NO_WORKER),
    gone("WORKER_RESTART_MAX", &[CompletionsApi], NO_WORKER),
    gone("WORKER_STARTUP_TIMEOUT_MS", &[CompletionsApi], NO_WORKER),
    gone("WORKER_SHUTDOWN_GRACE_MS", &[CompletionsApi], NO_WORKER),
    gone("WORKER_MAX_CONCURRENCY", &[CompletionsApi], NO_WORKER),
    gone("WORKER_REQUEST_TIMEOUT_MS", &[CompletionsApi], NO_WORKER),
    gone("WORKER_HANDSHAKE_TIMEOUT_MS", &[CompletionsApi], NO_WORKER),
    instead("PROXY_RATE_LIMIT_ENABLED", &[CompletionsApi], A_MINUTE),
    gone("PROXY_RATE_LIMIT_WINDOW_MS", &[CompletionsApi], "requests are counted by the minute"),
    instead("PROXY_RATE_LIMIT_MAX", &[CompletionsApi], A_MINUTE),
    instead("PROXY_SSE_MAX_CONCURRENCY", &[CompletionsApi], "codeferry settings set streams_per_key N"),
    gone("PROXY_TEST_ENDPOINTS", &[CompletionsApi], "there are no paths for tests in what is shipped"),
    gone("PROXY_TEST_ALLOW_REMOTE", &[CompletionsApi], "there are no paths for tests in what is shipped"),
    gone("PROXY_USAGE_ALLOW_UNAUTH", &[CompletionsApi], "usage needs a client key, always"),
    gone("PROXY_NONSTREAM_TRUNCATE_AFTER_MS", &[CompletionsApi], "an answer is whole, or an error"),
    gone(
        "PROXY_MAX_PROMPT_TOKENS",
        &[CompletionsApi],
        "the model says how much it takes, and the client is told so in its own dialect",
    ),
    gone("PROXY_MAX_CHAT_CHOICES", &[CompletionsApi], "there is one answer to a request"),
    instead("PROTO_LOG_PATH", &[CompletionsApi], CAPTURE),
    gone("SANITIZER_LOG_PATH", &[CompletionsApi], AS_IT_IS),
    instead("PROXY_LOG_PROTO", &[CompletionsApi], CAPTURE),
    gone("PROXY_TRACE_REQUIRED", &[CompletionsApi], "each answer has its request-id, always"),
    instead("PROXY_DEBUG_WIRE", &[CompletionsApi], CAPTURE),
    gone("AUTH_REALM", &[CompletionsApi], "the realm of /verify is api"),
    instead("RUST_LOG", &[Codaze], "CODEFERRY_LOG").shared(),
    gone("CODEX_SANDBOX", &[Codaze], "whether a proxy is used is for HTTPS_PROXY and NO_PROXY to say").shared(),
    instead("CODEX_CA_CERTIFICATE", &[Codaze], "SSL_CERT_FILE").shared(),
    instead("CODEX_REFRESH_TOKEN_URL_OVERRIDE", &[Codaze], "CODEFERRY_AUTH_URL"),
];

/// Flags of a server's command line.
pub const FLAGS: &[OldName] = &[
    instead("--listen", &[Codaze], "codeferry serve --host ADDRESS --port N"),
    gone("--admin-listen", &[Codaze], "the control plane is on the same port as all else, behind its token"),
    instead(
        "--accounts-dir",
        &[Codaze],
        "codeferry accounts watch FOLDER, or once: codeferry migrate --from codaze --path FOLDER",
    ),
    instead(
        "--routing-policy",
        &[Codaze],
        "codeferry settings set rotation least_in_flight (or round_robin, fill_first)",
    ),
    gone("--fingerprint-mode", &[Codaze], WHO_WE_ARE),
    gone("--codex-version", &[Codaze], WHO_WE_ARE),
    instead("--shutdown-grace-period-seconds", &[Codaze], "codeferry settings set grace_seconds N"),
];

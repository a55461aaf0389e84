//! Every request that can be made, one row each. A new route gets its row here and its words in `docs/api.md`; then
//! `cargo xtask types` writes `docs/openapi.json` anew. Types are those of `types/sources.rs` and `by_hand.json`.

use super::row::{Door, Errors, JSON, Row, control, data, google};

const GET: &str = "GET";
const POST: &str = "POST";
const PUT: &str = "PUT";
const PATCH: &str = "PATCH";
const DELETE: &str = "DELETE";

const CSV: &str = "text/csv";
const TEXT: &str = "text/plain";
const HTML: &str = "text/html";

/// All of them.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = messages();
    for more in [chat(), responses(), gemini(), models(), codex(), open()] {
        rows.extend(more);
    }
    for more in [gateway(), accounts(), sign_in(), history(), settings(), clients(), routes()] {
        rows.extend(more);
    }
    rows
}

fn messages() -> Vec<Row> {
    vec![
        data(POST, "/messages", "Answers in Anthropic's Messages dialect, as a stream or whole.")
            .takes("MessagesRequest")
            .gives("Message")
            .streams(&[
                ("message_start", "MessagesEvent"),
                ("content_block_start", "MessagesEvent"),
                ("content_block_delta", "MessagesEvent"),
                ("content_block_stop", "MessagesEvent"),
                ("message_delta", "MessagesEvent"),
                ("message_stop", "MessagesEvent"),
                ("ping", "MessagesEvent"),
                ("error", "AnthropicError"),
            ])
            .exchange(Errors::Anthropic),
        data(POST, "/messages/count_tokens", "Counts the tokens of a request. Nothing is sent upstream.")
            .takes("CountTokensRequest")
            .gives("CountTokens")
            .local(Errors::Anthropic)
            .refuses(400, "")
            .refuses(413, ""),
    ]
}

fn chat() -> Vec<Row> {
    vec![
        data(POST, "/chat/completions", "Answers in OpenAI's Chat Completions dialect, as a stream or whole.")
            .takes("ChatRequest")
            .gives("ChatCompletion")
            .streams(&[("", "ChatChunk"), ("error", "OpenAiError")])
            .exchange(Errors::OpenAi),
        data(POST, "/completions", "Goes on from a prompt: OpenAI's older Completions dialect.")
            .takes("CompletionRequest")
            .gives("Completion")
            .streams(&[("", "Completion"), ("error", "OpenAiError")])
            .exchange(Errors::OpenAi),
    ]
}

fn responses() -> Vec<Row> {
    let kept = "Responses cannot be fetched here: always 404, in OpenAI's shape.";
    let gone = |method, below, summary| data(method, below, summary).local(Errors::OpenAi).refuses(404, "not_found");
    vec![
        data(POST, "/responses", "Answers in OpenAI's Responses dialect, as a stream or whole.")
            .of_codex()
            .takes("ResponsesRequest")
            .gives("Response")
            .streams(&[("*", "ResponsesEvent")])
            .exchange(Errors::OpenAi),
        data(GET, "/responses", "The same over a WebSocket: many responses on one connection, one after the other.")
            .of_codex()
            .gives_as(101, "", "")
            .local(Errors::OpenAi)
            .refuses(405, "")
            .refuses(426, "")
            .refuses(503, ""),
        data(POST, "/responses/compact", "Sums a conversation up, for a Codex that goes on from there.")
            .of_codex()
            .takes("Asked")
            .gives("Open")
            .exchange(Errors::OpenAi),
        data(POST, "/memories/trace_summarize", "Sums up traces for a Codex's memory.")
            .of_codex()
            .takes("Asked")
            .gives("Open")
            .exchange(Errors::OpenAi),
        data(POST, "/images/generations", "Makes pictures, through a codex account.")
            .of_codex()
            .takes("Asked")
            .gives("Open")
            .streams(&[("*", "Open")])
            .exchange(Errors::OpenAi),
        data(POST, "/images/edits", "Changes pictures, through a codex account.")
            .of_codex()
            .takes_a_form_of("Asked")
            .gives("Open")
            .streams(&[("*", "Open")])
            .exchange(Errors::OpenAi),
        gone(GET, "/responses/{id}", kept),
        gone(POST, "/responses/{id}", kept),
        gone(DELETE, "/responses/{id}", kept),
        gone(GET, "/responses/{id}/{rest}", kept),
        gone(POST, "/responses/{id}/{rest}", kept),
    ]
}

fn gemini() -> Vec<Row> {
    let call = "Calls a model in Google's Gemini dialect. Behind its name stands :generateContent, :streamGenerateContent or \
                :countTokens.";
    vec![
        google(POST, "/models/{id}", call)
            .at("/v1/models/{id}")
            .at("/v1beta1/publishers/google/models/{id}")
            .asks("alt key")
            .takes("GeminiRequest")
            .gives("GeminiAnswers")
            .streams(&[("", "GeminiAnswer"), ("error", "GoogleError")])
            .exchange(Errors::Google),
        google(GET, "/models", "The models, in Google's shape.")
            .asks("pageSize pageToken key")
            .gives("GeminiModels")
            .local(Errors::Google),
        google(GET, "/models/{id}", "One model, likewise, by any name that leads somewhere.")
            .asks("key")
            .gives("GeminiModel")
            .local(Errors::Google)
            .refuses(404, ""),
    ]
}

fn models() -> Vec<Row> {
    vec![
        data(GET, "/models", "The models, in the shape of whoever asks: OpenAI's, Anthropic's, Google's or a Codex's.")
            .of_codex()
            .asks("limit after_id client_version pageSize pageToken")
            .gives("Models")
            .gives_as(304, "", "")
            .local(Errors::Either)
            .refuses(400, "invalid_value"),
        data(GET, "/models/{id}", "One model, by any name that leads somewhere.")
            .of_codex()
            .gives("OneModel")
            .local(Errors::Either)
            .refuses(404, "model_not_found"),
        data(GET, "/usage", "What the caller used, in the shape of codex-completions-api.")
            .asks("start end group")
            .gives("UsedSums")
            .local(Errors::OpenAi)
            .refuses(400, "invalid_parameter")
            .refuses(500, "request_log_failed"),
        data(GET, "/usage/raw", "The caller's last exchanges, likewise.")
            .asks("limit")
            .gives("UsedEvents")
            .local(Errors::OpenAi)
            .refuses(400, "invalid_parameter")
            .refuses(500, "request_log_failed"),
    ]
}

/// What a Codex asks about its account.
fn codex() -> Vec<Row> {
    let page = |path, summary| {
        let row = Row::new(GET, path, summary, Door::Client, Errors::OpenAi).gives("Open").local(Errors::OpenAi);
        [429, 502, 503, 504].into_iter().fold(row, |row, status| row.refuses(status, ""))
    };
    vec![
        page("/backend-api/wham/usage", "What is left of the plan of the account that serves.")
            .at("/backend-api/codex/usage")
            .at("/api/codex/usage"),
        page("/backend-api/wham/rate-limit-reset-credits", "Its credits that reset a window. None can be used here."),
        page("/backend-api/wham/accounts/check", "Its workspace."),
    ]
}

/// What needs no key.
fn open() -> Vec<Row> {
    let open = |path, summary| Row::new(GET, path, summary, Door::Open, Errors::None);
    vec![
        open("/", "The dashboard for a browser; for others a line that says who is here.")
            .gives_as(200, HTML, "")
            .gives_as(200, TEXT, ""),
        open("/login", "Opens a session in the browser that follows a link first.")
            .asks("code to")
            .gives_as(303, "", "")
            .gives_as(410, HTML, "")
            .gives_as(503, HTML, ""),
        open("/health", "That somebody is here; with the control token how the accounts fare.").gives("Health"),
        open("/healthz", "How the process fares: always 200.").gives("Healthz"),
        open("/livez", "Whether the process works.").gives("HealthPart").gives_as(503, JSON, "HealthPart"),
        open("/readyz", "Whether a request would be served.").gives("HealthPart").gives_as(503, JSON, "HealthPart"),
        open("/metrics", "Figures for Prometheus: for this machine, and for whoever has the control token.")
            .gives_as(200, "application/openmetrics-text", "")
            .gives_as(403, JSON, "AnthropicError"),
    ]
}

fn gateway() -> Vec<Row> {
    vec![
        control(GET, "/api/status", "How the gateway fares.").gives("Status"),
        control(GET, "/api/doctor", "What is well and what is not.").asks("live").gives("Doctor"),
        control(GET, "/api/openapi.json", "This document.").gives("Open"),
        control(GET, "/api/logs", "The last lines of the log.").asks("lines level").gives("LogLines"),
        control(POST, "/api/reload", "Reads settings, keys and accounts again.").gives("Reloaded"),
        control(POST, "/api/shutdown", "Stops the gateway, as SIGTERM does.").gives_as(202, "", ""),
        control(GET, "/api/events", "What happens, as it happens.")
            .asks("types")
            .streams(&[
                ("reset", "Snapshot"),
                ("status", "Status"),
                ("accounts", "AccountList"),
                ("quota", "QuotaOf"),
                ("exchange.started", "OpenExchange"),
                ("exchange.attempt", "AttemptBegun"),
                ("exchange.first_token", "FirstToken"),
                ("exchange.done", "Exchange"),
                ("sign_in", "SignInTold"),
                ("settings", "SettingsChanged"),
                ("clients", "ClientsDrifted"),
                ("log", "LogLine"),
            ])
            .refuses(503, "too_many_readers"),
        control(POST, "/api/session/link", "A link that opens a session in a browser, once.")
            .token()
            .gives("SessionLink")
            .refuses(500, "no_random"),
        control(POST, "/api/session/end", "Ends the session; with the token all of them.").gives_nothing(),
    ]
}

fn accounts() -> Vec<Row> {
    let change = |path, summary| control(POST, path, summary).changes_account().gives_nothing();
    vec![
        control(GET, "/api/accounts", "The accounts.").gives("AccountList"),
        control(POST, "/api/accounts", "Adds a server that is asked for by name, or gives it another key.")
            .takes("NewServer")
            .gives_as(201, JSON, "ServerAdded")
            .gives("ServerAdded")
            .refuses(400, "bad_kind bad_label bad_url bad_preset bad_key key_needed")
            .refuses(409, "label_taken")
            .refuses(500, "vault_failed")
            .refuses(502, ""),
        control(DELETE, "/api/accounts", "Removes all accounts.").gives("[AccountGone]").refuses(500, "vault_failed"),
        control(DELETE, "/api/accounts/{account}", "Removes an account.").changes_account().gives("AccountGone"),
        change("/api/accounts/{account}/label", "Calls an account by a label.")
            .takes("NewLabel")
            .refuses(400, "bad_label"),
        change("/api/accounts/{account}/priority", "Puts an account before others.").takes("NewPriority"),
        change("/api/accounts/{account}/pause", "Asks an account no more."),
        change("/api/accounts/{account}/resume", "Asks it again."),
        change("/api/accounts/{account}/wake", "Ends its rest."),
        change("/api/accounts/{account}/switch", "Makes it the one in use.").refuses(409, "named_account"),
        control(POST, "/api/accounts/{account}/verify", "Shows the access token to the provider.")
            .of_account()
            .gives("Verified")
            .refuses(409, "no_account"),
        control(GET, "/api/quota", "What is left of all accounts.").gives("AllLeft"),
        control(GET, "/api/accounts/{account}/quota", "What is left of one.").of_account().gives("Left"),
        control(POST, "/api/accounts/{account}/quota/refresh", "The same, asked of the provider first.")
            .of_account()
            .gives("Left")
            .refuses(409, "no_account")
            .refuses(502, ""),
        control(GET, "/api/accounts/{account}/reset-credits", "Its credits that reset a window.")
            .of_account()
            .gives("ResetCredits")
            .refuses(400, "no_reset_credits")
            .refuses(409, "no_account")
            .refuses(502, ""),
        control(POST, "/api/accounts/{account}/reset-credits/consume", "Uses one. It cannot be taken back.")
            .takes("UseCredit")
            .of_account()
            .gives("Redeemed")
            .refuses(400, "confirmation_needed no_reset_credits")
            .refuses(409, "no_account")
            .refuses(502, ""),
    ]
}

fn sign_in() -> Vec<Row> {
    vec![
        control(POST, "/api/accounts/sign-in", "Begins to sign in.")
            .takes("BeginSignIn")
            .of_account()
            .gives("SignInBegun")
            .refuses(400, "bad_method")
            .refuses(409, "ports_taken")
            .refuses(500, "no_random")
            .refuses(502, "auth_host_failed"),
        control(GET, "/api/accounts/sign-in/{id}", "Where it stands.")
            .gives("SignInStage")
            .refuses(404, "unknown_sign_in"),
        control(GET, "/api/accounts/sign-in/{id}/events", "The same as it changes, until its end.")
            .streams(&[("stage", "SignInStage")])
            .refuses(404, "unknown_sign_in"),
        control(POST, "/api/accounts/sign-in/{id}/callback", "What the person pasted.")
            .takes("SignInPasted")
            .gives("SignInStage")
            .refuses(400, "unreadable_callback")
            .refuses(404, "unknown_sign_in")
            .refuses(410, "stale_callback"),
        control(DELETE, "/api/accounts/sign-in/{id}", "Gives it up.").gives_nothing().refuses(404, "unknown_sign_in"),
    ]
}

fn history() -> Vec<Row> {
    let exchanges = "since until model account client outcome status conversation q before limit tz";
    let usage = "since until by tz model account client";
    vec![
        control(GET, "/api/exchanges", "What happened, the newest first.")
            .asks(exchanges)
            .gives("ExchangePage")
            .reads_log(),
        control(GET, "/api/exchanges/{id}", "One exchange.")
            .gives("ExchangeDetail")
            .reads_log()
            .refuses(404, "unknown_exchange"),
        control(GET, "/api/exchanges.csv", "The same rows for a spreadsheet.")
            .asks(exchanges)
            .gives_as(200, CSV, "")
            .reads_log(),
        control(GET, "/api/conversations", "Conversations, and how well the prompt cache served them.")
            .asks("since until limit tz")
            .gives("ConversationList")
            .reads_log(),
        control(GET, "/api/conversations/{name}", "One of them, turn by turn.")
            .gives("Conversation")
            .reads_log()
            .refuses(404, "unknown_conversation")
            .refuses(409, "ambiguous_conversation"),
        control(GET, "/api/usage", "Sums.").asks(usage).gives("UsageReport").reads_log(),
        control(GET, "/api/usage.csv", "Sums for a spreadsheet.").asks(usage).gives_as(200, CSV, "").reads_log(),
        control(GET, "/api/prices", "What tokens cost.").gives("PriceList"),
    ]
}

fn settings() -> Vec<Row> {
    let setting = |method, summary| {
        control(method, "/api/settings/{key}", summary).refuses(404, "unknown_setting").refuses(500, "settings_failed")
    };
    let key = "unknown_key";
    vec![
        control(GET, "/api/settings", "All settings.").gives("SettingList"),
        control(PATCH, "/api/settings", "Changes several in one write: all of them or none.")
            .takes("SettingChanges")
            .gives("SettingList")
            .refuses(400, "bad_setting")
            .refuses(404, "unknown_setting")
            .refuses(500, "settings_failed"),
        setting(GET, "One setting.").gives("Setting"),
        setting(PUT, "Changes it.").takes("NewSetting").gives("Setting").refuses(400, "bad_setting"),
        setting(DELETE, "Back to the default.").gives_nothing().refuses(400, "bad_setting"),
        control(GET, "/api/capture", "Captures, and whether any are taken.")
            .gives("Captures")
            .refuses(500, "capture_failed"),
        control(POST, "/api/capture", "Takes captures for a while.")
            .takes("CaptureWish")
            .gives("CaptureState")
            .refuses(404, key),
        control(DELETE, "/api/capture", "Takes no more.").gives_nothing(),
        control(GET, "/api/capture/{id}", "The capture of an exchange.")
            .gives("Capture")
            .refuses(404, "unknown_capture")
            .refuses(500, "capture_damaged capture_failed"),
        control(DELETE, "/api/capture/{id}", "Removes it.")
            .gives_nothing()
            .refuses(404, "unknown_capture")
            .refuses(500, "capture_failed"),
        control(GET, "/api/capture/{id}/bundle", "The same for others, without addresses and home folders.")
            .gives_as(200, "application/gzip", "")
            .refuses(404, "unknown_capture")
            .refuses(500, "capture_damaged capture_failed"),
        control(GET, "/api/keys", "The client keys, without themselves.").gives("KeyList").refuses(500, "keys_failed"),
        control(POST, "/api/keys", "Makes a client key. It is shown this once.")
            .takes("NewKey")
            .gives_as(201, JSON, "KeyCreated")
            .refuses(400, "bad_name")
            .refuses(409, "name_taken")
            .refuses(500, "keys_failed"),
        control(DELETE, "/api/keys/{name}", "Ends a client key.")
            .gives_nothing()
            .refuses(404, key)
            .refuses(500, "keys_failed"),
    ]
}

fn clients() -> Vec<Row> {
    let client =
        |method, below: &str, summary| control(method, &format!("/api/clients/{{client}}{below}"), summary).of_client();
    vec![
        control(GET, "/api/clients", "Programs on this machine, and where they go.")
            .asks("project")
            .gives("ClientList"),
        control(GET, "/api/intent", "What clients are told of the gateway, but for a key.")
            .gives("Intent")
            .refuses(503, "starting"),
        client(POST, "", "Sets a client up.").may_take("ClientWish").gives("ClientChanged"),
        client(DELETE, "", "Takes it back.").asks("target project plan").gives("ClientChanged"),
        client(GET, "/plan", "What would be done.").asks("target project to").gives("ClientPlan"),
        client(POST, "/verify", "What the client would do, done.").may_take("ClientWish").gives("ClientVerification"),
        client(POST, "/drift", "What is to become of what somebody else changed.")
            .takes("ClientDriftChoice")
            .gives("ClientChanged"),
        client(GET, "/backups", "Copies of its files.").gives("ClientBackups"),
        client(GET, "/backups/{id}", "One of them.").gives("ClientBackupDetail").refuses(404, "unknown_backup"),
        client(POST, "/backups/{id}/restore", "Brings it back.").gives("ClientChanged").refuses(404, "unknown_backup"),
    ]
}

fn routes() -> Vec<Row> {
    let bad = "bad_effort bad_setting";
    vec![
        control(GET, "/api/models", "The models upstream.").gives("ModelList"),
        control(GET, "/api/routes", "Where names lead.").gives("RouteTable"),
        control(POST, "/api/routes/try", "Where a name would lead. Nothing is sent.")
            .takes("RouteQuestion")
            .gives("Destination")
            .refuses(400, "bad_effort")
            .refuses(404, "unknown_account unknown_model"),
        control(PUT, "/api/routes/{role}", "Where a family of Anthropic's models leads.")
            .takes("NewRoute")
            .gives_nothing()
            .refuses(400, bad)
            .refuses(404, "unknown_role")
            .refuses(500, "settings_failed"),
        control(DELETE, "/api/routes/{role}", "Back to the default.")
            .gives_nothing()
            .refuses(404, "unknown_role")
            .refuses(500, "settings_failed"),
        control(PUT, "/api/aliases/{name}", "A name of one's own for a model.")
            .takes("NewRoute")
            .gives_nothing()
            .refuses(400, "bad_alias bad_effort bad_setting")
            .refuses(500, "settings_failed"),
        control(DELETE, "/api/aliases/{name}", "Forgets it.")
            .gives_nothing()
            .refuses(400, "bad_alias")
            .refuses(404, "unknown_alias")
            .refuses(500, "settings_failed"),
        control(POST, "/api/playground", "Sends a request as a client would, and tells all that happens on the way.")
            .takes("Play")
            .streams(&[("", "PlayRecord")])
            .refuses(400, "bad_dialect"),
    ]
}

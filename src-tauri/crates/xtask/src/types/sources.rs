//! Which types are read, and where they are declared.

/// Files, and types in them.
pub(crate) type Sources = &'static [(&'static str, &'static [&'static str])];

/// Where the types are, below `src-tauri/crates`; and which of them the dashboard reads, as `Rust` or `Rust as TypeScript`.
pub(crate) const SOURCES: Sources = &[
    ("accounts/src/account.rs", &["Kind"]),
    ("accounts/src/cooldown.rs", &["Cooldown"]),
    ("accounts/src/quota.rs", &["Credits", "Quota", "QuotaWindow"]),
    ("accounts/src/rotation.rs", &["Rotation"]),
    ("accounts/src/status.rs", &["AccountState", "AccountStatus as Account"]),
    (
        "clients/src/client/standing.rs",
        &[
            "State as ClientStanding",
            "Drift as ClientDrift",
            "Moved as ClientMover",
            "Conflict as ClientConflict",
            "Weight as ClientConflictWeight",
        ],
    ),
    ("gateway/src/bus/exchange.rs", &["OpenExchange", "Attempt as AttemptBegun", "FirstToken"]),
    ("gateway/src/bus/watch.rs", &["QuotaOf", "Changed as SettingsChanged", "Setting as SettingChanged"]),
    ("gateway/src/capture.rs", &["CaptureState", "Wish as CaptureWish"]),
    ("gateway/src/control/accounts.rs", &["List as AccountList", "Gone as AccountGone"]),
    ("gateway/src/control/capture.rs", &["Shown as Captures"]),
    (
        "gateway/src/control/clients.rs",
        &[
            "List as ClientList",
            "Changed as ClientChanged",
            "Copies as ClientBackups",
            "CopyDetail as ClientBackupDetail",
        ],
    ),
    ("gateway/src/control/events.rs", &["Snapshot"]),
    ("gateway/src/control/keys.rs", &["List as KeyList", "Created as KeyCreated"]),
    ("gateway/src/control/models.rs", &["List as ModelList", "Entry as Model"]),
    ("gateway/src/control/named.rs", &["New as NewServer", "Added as ServerAdded"]),
    ("gateway/src/control/playground.rs", &["Record as PlayRecord", "What as PlayWhat"]),
    ("gateway/src/control/playground/step.rs", &["Step"]),
    ("gateway/src/control/quota.rs", &["Consume as UseCredit", "Known as Left", "Verified"]),
    ("gateway/src/control/refused.rs", &["Refused"]),
    ("gateway/src/control/routes.rs", &["Table as RouteTable", "Role", "Alias", "To as Route"]),
    ("gateway/src/control/settings.rs", &["List as SettingList"]),
    ("gateway/src/control/sign_in.rs", &["Begin as BeginSignIn"]),
    ("gateway/src/doctor.rs", &["Report as Doctor", "Row as DoctorRow", "Verdict"]),
    (
        "gateway/src/history/conversations.rs",
        &["ConversationRow", "ConversationDetail as Conversation", "ConversationTurn as Turn"],
    ),
    (
        "gateway/src/history/exchanges.rs",
        &["ExchangePage", "Row as ExchangeRow", "Detail as ExchangeDetail", "Explained"],
    ),
    ("gateway/src/history/usage.rs", &["UsageReport", "UsageRow", "Figures"]),
    ("gateway/src/routing.rs", &["Destination"]),
    (
        "gateway/src/setup/shape.rs",
        &[
            "Program",
            "Place as ClientPlace",
            "Plan as ClientPlan",
            "File as ClientPlanFile",
            "Will as ClientPlanWill",
            "Settled as ClientSettled",
            "Verification as ClientVerification",
            "Copy as ClientBackup",
        ],
    ),
    ("gateway/src/setup/watch.rs", &["DriftedPlace as ClientDrifted"]),
    (
        "gateway/src/sign_in.rs",
        &["Method as SignInMethod", "Stage as SignInStage", "Begun as SignInBegun", "Told as SignInTold"],
    ),
    ("gateway/src/status.rs", &["Status", "Pick", "FailedOver", "Exchanges"]),
    (
        "store/src/capture.rs",
        &["CaptureHealth", "Summary as CaptureSummary", "Kept as CaptureKept", "Listing as CaptureListing"],
    ),
    (
        "store/src/capture/document.rs",
        &[
            "Document as Capture",
            "Request as CapturedRequest",
            "Attempt as CapturedAttempt",
            "Answer as CapturedAnswer",
            "Records as CapturedStream",
            "Record as CapturedRecord",
            "Part as CapturedPart",
        ],
    ),
    ("store/src/client_keys.rs", &["KeyInfo"]),
    ("store/src/log.rs", &["LogHealth"]),
    ("store/src/log/conversations.rs", &["ConversationSum"]),
    ("store/src/log/find.rs", &["Found"]),
    ("store/src/log/record.rs", &["Exchange", "Attempt", "Tokens", "Prefix", "Outcome"]),
    ("store/src/settings/file.rs", &["Listed as Setting", "Problem as SettingProblem"]),
    ("store/src/settings/value.rs", &["Value as SettingValue"]),
    ("upstream/src/reset_credits.rs", &["ResetCredits", "ResetCredit", "Redeemed", "Redemption"]),
];

/// Types that the dashboard does not read, but `docs/openapi.json` tells of.
pub(crate) const MORE: Sources = &[
    ("gateway/src/compat/codex_proxy/logs.rs", &["LogEntry as OldLogEntry"]),
    ("gateway/src/control.rs", &["Reloaded"]),
    ("gateway/src/control/accounts.rs", &["Label as NewLabel", "Priority as NewPriority"]),
    (
        "gateway/src/control/clients.rs",
        &["Wanted as ClientWish", "Drifted as ClientDriftChoice", "DriftChoice as ClientDriftDo"],
    ),
    ("gateway/src/control/keys.rs", &["Create as NewKey"]),
    ("gateway/src/control/logs.rs", &["Lines as LogLines", "Old as OldLogs"]),
    ("gateway/src/control/playground.rs", &["Ask as Play"]),
    ("gateway/src/control/quota.rs", &["All as AllLeft"]),
    ("gateway/src/control/routes.rs", &["Put as NewRoute", "Try as RouteQuestion"]),
    ("gateway/src/control/session.rs", &["Link as SessionLink"]),
    ("gateway/src/control/settings.rs", &["Put as NewSetting"]),
    ("gateway/src/control/sign_in.rs", &["Pasted as SignInPasted"]),
    ("gateway/src/data/models.rs", &["AnthropicModel", "AnthropicList", "OpenAiModel", "OpenAiList"]),
    (
        "gateway/src/data/usage.rs",
        &["Sums as UsedSums", "Bucket as UsedBucket", "UsedTokens", "Events as UsedEvents", "Event as UsedEvent"],
    ),
    ("gateway/src/health.rs", &["Reason as HealthReason", "Whole as Healthz", "Part as HealthPart"]),
    ("gateway/src/history/conversations.rs", &["ConversationList"]),
    ("gateway/src/history/prices.rs", &["PriceList", "PriceRow"]),
    ("gateway/src/log_lines.rs", &["LogLine", "LogLevel"]),
    ("gateway/src/log_lines/fields.rs", &["LogField"]),
    ("gateway/src/setup/watch.rs", &["DriftTold as ClientsDrifted"]),
    ("gateway/src/setup/offer.rs", &["Offer as Intent", "OfferedModel", "OfferedRole"]),
];

/// Types whose shape serde is told in code. They are described in `openapi/by_hand.json`.
pub(crate) const BY_HAND: &[&str] = &["LogFields"];

//! Pure tests. No IO, no async.

use codeferry_accounts::{AccountId, Kind};

use super::{Catalog, Effort, Malformed, Model, Shelf};
use Effort::{High, Low, Max, Medium, Minimal, None as Off, Ultra, XHigh};

/// Two entries as `codex-backend.md §7` lists their fields, and three that are not like them.
const LIST: &str = r#"{"models":[
  {"slug":"gpt-6.1-sol","display_name":"GPT-6.1 Sol","description":"Frontier.","default_reasoning_level":"low",
   "supported_reasoning_levels":[{"effort":"medium","description":"m"},{"effort":"low","description":"l"},
     {"effort":"high","description":"h"},{"effort":"xhigh","description":"x"},{"effort":"max","description":"m"},
     {"effort":"ultra","description":"u"},{"effort":"galactic","description":"not known here"}],
   "shell_type":"shell_command","visibility":"list","supported_in_api":true,"priority":1,"service_tiers":[],
   "upgrade":null,"base_instructions":"You are \"Codex\".","truncation_policy":{"mode":"tokens","limit":10000},
   "context_window":272000,"max_context_window":872000,"effective_context_window_percent":95,
   "input_modalities":["text","image"],"use_responses_lite":true,"multi_agent_reasoning_effort":"xhigh","support_verbosity":true},
  {"slug":"gpt-text","display_name":"","visibility":"hide","priority":0,"input_modalities":["text"],
   "context_window":0,"effective_context_window_percent":200},
  {"slug":"gpt-6.1-sol","display_name":"again"},
  {"display_name":"nameless"},
  17
],"extra":true}"#;

fn parsed() -> Catalog {
    Catalog::parse(LIST.as_bytes(), Some("\"v1\"".to_owned())).expect("a catalogue")
}

fn account(name: &str) -> AccountId {
    AccountId::derive(Kind::Codex, Some(name), None)
}

fn model(slug: &str) -> Model {
    Catalog::builtin().get(slug).expect("in the built-in table").clone()
}

#[test]
fn what_can_be_read_is_read_and_the_rest_is_passed_over() {
    let catalog = parsed();
    let slugs: Vec<_> = catalog.models().iter().map(|model| model.slug.as_str()).collect();
    assert_eq!(slugs, ["gpt-text", "gpt-6.1-sol"], "by priority, each once");
    assert_eq!(catalog.visible().map(|model| model.slug.as_str()).collect::<Vec<_>>(), ["gpt-6.1-sol"]);
    assert_eq!(catalog.etag(), Some("\"v1\""));

    let sol = catalog.get("gpt-6.1-sol").unwrap();
    assert_eq!(sol.display_name, "GPT-6.1 Sol");
    assert_eq!(sol.efforts, [Low, Medium, High, XHigh, Max, Ultra]);
    assert_eq!((sol.default_effort, sol.ultra_effort), (Some(Low), Some(XHigh)));
    assert_eq!((sol.context_window, sol.max_context_window), (Some(272_000), Some(872_000)));
    assert_eq!((sol.usable_tokens(false), sol.usable_tokens(true)), (Some(258_400), Some(828_400)));
    assert!(sol.lite && sol.images);

    let text = catalog.get("gpt-text").unwrap();
    assert_eq!(text.display_name, "gpt-text");
    assert_eq!((text.context_window, text.effective_percent), (None, 95), "nonsense is no figure");
    assert!(!text.images && !text.lite && text.efforts.is_empty());
    assert_eq!(catalog.get("gpt-7"), None);
}

/// `codex-backend.md §12`: the public API answers in the same shape, but its plain list has `data` and `id`.
#[test]
fn what_is_no_catalogue_is_an_error() {
    for body in ["", "[]", "<html>", r#"{"data":[]}"#, r#"{"models":null}"#, r#"{"models":[{"slug":"cut"#] {
        let parsed = Catalog::parse(body.as_bytes(), None);
        assert!(matches!(parsed, Err(Malformed::Shape(_))), "{body}: {parsed:?}");
    }
    for body in [r#"{"models":[]}"#, r#"{"models":[{"name":"x"},{"slug":""}]}"#] {
        assert_eq!(Catalog::parse(body.as_bytes(), None), Err(Malformed::Empty), "{body}");
    }
}

/// The table of `codex-backend.md §8`, row by row.
#[test]
fn the_built_in_table() {
    let rows = [
        ("gpt-6-astra", 272, 872, Some(Low), Some(Ultra), true),
        ("gpt-6.1-sol", 272, 872, Some(Low), Some(Ultra), true),
        ("gpt-6.1-terra", 500, 872, Some(Low), Some(Ultra), true),
        ("gpt-6-sol", 272, 872, Some(Medium), Some(Ultra), true),
        ("gpt-6-luna", 272, 872, Some(Medium), Some(Max), true),
        ("gpt-5.6-sol", 272, 872, Some(Low), Some(Ultra), true),
        ("gpt-5.6-terra", 272, 872, Some(Medium), Some(Ultra), true),
        ("gpt-5.6-luna", 272, 872, Some(Medium), Some(Max), true),
        ("gpt-5.5", 272, 272, Some(Medium), Some(XHigh), false),
        ("gpt-daybreak-blue-latest", 272, 872, None, None, true),
        ("gpt-daybreak-red-latest", 372, 872, None, None, true),
        ("codex-auto-review", 272, 872, None, None, true),
    ];
    for (slug, window, largest, default, strongest, lite) in rows {
        let model = model(slug);
        assert_eq!(model.context_window, Some(window * 1000), "{slug}");
        assert_eq!(model.max_context_window, Some(largest * 1000), "{slug}");
        assert_eq!(model.default_effort, default, "{slug}");
        assert_eq!(model.efforts.last().copied(), strongest, "{slug}");
        assert_eq!(model.efforts.first().copied(), strongest.map(|_| Low), "{slug}");
        assert_eq!((model.lite, model.visible), (lite, default.is_some()), "{slug}");
    }
    let builtin = Catalog::builtin();
    assert_eq!(builtin.models().len(), rows.len());
    assert_eq!(builtin.models()[0].slug, "gpt-6.1-sol", "the CLI's default comes first");
    assert_eq!(builtin.etag(), None);
}

/// `codex-backend.md §2`, the row reasoning.effort.
#[test]
fn efforts_become_what_the_model_takes() {
    let luna = ("gpt-6-luna", [Off, Low, Low, Medium, High, XHigh, Max, Max]);
    let sol61 = ("gpt-6.1-sol", [Off, Low, Low, Medium, High, XHigh, Max, XHigh]);
    let sol56 = ("gpt-5.6-sol", [Off, Low, Low, Medium, High, XHigh, Max, Max]);
    let terra = ("gpt-6.1-terra", [Off, Low, Low, Medium, High, XHigh, Max, Max]);
    let old = ("gpt-5.5", [Off, Low, Low, Medium, High, XHigh, XHigh, XHigh]);
    // Its efforts are unknown: the wish goes as it is, but what no model takes.
    let unknown = ("codex-auto-review", [Off, Low, Low, Medium, High, XHigh, Max, Max]);
    for (slug, expected) in [luna, sol61, sol56, terra, old, unknown] {
        for (wanted, expected) in Effort::ALL.into_iter().zip(expected) {
            assert_eq!(model(slug).nearest_effort(wanted), expected, "{slug}: {wanted}");
        }
    }
    let listed = Model { efforts: vec![Minimal, Low], ..model("gpt-5.5") };
    assert_eq!(listed.nearest_effort(Minimal), Minimal, "where it is listed");
    let circular = Model { ultra_effort: Some(Ultra), ..model("gpt-6.1-sol") };
    assert_eq!(circular.nearest_effort(Ultra), Max, "never ultra on the wire");
}

#[test]
fn the_shelf_offers_what_any_account_may_use() {
    let shelf = Shelf::default();
    assert_eq!(*shelf.all(), Catalog::builtin());
    assert_eq!(shelf.of(&account("a")), None);

    let one = |body: &str| Catalog::parse(body.as_bytes(), None).unwrap();
    let hidden = r#"{"models":[{"slug":"m1","visibility":"hide"},{"slug":"m2","priority":5}]}"#;
    shelf.put(account("a"), one(hidden));
    let slugs = |shelf: &Shelf| shelf.all().visible().map(|model| model.slug.clone()).collect::<Vec<_>>();
    assert_eq!(slugs(&shelf), ["m2"]);
    shelf.put(account("b"), one(r#"{"models":[{"slug":"m1","priority":9},{"slug":"m3","priority":1}]}"#));
    assert_eq!(slugs(&shelf), ["m3", "m2", "m1"], "hidden for one, offered to the other");
    assert!(shelf.of(&account("a")).unwrap().get("m3").is_none());
    shelf.put(account("b"), one(r#"{"models":[{"slug":"m4"}]}"#));
    assert_eq!(slugs(&shelf), ["m2", "m4"], "replaced, not added to");
    shelf.forget(&account("a"));
    shelf.forget(&account("b"));
    assert_eq!(*shelf.all(), Catalog::builtin());
}

//! The built-in assistant: no model, but it greets, explains itself, and does simple things with the tools it is offered.
//!
//! It reads plain requests ("read FILE", "run COMMAND", "write FILE with TEXT"), several of them joined by "and then",
//! makes one real call for each, and sums up what came back.

use serde_json::{Map, Value, json};

use crate::conversation::{Choice, Conversation, SUMMARY, Tool};
use crate::example::example;
use crate::recipe::{Item, Recipe};
use crate::scenario::search;

/// What the user wants done, in one step.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Read(String),
    Run(String),
    Write {
        file: String,
        text: String,
    },
    Search(String),
    Fetch(String),
    Delegate(String),
    /// A tool by its name.
    Use(String),
}

/// An answer without a script.
pub(crate) fn answer(talk: &Conversation<'_>, request: &Map<String, Value>) -> Recipe {
    if talk.compaction {
        return Recipe::says(summary(talk));
    }
    if let Some(schema) = talk.schema {
        return Recipe::says(example(schema, &talk.prompt).to_string());
    }
    if talk.prompt.starts_with("[SUGGESTION MODE:") {
        return Recipe::says("list the files here");
    }
    if talk.web_search && (talk.choice == Choice::WebSearch || talk.tools.is_empty()) {
        return Recipe::of(search(&search_query(&talk.prompt)));
    }
    if let Some(item) = forced(talk) {
        return Recipe::of(vec![item]);
    }
    if talk.may_call()
        && let Some(item) = next_call(talk)
    {
        return Recipe::of(thinking("One tool call, then look at what it says.", request).chain([item]).collect());
    }
    let text = if talk.results.is_empty() { greeting(talk) } else { sum_up(talk) };
    Recipe::of(thinking("A short answer will do.", request).chain([Item::says(text)]).collect())
}

/// Reasoning, when the request asks a model to reason.
fn thinking(text: &str, request: &Map<String, Value>) -> impl Iterator<Item = Item> + use<> {
    let effort = request.get("reasoning").and_then(|reasoning| reasoning["effort"].as_str());
    let thinks = matches!(effort, Some("medium" | "high" | "xhigh" | "max"));
    thinks.then(|| Item::Reasoning(vec![format!("**Thinking it through**\n\n{text}")])).into_iter()
}

/// A call the request insists on, if it was not made yet.
fn forced(talk: &Conversation<'_>) -> Option<Item> {
    let wanted = match talk.choice {
        Choice::Tool(name) if talk.rounds == 0 => talk.tool(name)?,
        Choice::Required if talk.rounds == 0 => *talk.tools.first()?,
        _ => return None,
    };
    Some(
        next_call(talk)
            .filter(|item| matches!(item, Item::Call { name, .. } if name == wanted.name))
            .unwrap_or_else(|| Item::calls(wanted.name, &example(wanted.schema, &talk.prompt))),
    )
}

/// The call that comes next: the wishes one after the other, at last the structured answer a client may want.
fn next_call(talk: &Conversation<'_>) -> Option<Item> {
    let wishes = wishes(&talk.prompt);
    if let Some(item) = wishes.get(talk.rounds).and_then(|wish| call(wish, talk)) {
        return Some(item);
    }
    // `claude --json-schema` offers this tool and waits until it is called (claude-code.md §3).
    let tool = talk.tool("StructuredOutput")?;
    let made = talk.results.iter().any(|result| result.name == tool.name);
    (!made).then(|| Item::calls(tool.name, &example(tool.schema, &talk.prompt)))
}

fn wishes(prompt: &str) -> Vec<Wish> {
    prompt.split(" and then ").flat_map(|part| part.split(", then ")).filter_map(wish).collect()
}

fn wish(text: &str) -> Option<Wish> {
    let text = text.trim().trim_end_matches(['.', '!', '?']).trim();
    let text = ["please ", "Please ", "can you ", "Can you ", "could you "]
        .iter()
        .find_map(|word| text.strip_prefix(word))
        .unwrap_or(text);
    let (verb, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let bare = |text: &str| text.trim_start_matches("the file ").trim_matches(['`', '"', '\'']).to_owned();
    match verb.to_ascii_lowercase().as_str() {
        "list" if rest.contains("file") => Some(Wish::Run("ls -la".to_owned())),
        "search" => Some(Wish::Search(search_query(rest))),
        _ if rest.is_empty() => None,
        "read" | "show" | "open" | "cat" => Some(Wish::Read(bare(named_file(rest)?))),
        "run" | "execute" => Some(Wish::Run(bare(rest))),
        "write" | "create" => {
            let (file, text) = rest.split_once(" with ").or_else(|| rest.split_once(" containing "))?;
            Some(Wish::Write { file: bare(file), text: text.trim_matches(['`', '"']).to_owned() })
        }
        "fetch" => Some(Wish::Fetch(bare(rest))),
        "ask" | "delegate" => Some(Wish::Delegate(rest.to_owned())),
        "use" | "call" => Some(Wish::Use(bare(rest.split_whitespace().next()?))),
        _ => None,
    }
}

/// The file a person means: the first word that looks like one, else the last word before they go on.
fn named_file(text: &str) -> Option<&str> {
    let quotes = ['`', '"', '\'', ',', ';', ':'];
    let looks_like_one = |word: &&str| word.trim_matches(quotes).trim_end_matches('.').contains(['.', '/']);
    let first = text.split(" and ").next().unwrap_or(text);
    let word = text.split_whitespace().find(looks_like_one).or_else(|| first.split_whitespace().next_back())?;
    Some(word.trim_matches(quotes))
}

fn search_query(text: &str) -> String {
    let text = text.rsplit_once("query: ").map_or(text, |(_, query)| query);
    let text =
        ["search ", "the web ", "for "].iter().fold(text.trim(), |text, word| text.strip_prefix(word).unwrap_or(text));
    text.chars().take(200).collect()
}

/// The offered tool that grants a wish, called the way its schema wants it.
fn call(wish: &Wish, talk: &Conversation<'_>) -> Option<Item> {
    let any = |names: &[&str]| names.iter().find_map(|name| talk.tool(name));
    match wish {
        Wish::Read(file) => {
            let tool = any(&["Read", "read_file", "view"])?;
            Some(fill(tool, talk, &[(&["file_path", "filePath", "path", "file"], &absolute(file, talk))]))
        }
        Wish::Run(command) => {
            let tool = any(&["Bash", "shell", "exec_command"])?;
            let first: String = command.chars().take(40).collect();
            Some(fill(tool, talk, &[(&["command", "cmd"], command), (&["description"], &format!("Run {first}"))]))
        }
        Wish::Write { file, text } => {
            let tool = any(&["Write", "write_file", "create_file"])?;
            let file = absolute(file, talk);
            Some(fill(tool, talk, &[(&["file_path", "filePath", "path", "file"], &file), (&["content", "text"], text)]))
        }
        Wish::Search(query) => Some(fill(any(&["WebSearch", "web_search"])?, talk, &[(&["query"], query)])),
        Wish::Fetch(url) => {
            let question = "What is on this page?";
            Some(fill(any(&["WebFetch", "web_fetch"])?, talk, &[(&["url"], url), (&["prompt"], question)]))
        }
        Wish::Delegate(task) => {
            let tool = any(&["Agent", "Task"])?;
            let fields: &[(&[&str], &str)] = &[
                (&["prompt"], task),
                (&["description"], "A task of the demo"),
                (&["subagent_type"], "general-purpose"),
            ];
            Some(fill(tool, talk, fields))
        }
        Wish::Use(name) => {
            let tool = talk.tool(name)?;
            Some(Item::calls(tool.name, &example(tool.schema, &talk.prompt)))
        }
    }
}

/// An input for the tool: what is required, with these fields set where the schema has them.
fn fill(tool: Tool<'_>, talk: &Conversation<'_>, fields: &[(&[&str], &str)]) -> Item {
    let mut input = example(tool.schema, &talk.prompt);
    if !input.is_object() {
        input = json!({});
    }
    let known = &tool.schema["properties"];
    for (names, value) in fields {
        let key = names.iter().find(|name| known.get(**name).is_some());
        let key = key.or_else(|| names.first().filter(|_| !known.is_object()));
        if let Some(key) = key {
            // Some shells take a list of words.
            let list = known[*key]["type"] == "array";
            input[*key] = if list { json!(["bash", "-lc", value]) } else { json!(value) };
        }
    }
    Item::calls(tool.name, &input)
}

fn absolute(file: &str, talk: &Conversation<'_>) -> String {
    match talk.folder {
        Some(folder) if !file.starts_with('/') && !file.starts_with('~') => {
            format!("{}/{file}", folder.trim_end_matches('/'))
        }
        _ => file.to_owned(),
    }
}

fn greeting(talk: &Conversation<'_>) -> String {
    let hello = if talk.earlier == 0 { "Hello!" } else { "Still here." };
    let seen = match talk.attachments {
        0 => String::new(),
        1 => " Your attachment arrived.".to_owned(),
        n => format!(" Your {n} attachments arrived."),
    };
    let can = if talk.may_call() {
        "Ask me to \"list files\", \"read README.md\", \"run date\" or \"write hello.txt with good morning\", and I will \
         make a real tool call; join several with \"and then\"."
    } else {
        "Your client offers me no tools, so I can only talk."
    };
    format!(
        "{hello} I am the built-in demo of Codeferry: no model, no account, no network, and everything works but my \
         wits.{seen}\n\n{can}\n\nA marker such as `[[demo:reasoning]]` or `[[demo:turns 3]]` in your message plays a scenario; \
         `codeferry demo` lists them. To talk to a real model, add an account with `codeferry accounts import`."
    )
}

/// What the tools said, in short.
pub(crate) fn sum_up(talk: &Conversation<'_>) -> String {
    const SHOWN: usize = 600;
    if talk.results.is_empty() {
        return "There was nothing to do.".to_owned();
    }
    let mut text = match talk.results.len() {
        1 => "Done, one tool answered.".to_owned(),
        n => format!("Done, {n} tools answered."),
    };
    for result in &talk.results {
        let shown: String = result.text.chars().take(SHOWN).collect();
        let more = if result.text.chars().count() > SHOWN { "\n…" } else { "" };
        let failed = result.text.starts_with("<tool_use_error>") || result.text.starts_with("Error");
        let verb = if failed { "reported an error" } else { "said" };
        text.push_str(&match (shown.trim().is_empty(), result.images) {
            (true, 0) => format!("\n\n{} had nothing to say.", result.name),
            (true, n) => format!("\n\n{} sent {n} image(s).", result.name),
            (false, _) => format!("\n\n{} {verb}:\n\n```\n{}{more}\n```", result.name, shown.trim_end()),
        });
    }
    text
}

fn summary(talk: &Conversation<'_>) -> String {
    let messages = talk.earlier + 1;
    format!(
        "<analysis>\nThe conversation has {messages} messages of the user. It is a demonstration; nothing is left open.\n</analysis>\n\n\
         <summary>\n{SUMMARY}: the user tried Codeferry with the demo account and sent {messages} messages. Files and \
         commands were handled through tools as asked. There are no pending tasks.\n</summary>"
    )
}

#[cfg(test)]
mod tests {
    use super::{Wish, wish, wishes};

    #[test]
    fn plain_requests_become_wishes() {
        assert_eq!(wish("Please read the file README.md."), Some(Wish::Read("README.md".to_owned())));
        for text in [
            "read notes.txt and tell me",
            "Read notes.txt and tell me what this is.",
            "read the file `notes.txt`, please",
        ] {
            assert_eq!(wish(text), Some(Wish::Read("notes.txt".to_owned())), "{text}");
        }
        assert_eq!(wish("read Makefile and tell me"), Some(Wish::Read("Makefile".to_owned())));
        assert_eq!(wish("list files"), Some(Wish::Run("ls -la".to_owned())));
        assert_eq!(wish("run `echo hi`"), Some(Wish::Run("echo hi".to_owned())));
        assert_eq!(
            wish("write a.txt with good morning"),
            Some(Wish::Write { file: "a.txt".to_owned(), text: "good morning".to_owned() })
        );
        assert_eq!(wish("search the web for rust"), Some(Wish::Search("rust".to_owned())));
        assert_eq!(wish("how are you?"), None);
        assert_eq!(wish("read"), None);
    }

    #[test]
    fn wishes_follow_one_another() {
        assert_eq!(
            wishes("write a.txt with x and then read a.txt, then run ls"),
            [
                Wish::Write { file: "a.txt".to_owned(), text: "x".to_owned() },
                Wish::Read("a.txt".to_owned()),
                Wish::Run("ls".to_owned()),
            ]
        );
    }
}

//! Files that are passed over, other folders, other projects, and what runs already.

use std::path::Path;

use super::super::layers::{self, Source};
use super::super::told::{API_KEY, BASE_URL, Purpose, Told};
use super::super::{places, sessions, text_of};
use super::{Look, OTHER_WAYS, conflict, is_on};
use crate::client::{Conflict, Held, Os, Scope, Weight, exports, wsl};
use crate::format::Pointer;

impl Look<'_> {
    /// Files that Claude Code passes over, and rules nobody here can read.
    pub(super) fn files(&self, found: &mut Vec<Conflict>) {
        for ignored in &self.before.ignored {
            let empty = self
                .documents
                .bytes(ignored.source.file().unwrap_or(Path::new("")))
                .is_some_and(|bytes| bytes.trim_ascii().is_empty());
            if ignored.source.file() == self.target.file() {
                if !empty {
                    let what = format!(
                        "Claude Code passes over this file, and over all that is written into it: {}.",
                        ignored.why
                    );
                    let cure = "Take comments and commas at the end out of it; everything else may stay.";
                    found.push(conflict("not_plain_json", Weight::Blocks, &ignored.source, what, cure));
                }
            } else if !empty {
                let what = format!("Claude Code passes over this file: {}.", ignored.why);
                found.push(conflict(
                    "not_plain_json",
                    Weight::Note,
                    &ignored.source,
                    what,
                    "Mend it if it is to count.",
                ));
            }
        }
        if matches!(self.target.scope, Scope::User)
            && let Some(folder) = layers::folder_of(self.target)
        {
            let remote = self.world.join(&folder, &["remote-settings.json"]);
            if *self.documents.held(&remote) != Held::Missing {
                let what = "An organisation's settings from claude.ai lie here. They may overrule these.";
                let cure = "Look into the file for ANTHROPIC_ variables; ask whoever manages the organisation \
                if there are any.";
                found.push(conflict("remote_settings", Weight::Warning, remote.display(), what, cure));
            }
        }
        if self.world.os == Os::Macos {
            let user = self.world.home.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let folder = std::path::PathBuf::from("/Library/Managed Preferences");
            for names in [&["com.anthropic.claudecode.plist"][..], &[&user, "com.anthropic.claudecode.plist"]] {
                let policy = self.world.join(&folder, names);
                if self.world.files.exists(&policy) {
                    let what = "A policy for Claude Code is installed here, which Codeferry cannot read. It may \
                    overrule the settings.";
                    let cure = "Run /status in Claude Code to see what it holds; ask whoever manages this computer.";
                    found.push(conflict("managed_policy", Weight::Warning, policy.display(), what, cure));
                }
            }
        }
    }

    /// Another folder than this.
    pub(super) fn folders(&self, found: &mut Vec<Conflict>) {
        if !matches!(self.target.scope, Scope::User) {
            return;
        }
        let here = layers::folder_of(self.target).unwrap_or_default();
        for export in exports::found(self.world, self.documents) {
            let elsewhere = export.value.as_deref().is_none_or(|folder| Path::new(folder) != here);
            if export.name == "CLAUDE_CONFIG_DIR" && elsewhere {
                let place = format!("{}:{}", export.file.display(), export.line);
                let to = export.value.as_deref().unwrap_or("another folder");
                let what = format!(
                    "CLAUDE_CONFIG_DIR leads to {to}: a Claude Code that is started from such a shell reads the \
                    settings there, not these."
                );
                let cure = "Set that folder up as well: it is a target of its own if its path stands there plainly.";
                found.push(conflict("other_folder", Weight::Warning, place, what, cure));
            }
        }
        if let Some(path) = self.world.variable("CLAUDE_CONFIG_PATH") {
            let what = format!("CLAUDE_CONFIG_PATH is {path}. Claude Code itself does not know that variable.");
            found.push(conflict(
                "config_path",
                Weight::Note,
                Source::Variables,
                what,
                "Use CLAUDE_CONFIG_DIR if its folder is to be another.",
            ));
        }
    }

    /// Files of projects that Claude Code knows. They count where it is started in that folder.
    pub(super) fn projects(&self, found: &mut Vec<Conflict>) {
        if !matches!(self.target.scope, Scope::User) {
            return;
        }
        let counted = layers::project_of(self.world, self.target);
        for project in places::projects(self.world).iter().filter(|project| Some(project.as_path()) != counted) {
            let [shared, own] = layers::project_files(self.world, project);
            for source in [Source::Project(shared), Source::Local(own)] {
                let Some(file) = source.file() else { continue };
                let Some(Ok(document)) = self.documents.bytes(file).map(layers::plain) else { continue };
                let text = |told: &Told| document.value(&told.pointer).ok().flatten().as_ref().and_then(text_of);
                let url = self.told.iter().find(|told| told.key == BASE_URL).and_then(text);
                let stands = |told: &&Told| {
                    let other = text(told).is_some_and(|value| !self.agrees(told, &value, url.as_deref()));
                    other && told.key != API_KEY && told.for_what != Purpose::Name
                };
                let mut keys: Vec<_> = self.told.iter().filter(stands).map(|told| told.key).collect();
                let other = OTHER_WAYS.iter().map(|(name, _)| *name);
                let switch = |name: &str| document.value(&Pointer::of(&["env", name])).ok().flatten();
                let on = |name: &str| switch(name).as_ref().and_then(text_of).is_some_and(|value| is_on(&value));
                keys.extend(other.filter(|name| on(name)));
                if !keys.is_empty() {
                    let what = format!("In this project other settings hold: {}.", keys.join(", "));
                    let cure = format!(
                        "Take them out of the file, or set that project up as well: cd {} && codeferry setup \
                        claude-code --project.",
                        project.display()
                    );
                    found.push(conflict("project_settings", Weight::Warning, &source, what, cure));
                }
            }
        }
    }

    /// What the place itself brings along.
    pub(super) fn place(&self, found: &mut Vec<Conflict>) {
        match &self.target.scope {
            Scope::User => {}
            Scope::Wsl { distribution } => {
                let config = self.world.at_home(&[".wslconfig"]);
                if !wsl::reaches_windows(distribution, self.documents.text(&config)) {
                    let what = format!(
                        "127.0.0.1 in {} is not Windows: its network is one of its own, and Claude Code there \
                        does not reach this gateway.",
                        distribution.name
                    );
                    let cure = "Put networkingMode=mirrored under [wsl2] into .wslconfig and run wsl \
                    --shutdown, or run Codeferry inside the distribution.";
                    found.push(conflict("wsl_network", Weight::Blocks, config.display(), what, cure));
                }
                let missing = |file: &Path| *self.documents.held(file) == Held::Missing;
                if let Some(file) = self.target.file().filter(|file| missing(file)) {
                    let what =
                        format!("A file that is made from Windows can be read by everybody in {}.", distribution.name);
                    let cure = "Run chmod 600 ~/.claude/settings.json there afterwards.";
                    found.push(conflict("exposed", Weight::Note, file.display(), what, cure));
                }
            }
            Scope::Project { folder } => {
                let git = self.world.join(folder, &[".git", "HEAD"]);
                let mut lists = vec![
                    self.world.join(folder, &[".gitignore"]),
                    self.world.join(folder, &[".git", "info", "exclude"]),
                ];
                lists.extend(places::git_ignores(self.world));
                let passed_over = lists.iter().filter_map(|list| self.documents.text(list)).any(passes_over);
                if *self.documents.held(&git) != Held::Missing && !passed_over {
                    let place = self.target.file().map(|file| file.display().to_string()).unwrap_or_default();
                    let what = "The file holds a client key, lies in a git repository, and no list of files to \
                    pass over that was found names it.";
                    let cure = "Add .claude/settings.local.json to .gitignore before you commit.";
                    found.push(conflict("git", Weight::Warning, place, what, cure));
                }
            }
        }
    }

    /// Sessions that began before the file was written.
    pub(super) fn sessions(&self, found: &mut Vec<Conflict>) {
        let Some(folder) = layers::folder_of(self.target).filter(|_| matches!(self.target.scope, Scope::User)) else {
            return;
        };
        let written = self.target.file().and_then(|file| self.world.files.modified(file));
        let here = self
            .before
            .all_of(BASE_URL)
            .into_iter()
            .any(|(url, source)| source.file() == self.target.file() && self.intent.is_here(url));
        for session in sessions::running(self.world, &folder) {
            // One that began after the file was written knows what it says.
            if here && written.is_some_and(|written| session.since >= written) {
                continue;
            }
            let what =
                format!("A session of Claude Code runs in {} and keeps the settings it began with.", session.folder);
            let cure = "End it and start it again (claude --continue goes on with the conversation).";
            found.push(conflict("running_session", Weight::Note, format!("process {}", session.pid), what, cure));
        }
    }
}

/// Whether a list for git names the file, or the folder it is in.
fn passes_over(list: &str) -> bool {
    let names = [
        ".claude/settings.local.json",
        "settings.local.json",
        ".claude",
        ".claude/*",
        "*.local.json",
        ".claude/*.local.json",
    ];
    list.lines().map(str::trim).any(|line| {
        let line = line.trim_start_matches("**/").trim_start_matches('/').trim_end_matches('/');
        names.contains(&line)
    })
}

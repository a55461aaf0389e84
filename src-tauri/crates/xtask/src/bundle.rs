//! `cargo xtask bundle`: what people install, in one folder with its sums and its list of parts.
//!
//! Both programs are built here, and Tauri's CLI puts them together: the shell as the program of the package, and the
//! headless binary beside it. So the version, the flags and the lock file are the same for both. docs/packaging.md says what
//! is in which package.

mod collect;
mod parts;
mod sbom;
mod verify;

pub(crate) use self::collect::names;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use self::parts::{Machine, Signing};
use crate::place::Place;
use crate::tools::{TAURI, debian, node};
use crate::{run, say, shell, sums, ui};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Kinds of packages (default: deb and rpm, or app and dmg, or nsis and msi, as the system is)
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    targets: Vec<String>,
    /// Build for this machine; `universal-apple-darwin` is both kinds of Mac
    #[arg(long, value_name = "TRIPLE")]
    machine: Option<String>,
    /// Without optimisation: quick to build, large and slow
    #[arg(long)]
    debug: bool,
    /// Afterwards install each package here, start it, and remove it (Debian, as root)
    #[arg(long)]
    verify: bool,
    /// Do not build: verify what stands in the folder
    #[arg(long, requires = "verify")]
    no_build: bool,
}

/// What Tauri's CLI reads to sign for macOS. A secret that a repository does not have is an empty variable, and the CLI would
/// try to sign with it.
const APPLE: [&str; 6] = [
    "APPLE_CERTIFICATE",
    "APPLE_CERTIFICATE_PASSWORD",
    "APPLE_SIGNING_IDENTITY",
    "APPLE_ID",
    "APPLE_PASSWORD",
    "APPLE_TEAM_ID",
];

pub(crate) fn run(place: &Place, args: &Args) -> Result<()> {
    let packages = place.root.join("target/bundle");
    if !args.no_build {
        make(place, args, &packages)?;
    }
    if args.verify {
        verify::run(place, &packages)?;
    }
    Ok(())
}

fn make(place: &Place, args: &Args, packages: &Path) -> Result<()> {
    debian::ensure(&[debian::COMPILER, debian::ROOTS, debian::NODE, debian::DESKTOP])?;
    let machine = Machine::parse(args.machine.as_deref())?;
    // Elsewhere a dashboard that cannot be built is left out. Nobody should install that.
    ui::build(place)?;
    let kinds: Vec<_> =
        if args.targets.is_empty() { parts::KINDS.map(str::to_owned).to_vec() } else { args.targets.clone() };
    let made = Build { place, machine, debug: args.debug };
    say::step("building the headless binary (minutes, the first time)");
    let headless = made.headless()?;
    let staged = made.stage(&headless)?;
    say::step("building the desktop app and its packages");
    made.shell(&staged, &kinds)?;

    say::step("collecting");
    if packages.exists() {
        fs::remove_dir_all(packages).with_context(|| format!("cannot clear {}", packages.display()))?;
    }
    fs::create_dir_all(packages).with_context(|| format!("cannot make {}", packages.display()))?;
    let version = version(place)?;
    collect::packages(&made.output().join("bundle"), packages, &version, &made.machine)?;
    collect::headless(place, &headless, packages, &version, &made.machine)?;
    say::step("listing the parts");
    sbom::write(place, &made.machine, packages, &version)?;
    let files = names(packages)?;
    fs::write(packages.join("SHA256SUMS"), sums::of(packages, &files)?)?;
    say::data(&format!("{}\n\nin {}", files.join("\n"), packages.display()));
    Ok(())
}

/// The version of the workspace, as cargo reads it.
pub(crate) fn version(place: &Place) -> Result<String> {
    let id = run::output(&mut run::cargo(place, &["pkgid", "-p", shell::PACKAGE]))?;
    let version = id.trim().rsplit(['#', '@']).next().map(str::to_owned);
    version.filter(|version| version.contains('.')).with_context(|| format!("no version in `{}`", id.trim()))
}

/// One making of packages.
struct Build<'a> {
    place: &'a Place,
    machine: Machine,
    debug: bool,
}

// === impl Build ===

impl Build<'_> {
    fn profile(&self) -> &'static str {
        if self.debug { "debug" } else { "release" }
    }

    /// Where cargo and Tauri put what they make.
    fn output(&self) -> PathBuf {
        self.folder(self.machine.asked.as_deref())
    }

    fn folder(&self, triple: Option<&str>) -> PathBuf {
        let target = triple.map_or_else(|| self.place.target.clone(), |triple| self.place.target.join(triple));
        target.join(self.profile())
    }

    /// The headless binary for each kind of machine, and under the name that stands for all of them.
    fn headless(&self) -> Result<Vec<(String, PathBuf)>> {
        let mut built = Vec::new();
        for triple in &self.machine.triples {
            let mut build = run::cargo(self.place, &["build", "--quiet", "--locked", "-p", "codeferry-cli"]);
            build.args(["--bin", "codeferry"]);
            if !self.debug {
                build.arg("--release");
            }
            let asked = self.machine.asked.is_some().then_some(triple.as_str());
            if let Some(triple) = asked {
                build.args(["--target", triple]);
            }
            run::run(&mut build)?;
            built.push((triple.clone(), self.folder(asked).join(self.machine.executable("codeferry"))));
        }
        if let Some(name) = self.machine.asked.as_deref().filter(|_| built.len() > 1) {
            let both = self.place.target.join("bundle-input").join(format!("codeferry-{name}"));
            fs::create_dir_all(both.parent().unwrap_or(&both))?;
            let mut lipo = Command::new("lipo");
            run::run(lipo.args(["-create", "-output"]).arg(&both).args(built.iter().map(|(_, path)| path)))?;
            built.push((name.to_owned(), both));
        }
        Ok(built)
    }

    /// Tauri looks for binaries that go along by the name of the machine they are for. Gives the name without it.
    fn stage(&self, headless: &[(String, PathBuf)]) -> Result<PathBuf> {
        let folder = self.place.target.join("bundle-input");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (triple, path) in headless {
            let staged = folder.join(self.machine.executable(&format!("codeferry-{triple}")));
            if *path != staged {
                fs::copy(path, &staged).with_context(|| format!("cannot copy {}", path.display()))?;
            }
        }
        Ok(folder.join("codeferry"))
    }

    fn shell(&self, headless: &Path, kinds: &[String]) -> Result<()> {
        // What stands there from another version would be taken for ours.
        let output = self.output().join("bundle");
        if output.exists() {
            fs::remove_dir_all(&output).with_context(|| format!("cannot clear {}", output.display()))?;
        }
        let signing = Signing::find(|name| env::var(name).ok())?;
        if signing.updates.is_none() {
            say::note("no key to sign updates with: these packages can be installed, and will not update themselves");
        }
        let config = self.place.target.join("bundle-input/config.json");
        fs::write(&config, parts::config(headless, &signing)?)?;
        for (kinds, features) in parts::programs(kinds) {
            self.packages(&config, &kinds, features)?;
        }
        if !output.exists() {
            bail!("no packages were made in {}", output.display());
        }
        Ok(())
    }

    /// Has Tauri's CLI build the app and put these packages together.
    fn packages(&self, config: &Path, kinds: &[&str], features: Option<&str>) -> Result<()> {
        let mut command = Command::new(node::install(self.place, TAURI, "tauri")?);
        run::tidy_environment(&mut command);
        command.current_dir(&self.place.root).env("CARGO_TARGET_DIR", &self.place.target);
        for name in APPLE.into_iter().chain(Signing::UPDATES) {
            if env::var_os(name).is_some_and(|value| value.is_empty()) {
                command.env_remove(name);
            }
        }
        // Without a certificate a Mac still wants a signature, if only one that says nothing of who made it.
        let certified = APPLE.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
        if cfg!(target_os = "macos") && !certified {
            command.env("APPLE_SIGNING_IDENTITY", "-");
        }
        command.args(["build", "--ci", "--bundles", &kinds.join(","), "--config"]).arg(config);
        if let Some(features) = features {
            command.args(["--features", features]);
        }
        if self.debug {
            command.arg("--debug");
        }
        if let Some(machine) = &self.machine.asked {
            command.args(["--target", machine]);
        }
        run::run(command.args(["--", "--locked"]))
    }
}

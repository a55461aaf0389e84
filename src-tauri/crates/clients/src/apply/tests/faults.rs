//! Everything that can go wrong on the way to a file, at each step of it.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Home, REAL, URL, attempt, ours};
use crate::apply::{Trouble, Wish};
use crate::claude_code::{direct, to_us};
use crate::disk::{Disk, RealDisk};

/// A disk that fails at one step, once or from there on. `meanwhile` happens just before that step.
pub(super) struct Faulty {
    pub(super) at: usize,
    pub(super) for_good: bool,
    pub(super) done: Arc<AtomicUsize>,
    pub(super) meanwhile: Option<Box<dyn Fn() + Send + Sync>>,
    /// Files cannot change places at once.
    pub(super) plain: bool,
    /// What it fails with.
    pub(super) kind: io::ErrorKind,
}

impl Faulty {
    pub(super) fn at(at: usize, for_good: bool) -> Self {
        Self { at, for_good, done: Arc::default(), meanwhile: None, plain: false, kind: io::ErrorKind::Other }
    }

    fn step(&self) -> io::Result<()> {
        let step = self.done.fetch_add(1, Ordering::SeqCst);
        match &self.meanwhile {
            Some(meanwhile) if step == self.at => meanwhile(),
            None if step == self.at || (self.for_good && step > self.at) => return Err(self.kind.into()),
            _ => {}
        }
        Ok(())
    }
}

impl Disk for Faulty {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
        self.step().and_then(|()| RealDisk.read(path, limit))
    }
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.step().and_then(|()| RealDisk.make_folder(path))
    }
    fn create(&self, path: &Path) -> io::Result<File> {
        self.step().and_then(|()| RealDisk.create(path))
    }
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        // Half of it is there when it fails.
        let half = self.step();
        RealDisk.write(file, if half.is_ok() { bytes } else { &bytes[..bytes.len() / 2] })?;
        half
    }
    fn dress(&self, path: &Path, like: &Metadata) -> io::Result<()> {
        self.step().and_then(|()| RealDisk.dress(path, like))
    }
    fn sync(&self, _: &File) -> io::Result<()> {
        // No power is cut here, and waiting for the disk is most of the time.
        self.step()
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step().and_then(|()| RealDisk.rename(from, to))
    }
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step().and_then(|()| RealDisk.rename_new(from, to))
    }
    fn exchange(&self, one: &Path, other: &Path) -> io::Result<bool> {
        self.step().and_then(|()| if self.plain { Ok(false) } else { RealDisk.exchange(one, other) })
    }
    fn link(&self, file: &Path, name: &Path) -> io::Result<()> {
        self.step().and_then(|()| RealDisk.link(file, name))
    }
    fn wait(&self) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step().and_then(|()| RealDisk.remove(path))
    }
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.step()
    }
}

/// How many steps these wishes take here.
fn steps(make: &dyn Fn() -> Home, wishes: &[Wish]) -> usize {
    let disk = Faulty::at(usize::MAX, false);
    let done = Arc::clone(&disk.done);
    attempt(&make().on(disk), wishes).unwrap();
    done.load(Ordering::SeqCst)
}

/// At each step it fails, or is ended: the file is the old one or the new one, and what comes next finds its way.
#[test]
fn whoever_is_stopped_anywhere_leaves_a_whole_file_and_a_way_back() {
    let fresh = || Home::with(REAL[0]);
    let applied = || {
        let home = fresh();
        home.wish(&ours());
        home
    };
    let new = applied().text();
    let cases = [
        (&fresh as &dyn Fn() -> Home, ours(), REAL[0], new.as_str()),
        (&applied, direct(None), &new, REAL[0]),
        (&applied, to_us(URL, "cf_other", None), &new, &new.replace("cf_secret", "cf_other")),
    ];
    for (make, wishes, before, after) in &cases {
        let steps = steps(make, wishes);
        assert!(steps > 20, "{steps}");
        for at in 0..steps {
            for for_good in [false, true] {
                let home = make();
                let failed = attempt(&home.on(Faulty::at(at, for_good)), wishes).is_err();
                let text = home.text();
                assert!(text == *before || text == *after, "{at}: {text}");
                assert!(failed || text == *after, "{at}: who says that it is done has done it");
                // Again, now that the disk is well; and back.
                home.wish(wishes);
                assert_eq!(home.text(), *after, "{at}");
                let done = home.wish(&direct(None));
                assert_eq!((home.text(), done.kept), (REAL[0].to_owned(), vec![]), "{at}, {for_good}");
                let left = fs::read_dir(home.file().parent().unwrap()).unwrap().count();
                assert_eq!(left, 1, "{at}: nothing lies beside it");
            }
        }
    }
}

/// Claude Code writes its file, too, and at any moment: what it wrote is there afterwards.
#[test]
fn a_racing_writer_loses_nothing() {
    let steps = steps(&|| Home::with(REAL[0]), &ours());
    let (mut refused, mut lost) = (0, 0);
    for at in 1..steps {
        let home = Home::with(REAL[0]);
        let (file, theirs) = (home.file(), REAL[0].replace("Edit", "Write"));
        let text = theirs.clone();
        let meanwhile = Box::new(move || {
            // The last step of all comes after the rename: whoever writes then has read ours.
            let now = fs::read_to_string(&file).unwrap();
            fs::write(&file, if now == REAL[0] { text.clone() } else { now.replace("Edit", "Write") }).unwrap();
        });
        let disk = Faulty { meanwhile: Some(meanwhile), ..Faulty::at(at, false) };
        match attempt(&home.on(disk), &ours()) {
            Ok(_) => assert!(home.text().contains(URL)),
            Err(Trouble::Changed { .. }) => {
                refused += 1;
                assert_eq!(home.text(), theirs, "{at}");
            }
            Err(trouble) => panic!("{trouble}"),
        }
        lost += usize::from(!home.text().contains("Write"));
        home.wish(&ours());
        home.wish(&direct(None));
        assert_eq!(home.text().replace("Write", "Edit"), REAL[0]);
    }
    assert!(refused > 20, "{refused}");
    assert_eq!(lost, 0);
}

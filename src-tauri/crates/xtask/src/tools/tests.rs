//! No network: the installations are made up.

use std::cell::Cell;

use anyhow::bail;

use super::*;

const PIN: Pin = Pin { name: "thing", version: "1.0.0" };
const NEWER: Pin = Pin { name: "thing", version: "1.0.1" };

#[test]
fn what_is_there_is_not_installed_again_and_another_version_is() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("thing-1.0.0");
    let times = Cell::new(0);
    let count = || {
        times.set(times.get() + 1);
        Ok(())
    };
    installed(&folder, &[PIN], count).unwrap();
    installed(&folder, &[PIN], count).unwrap();
    assert_eq!(times.get(), 1, "the stamp says it is there");
    installed(&folder, &[NEWER], count).unwrap();
    assert_eq!(times.get(), 2, "the stamp names another version");
}

#[test]
fn an_interrupted_installation_is_made_anew_from_an_empty_folder() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("thing-1.0.0");
    let broken = installed(&folder, &[PIN], || {
        fs::write(folder.join("half"), "")?;
        bail!("the network went away")
    });
    assert!(broken.is_err());
    installed(&folder, &[PIN], || {
        assert!(!folder.join("half").exists(), "leftovers of the first try are gone");
        Ok(())
    })
    .unwrap();
}

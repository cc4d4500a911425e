//! The map of the rooms: which may know which (STYLE §2), and what a room and a file look like.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::workspace;

/// Each room and the rooms it may use. The binary is not listed: it may use every room, and none
/// may use it.
const ARROWS: [(&str, &[&str]); 11] = [
    ("core", &[]),
    ("market", &["core"]),
    ("statements", &["core"]),
    ("tax", &["core"]),
    ("broker", &["core"]),
    ("chart", &["core"]),
    ("tensor", &[]),
    ("sim", &["core", "market", "tax"]),
    ("nn", &["tensor", "sim"]),
    ("train", &["nn", "sim", "tensor", "market", "core", "tax"]),
    ("advisor", &["core", "market", "statements", "tax", "sim", "nn"]),
];

/// The folder and package of the binary.
const BINARY: &str = "lotwise";
/// A file longer than this probably holds a second subject.
const LONG_FILE: usize = 800;

/// A crate of the house and the crates of the house that its manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Room {
    folder: String,
    package: String,
    uses: Vec<String>,
}

/// Fails with one sentence per forbidden arrow or misnamed room; warns about long files.
pub fn run() -> Result<()> {
    let rooms = rooms()?;
    let mut faults: Vec<String> = rooms.iter().filter_map(misnamed).collect();
    faults.extend(forbidden(&rooms));
    for path in workspace::files(workspace::root(), "rs")? {
        let lines = std::fs::read_to_string(&path)?.lines().count();
        if lines > LONG_FILE {
            let shown = path.strip_prefix(workspace::root()).unwrap_or(&path);
            println!("warning: {} has {lines} lines: is there a second subject inside?", shown.display());
        }
    }
    if !faults.is_empty() {
        for fault in &faults {
            eprintln!("error: {fault}");
        }
        bail!("{} arrows or names break the map of the rooms", faults.len());
    }
    let arrows: usize = rooms.iter().map(|room| room.uses.len()).sum();
    println!("layers: {} rooms, {arrows} arrows, all allowed", rooms.len());
    Ok(())
}

fn rooms() -> Result<Vec<Room>> {
    let metadata = workspace::metadata()?;
    let crates = workspace::root().join("crates");
    let members: Vec<_> = metadata.workspace_packages();
    let names: Vec<String> = members.iter().map(|package| package.name.to_string()).collect();
    let mut rooms = Vec::new();
    for package in members {
        let folder = package.manifest_path.parent().map(|path| path.as_std_path()).unwrap_or(workspace::root());
        if folder.parent() != Some(crates.as_path()) {
            continue;
        }
        let mut uses: Vec<String> = package
            .dependencies
            .iter()
            .map(|dependency| dependency.name.clone())
            .filter(|name| names.contains(name))
            .collect();
        uses.sort();
        uses.dedup();
        rooms.push(Room {
            folder: folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            package: package.name.to_string(),
            uses,
        });
    }
    Ok(rooms)
}

/// The package name that a folder under `crates/` asks for.
fn package_of(folder: &str) -> String {
    if folder == BINARY { BINARY.to_owned() } else { format!("{BINARY}-{folder}") }
}

fn misnamed(room: &Room) -> Option<String> {
    let expected = package_of(&room.folder);
    (room.package != expected)
        .then(|| format!("the folder crates/{} holds the package {}, not {expected}", room.folder, room.package))
}

fn forbidden(rooms: &[Room]) -> Vec<String> {
    let allowed: BTreeMap<String, Vec<String>> = ARROWS
        .iter()
        .map(|(room, uses)| (package_of(room), uses.iter().map(|used| package_of(used)).collect()))
        .collect();
    let mut faults = Vec::new();
    for room in rooms {
        let arrows = allowed.get(&room.package);
        if arrows.is_none() && room.package != BINARY {
            faults.push(format!("{} is not on the map of the rooms (xtask/src/layers.rs)", room.package));
            continue;
        }
        for used in &room.uses {
            if used == BINARY || !allowed.contains_key(used) {
                faults.push(format!("{} must not use {used}, which is no room", room.package));
            } else if arrows.is_some_and(|arrows| !arrows.contains(used)) {
                let may =
                    arrows.filter(|arrows| !arrows.is_empty()).map_or("no other room".to_owned(), |a| a.join(", "));
                faults.push(format!("{} must not use {used}; it may use {may}", room.package));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(folder: &str, package: &str, uses: &[&str]) -> Room {
        Room {
            folder: folder.into(),
            package: package.into(),
            uses: uses.iter().map(|used| (*used).to_owned()).collect(),
        }
    }

    #[test]
    fn arrows_that_point_down_pass() {
        let rooms = [
            room("core", "lotwise-core", &[]),
            room("sim", "lotwise-sim", &["lotwise-core", "lotwise-market", "lotwise-tax"]),
            room("nn", "lotwise-nn", &["lotwise-sim", "lotwise-tensor"]),
            room("lotwise", "lotwise", &["lotwise-advisor", "lotwise-chart", "lotwise-broker"]),
        ];
        assert_eq!(forbidden(&rooms), Vec::<String>::new());
        assert!(rooms.iter().all(|room| misnamed(room).is_none()));
    }

    #[test]
    fn each_forbidden_arrow_is_one_sentence() {
        let rooms = [
            room("tax", "lotwise-tax", &["lotwise-core", "lotwise-market"]),
            room("tensor", "lotwise-tensor", &["lotwise-core"]),
            room("train", "lotwise-train", &["lotwise-advisor"]),
            room("advisor", "lotwise-advisor", &["lotwise-train", "lotwise"]),
            room("attic", "lotwise-attic", &[]),
        ];
        assert_eq!(
            forbidden(&rooms),
            [
                "lotwise-tax must not use lotwise-market; it may use lotwise-core",
                "lotwise-tensor must not use lotwise-core; it may use no other room",
                "lotwise-train must not use lotwise-advisor; it may use lotwise-nn, lotwise-sim, lotwise-tensor, lotwise-market, lotwise-core, lotwise-tax",
                "lotwise-advisor must not use lotwise-train; it may use lotwise-core, lotwise-market, lotwise-statements, lotwise-tax, lotwise-sim, lotwise-nn",
                "lotwise-advisor must not use lotwise, which is no room",
                "lotwise-attic is not on the map of the rooms (xtask/src/layers.rs)",
            ]
        );
    }

    #[test]
    fn no_room_reaches_itself_through_the_map() {
        let map: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
        for (room, uses) in ARROWS {
            let mut open: Vec<&str> = uses.to_vec();
            while let Some(next) = open.pop() {
                assert_ne!(next, room, "{room} reaches itself");
                open.extend(map[next]);
            }
        }
    }

    #[test]
    fn a_folder_and_its_package_share_one_name() {
        assert_eq!(misnamed(&room("tax", "lotwise-tax", &[])), None);
        assert_eq!(
            misnamed(&room("tax", "lotwise-taxes", &[])),
            Some("the folder crates/tax holds the package lotwise-taxes, not lotwise-tax".into())
        );
        assert!(misnamed(&room("lotwise", "lotwise-cli", &[])).is_some());
    }
}

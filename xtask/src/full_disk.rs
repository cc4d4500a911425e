//! Fills a real file system by imports, and looks at what is left when there is no more room.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

use crate::crash::{built, history, whole};

/// Rows of one file; every file has rows of its own.
const ROWS: u32 = 150;

/// A file system that takes more imports than this is not a small one.
const MOST_IMPORTS: u32 = 400;

/// Imports until the file system of `folder` is full. The import that finds no room has to say so and change nothing,
/// and the ledger has to be usable and undoable then.
pub fn run(folder: &Path) -> Result<()> {
    ensure!(
        fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?.next().is_none(),
        "{} is not empty",
        folder.display()
    );
    let home = std::env::temp_dir().join(format!("lotwise-full-disk-{}", std::process::id()));
    fs::create_dir_all(&home)?;
    let disk = Disk { binary: built()?, home, data: folder.join("data") };
    let done = disk.fill();
    fs::remove_dir_all(&disk.home)?;
    done
}

struct Disk {
    binary: PathBuf,
    home: PathBuf,
    data: PathBuf,
}

impl Disk {
    fn fill(&self) -> Result<()> {
        let mut kept = String::new();
        for number in 0..MOST_IMPORTS {
            let file = format!("part-{number}.csv");
            fs::write(self.home.join(&file), history(number * ROWS..(number + 1) * ROWS))?;
            let ran = self.lotwise(&["import", &file])?;
            if ran.status.success() {
                kept = self.content()?;
                continue;
            }
            ensure!(number > 0, "not even one import found room: {}", text(&ran.stderr));
            return self.look(number, &file, &ran, &kept);
        }
        anyhow::bail!("{MOST_IMPORTS} imports found room; name a folder on a smaller file system")
    }

    /// What is left after the import that found no room.
    fn look(&self, imports: u32, file: &str, ran: &Output, kept: &str) -> Result<()> {
        let told = text(&ran.stderr);
        println!(
            "{imports} imports of {ROWS} rows found room; the next one ended with {:?}:\n{told}",
            ran.status.code()
        );
        ensure!(ran.status.code() == Some(1), "an import without room has to end with 1");
        ensure!(told.contains("full") || told.contains("space"), "the message does not say that there is no room");
        ensure!(self.content()? == kept, "the import that failed changed the ledger");
        whole(&self.data.join("ledger.db"))?;
        let doctor = self.lotwise(&["doctor", "--json"])?;
        ensure!(doctor.status.success(), "doctor finds: {}", text(&doctor.stdout));
        let undone = self.lotwise(&["import", "undo", "1", "--yes"])?;
        match undone.status.success() {
            true => println!("an undo found room on the full disk"),
            false => {
                println!("an undo found no room either, and said so:\n{}", text(&undone.stderr));
                ensure!(self.content()? == kept, "the undo that failed changed the ledger");
            }
        }
        // Room comes back when something else goes; here the ledger moves to a larger disk.
        let larger = self.home.join("larger");
        fs::create_dir_all(&larger)?;
        #[cfg(unix)]
        fs::set_permissions(&larger, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        for entry in fs::read_dir(&self.data)? {
            let entry = entry?;
            fs::copy(entry.path(), larger.join(entry.file_name()))?;
        }
        let moved = Self { binary: self.binary.clone(), home: self.home.clone(), data: larger };
        let again = moved.lotwise(&["import", file])?;
        ensure!(again.status.success(), "with room the import still fails: {}", text(&again.stderr));
        println!("full disk: nothing lost, and with more room the same import succeeds");
        Ok(())
    }

    fn content(&self) -> Result<String> {
        let ran = self.lotwise(&["doctor", "--dump"])?;
        ensure!(ran.status.success(), "the content cannot be read: {}", text(&ran.stderr));
        Ok(text(&ran.stdout))
    }

    fn lotwise(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.binary);
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("LOTWISE_DATA_DIR", &self.data)
            .env("LOTWISE_MODE", "ledger")
            .current_dir(&self.home)
            .args(arguments)
            .stdin(Stdio::null());
        Ok(command.output()?)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

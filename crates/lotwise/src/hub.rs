//! Published networks from a model hub: `temporal.weights = "hub:OWNER/NAME"` (or `hub:OWNER/NAME@REVISION`) is fetched
//! into a folder of the cache, once.
//!
//! Fetching is a feature of the build, `hub`; without it such a name is refused.

use lotwise_train::encoder::TemporalChoice;

use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};

/// What such a name begins with.
const SCHEME: &str = "hub:";

/// Puts the folder of the weights beside their name on the hub, which stays what is written down; fetches them
/// where they are not there yet and that is wanted. Other choices stay as they are.
///
/// # Errors
/// When the name does not read, this build has no hub, or the network cannot be had.
pub fn resolve(choice: &mut TemporalChoice, fetch: bool, context: &Context) -> Result<(), Failure> {
    let Some(name) = choice.weights.as_deref().and_then(|weights| weights.strip_prefix(SCHEME)) else { return Ok(()) };
    let network = Network::parse(name)?;
    choice.folder = Some(folder(&network, fetch, context)?);
    Ok(())
}

/// A network on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Network {
    owner: String,
    name: String,
    revision: String,
}

impl Network {
    fn parse(text: &str) -> Result<Self, CliError> {
        // Nothing that could leave the folder of the cache or the path of the address.
        let fine = |part: &str| {
            let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            (1..=96).contains(&part.len()) && !part.starts_with('.') && part.bytes().all(letter)
        };
        let (path, revision) = text.split_once('@').unwrap_or((text, "main"));
        match path.split_once('/') {
            Some((owner, name)) if [owner, name, revision].into_iter().all(fine) => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned(), revision: revision.to_owned() })
            }
            _ => Err(CliError::new(
                "bad-hub-name",
                Exit::Usage,
                format!("temporal.weights is {:?}, which is no name on a hub", format!("{SCHEME}{text}")),
            )
            .help("write hub:OWNER/NAME or hub:OWNER/NAME@REVISION, for instance hub:amazon/chronos-t5-tiny")),
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{SCHEME}{}/{}@{}", self.owner, self.name, self.revision)
    }
}

#[cfg(not(feature = "hub"))]
fn folder(network: &Network, _: bool, _: &Context) -> Result<String, Failure> {
    let message = format!("temporal.weights is {network}, and this build fetches nothing from a model hub");
    Err(CliError::new("no-hub", Exit::Usage, message)
        .help("build with --features hub, or put config.json and model.safetensors into a folder and name that")
        .into())
}

#[cfg(feature = "hub")]
use fetch::folder;

#[cfg(feature = "hub")]
mod fetch {
    use std::fs::{File, TryLockError};
    use std::io::{ErrorKind, Read};
    use std::path::Path;
    use std::time::Duration;

    use lotwise_nn::chronos::Chronos;

    use super::Network;
    use crate::context::Context;
    use crate::errors::{CliError, Exit, Failure, Place};
    use crate::interrupt;

    /// The public hub, and the variable that puts another in its place, for mirrors and for tests.
    const PUBLIC: &str = "https://huggingface.co";
    const ADDRESS_VARIABLE: &str = "LOTWISE_HUB_URL";
    /// What is fetched, and the most bytes of each.
    const FILES: [(&str, u64); 2] = [("config.json", 1 << 20), ("model.safetensors", 4 << 30)];
    /// What begins the name of a folder that is not whole yet; no revision begins with a point.
    const PARTIAL: &str = ".partial-";
    /// Time to reach the hub, and time for all of a file.
    const CONNECT: Duration = Duration::from_secs(20);
    const WHOLE: Duration = Duration::from_secs(1800);

    /// The folder of a network in the cache; it is there whole or not at all.
    pub fn folder(network: &Network, wanted: bool, context: &Context) -> Result<String, Failure> {
        let cache = context.settings.cache_dir.as_ref().ok_or_else(|| {
            CliError::new("no-cache-folder", Exit::Usage, "there is no home folder to keep networks in")
                .help("name one: LOTWISE_CACHE_DIR=FOLDER, or the setting cache_dir")
        })?;
        let place = cache.join("hub").join(&network.owner).join(&network.name).join(&network.revision);
        if !place.is_dir() && !wanted {
            let message = format!("{network} is not in the cache, and a dry run fetches nothing");
            let help = "leave out --dry-run, or put config.json and model.safetensors into a folder and name that";
            return Err(CliError::new("no-hub-network", Exit::DataMissing, message).help(help).into());
        }
        if !place.is_dir() {
            // Whoever presses Ctrl-C leaves nothing behind.
            interrupt::listen();
            let fetched = fetch(network, &place, context);
            interrupt::listen_no_more();
            if interrupt::wanted() {
                let message = format!("stopped while {network} was fetched");
                return Err(CliError::new("interrupted", Exit::Interrupted, message).into());
            }
            fetched?;
        }
        Ok(place.display().to_string())
    }

    fn fetch(network: &Network, place: &Path, context: &Context) -> Result<(), Failure> {
        let unwritable = |error: std::io::Error| {
            let message = format!("{network} cannot be kept: {error}");
            CliError::new("unwritable", Exit::Failed, message).at(Place::file(place.display().to_string()))
        };
        let beside = place.parent().unwrap_or(place);
        std::fs::create_dir_all(beside).map_err(unwritable)?;
        let _held = hold(&beside.with_file_name(format!(".{}.lock", network.name))).map_err(unwritable)?;
        if place.is_dir() {
            return Ok(());
        }
        remove_partial(beside).map_err(unwritable)?;
        let partial = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(beside).map_err(unwritable)?;
        let base = std::env::var(ADDRESS_VARIABLE).ok().filter(|url| !url.is_empty());
        let base = base.as_deref().unwrap_or(PUBLIC).trim_end_matches('/');
        let agent = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(WHOLE))
            .http_status_as_error(false)
            .user_agent("lotwise")
            .proxy(ureq::Proxy::try_from_env())
            .build()
            .new_agent();
        for (file, most) in FILES {
            context.style.say(&format!("fetching {file} of {network}"));
            let Network { owner, name, revision } = network;
            let url = format!("{base}/{owner}/{name}/resolve/{revision}/{file}");
            one(&agent, &url, most, &partial.path().join(file))
                .map_err(|problem| unavailable(network, &format!("{file}: {problem}")))?;
        }
        // What cannot be used is not kept, or it would be in the way for good.
        Chronos::load(partial.path()).map_err(|error| {
            CliError::new("unusable-weights", Exit::Input, format!("{network} cannot be used: {error}"))
        })?;
        std::fs::rename(partial.path(), place).or_else(|error| {
            // Somebody else was faster.
            if place.is_dir() { Ok(()) } else { Err(unwritable(error)) }
        })?;
        Ok(())
    }

    /// Keeps other programs from fetching the same for as long as what is returned lives; waits for one that does.
    fn hold(path: &Path) -> std::io::Result<File> {
        let file = File::create(path)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if interrupt::wanted() => return Err(ErrorKind::Interrupted.into()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(200)),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// What a program left that was killed: nobody else is fetching.
    fn remove_partial(beside: &Path) -> std::io::Result<()> {
        for entry in std::fs::read_dir(beside)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    fn unavailable(network: &Network, problem: &str) -> CliError {
        CliError::new("no-hub-network", Exit::DataMissing, format!("{network} cannot be fetched: {problem}"))
            .help("try again with a connection, or put config.json and model.safetensors into a folder and name that")
    }

    /// Ends where somebody pressed Ctrl-C.
    struct Stoppable<R>(R);

    impl<R: Read> Read for Stoppable<R> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            // Not `Interrupted`, which asks to try again.
            if interrupt::wanted() { Err(ErrorKind::ConnectionAborted.into()) } else { self.0.read(buffer) }
        }
    }

    /// Fetches a file, or says why not.
    fn one(agent: &ureq::Agent, url: &str, most: u64, to: &Path) -> Result<(), String> {
        let mut response = agent.get(url).call().map_err(|error| error.to_string())?;
        match response.status().as_u16() {
            200 => {}
            401 | 403 => return Err("the hub asks for a permission that nobody gave".to_owned()),
            404 => return Err("the hub does not know it".to_owned()),
            status => return Err(format!("the hub answers with status {status}")),
        }
        let announced = response.body().content_length();
        let body = response.body_mut().with_config().limit(most).reader();
        let mut file = File::create(to).map_err(|error| error.to_string())?;
        let mut body = Stoppable(body.take(most));
        let copied = std::io::copy(&mut body, &mut file).map_err(|error| error.to_string())?;
        file.sync_all().map_err(|error| error.to_string())?;
        match announced {
            Some(announced) if announced != copied => Err(format!("{copied} bytes came of {announced}")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_folder() {
        let shown = |text: &str| Network::parse(text).ok().map(|network| network.to_string());
        assert_eq!(shown("amazon/chronos-t5-tiny").as_deref(), Some("hub:amazon/chronos-t5-tiny@main"));
        assert_eq!(shown("a/b@v1.0").as_deref(), Some("hub:a/b@v1.0"));
        for bad in ["", "amazon", "/x", "a/", "../b", "a/..", "a/b/c", "a/b@", "a/b@../c", "a b/c", "a/b?x=1"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }
}

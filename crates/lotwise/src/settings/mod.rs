//! Settings: flag, then `LOTWISE_*`, then `./lotwise.toml`, then the user's config folder, then
//! the default. The keys stand in one table ([`KEYS`]); each is a line of TOML and a variable.

mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lotwise_core::{Date, Money, Rate, Symbol};
use lotwise_tax::{FilingStatus, FlatRates, StateRates};

use crate::args::RateArgs;
use crate::errors::{CliError, Exit, Failure, Place, did_you_mean};
use crate::store::Mode;

/// Nobody waits longer than ten minutes.
const LONGEST_WAIT_SECONDS: u16 = 600;

/// Every key and what it means.
pub const KEYS: [(&str, &str); 13] = [
    ("status", "how you file: single, married_joint, married_separate, head_of_household or surviving_spouse"),
    ("short_rate", "marginal rate on short-term gains, for instance 0.24"),
    ("long_rate", "marginal rate on long-term gains, for instance 0.15"),
    ("state_short_rate", "state rate on short-term gains, for instance 0.05"),
    ("state_long_rate", "state rate on long-term gains, for instance 0.05"),
    ("identity_groups", "lists of symbols that you take as substantially identical: [[\"VOO\", \"SPY\"]]"),
    ("cache_dir", "folder of the price cache"),
    ("data_dir", "folder of the ledger"),
    ("mode", "what an import keeps: profile-only or ledger"),
    ("wait_seconds", "how long to wait for another lotwise that writes to the ledger, for instance 10"),
    ("daily_loss_limit", "loss of one session that blocks purchases, for instance 0.02"),
    ("max_order", "largest single order in dollars, for instance 5000"),
    ("max_position", "largest fraction of the value in one position, for instance 0.20"),
];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of this command.
    Flag(&'static str),
    /// A variable of the environment.
    Variable(String),
    /// A line of a settings file.
    File(PathBuf, u32),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => formatter.write_str(flag),
            Self::Variable(name) => formatter.write_str(name),
            Self::File(path, line) => write!(formatter, "{}:{line}", path.display()),
        }
    }
}

impl Origin {
    fn place(&self) -> Place {
        match self {
            Self::Flag(flag) => Place { field: Some((*flag).to_owned()), ..Place::default() },
            Self::Variable(name) => Place { field: Some(name.clone()), ..Place::default() },
            Self::File(path, line) => Place { line: Some(*line), ..Place::file(path.display().to_string()) },
        }
    }
}

/// The guardrails of an account (SPEC S-05).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Loss of one session, as a fraction of the value, that blocks purchases.
    pub daily_loss: Rate,
    /// Largest single order.
    pub max_order: Money,
    /// Largest fraction of the value in one position.
    pub max_position: Rate,
}

/// The settings of this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How the person files; `None` where nothing was stated.
    pub status: Option<FilingStatus>,
    /// Flat marginal rates.
    pub rates: FlatRates,
    /// State rates.
    pub state: StateRates,
    /// Symbols that the person declares substantially identical.
    pub identity_groups: Vec<Vec<Symbol>>,
    /// Folder of the price cache; `None` where neither a setting nor a home folder tells.
    pub cache_dir: Option<PathBuf>,
    /// Folder of the ledger; `None` where neither a setting nor a home folder tells.
    pub data_dir: Option<PathBuf>,
    /// What an import keeps, where the person stated it in the settings.
    pub mode: Option<Mode>,
    /// How long to wait for another process that writes to the ledger, in seconds.
    pub wait_seconds: u16,
    /// Guardrails.
    pub limits: Limits,
    /// Another day to take for today (`LOTWISE_TODAY`).
    pub today: Option<Date>,
    /// Where each value that is not a default comes from.
    pub origins: BTreeMap<&'static str, Origin>,
}

impl Settings {
    /// Whether the person stated the value, or it is the default: then it is an assumption.
    #[must_use]
    pub fn stated(&self, key: &str) -> bool {
        self.origins.contains_key(key)
    }

    /// Puts the rates given as flags over the others.
    ///
    /// # Errors
    /// When a rate is not a fraction of one.
    pub fn with_rates(mut self, rates: &RateArgs) -> Result<Self, Failure> {
        let flags = [
            ("short_rate", "--short-rate", rates.short_rate),
            ("long_rate", "--long-rate", rates.long_rate),
            ("state_short_rate", "--state-short-rate", rates.state_short_rate),
            ("state_long_rate", "--state-long-rate", rates.state_long_rate),
        ];
        for (key, flag, rate) in flags {
            if let Some(rate) = rate {
                self.set(key, &Raw::Text(rate.to_string()), Origin::Flag(flag))?;
            }
        }
        Ok(self)
    }

    fn set(&mut self, key: &'static str, raw: &Raw, origin: Origin) -> Result<(), CliError> {
        let bad = |reason: String| {
            CliError::new("bad-setting", Exit::Usage, format!("the setting {key} {reason}")).at(origin.place())
        };
        match key {
            "status" => {
                let text = raw.text().map_err(&bad)?;
                let known = FilingStatus::ALL.map(FilingStatus::name);
                self.status = Some(FilingStatus::parse(&text).ok_or_else(|| {
                    bad(format!("is {text:?}, which is no filing status")).help(did_you_mean(&text, known, 5))
                })?);
            }
            "identity_groups" => self.identity_groups = raw.groups().map_err(&bad)?,
            "cache_dir" => self.cache_dir = Some(PathBuf::from(raw.text().map_err(&bad)?)),
            "data_dir" => self.data_dir = Some(PathBuf::from(raw.text().map_err(&bad)?)),
            "mode" => {
                let text = raw.text().map_err(&bad)?;
                self.mode = Some(Mode::parse(&text).ok_or_else(|| {
                    bad(format!("is {text:?}, which is no mode")).help(did_you_mean(
                        &text,
                        Mode::ALL.map(Mode::name),
                        2,
                    ))
                })?);
            }
            "wait_seconds" => {
                let text = raw.text().map_err(&bad)?;
                let seconds = text.trim().parse().ok().filter(|&seconds: &u16| seconds <= LONGEST_WAIT_SECONDS);
                self.wait_seconds = seconds.ok_or_else(|| {
                    bad(format!("is {text:?}, and must be a whole number up to {LONGEST_WAIT_SECONDS}"))
                })?;
            }
            "max_order" => {
                let amount =
                    raw.text().and_then(|text| Money::parse(&text).map_err(|error| format!("is wrong: {error}")));
                self.limits.max_order = amount.map_err(&bad)?;
                if !self.limits.max_order.is_positive() {
                    return Err(bad("must be above zero".to_owned()));
                }
            }
            _ => {
                let rate = raw.text().and_then(|text| Rate::parse(&text).map_err(|error| format!("is wrong: {error}")));
                let rate = rate.map_err(&bad)?;
                if rate.is_negative() || rate >= Rate::ONE {
                    return Err(
                        bad(format!("is {rate}, and must be a fraction from 0 to below 1")).help("write 24 % as 0.24")
                    );
                }
                match key {
                    "short_rate" => self.rates.short = rate,
                    "long_rate" => self.rates.long = rate,
                    "state_short_rate" => self.state.short = rate,
                    "state_long_rate" => self.state.long = rate,
                    "daily_loss_limit" => self.limits.daily_loss = rate,
                    "max_position" => self.limits.max_position = rate,
                    _ => unreachable!("Invariant: KEYS names every setting"),
                }
            }
        }
        self.origins.insert(key, origin);
        Ok(())
    }
}

/// A value before it is understood.
#[derive(Debug, Clone, PartialEq)]
enum Raw {
    Text(String),
    Toml(toml::Value),
}

impl Raw {
    fn text(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Toml(toml::Value::String(text)) => Ok(text.clone()),
            Self::Toml(toml::Value::Integer(number)) => Ok(number.to_string()),
            Self::Toml(toml::Value::Float(number)) => Ok(number.to_string()),
            Self::Toml(_) => Err("must be a text or a number".to_owned()),
        }
    }

    /// `[["VOO", "SPY"], …]` in TOML, `VOO=SPY,…` in a variable.
    fn groups(&self) -> Result<Vec<Vec<Symbol>>, String> {
        let names: Vec<Vec<String>> = match self {
            Self::Text(text) => {
                let groups = text.split(',').filter(|group| !group.trim().is_empty());
                groups.map(|group| group.split('=').map(str::to_owned).collect()).collect()
            }
            Self::Toml(value) => {
                value.clone().try_into().map_err(|_| "must be a list of lists of symbols".to_owned())?
            }
        };
        names
            .into_iter()
            .map(|group| {
                group.iter().map(|name| Symbol::parse(name).map_err(|error| format!("is wrong: {error}"))).collect()
            })
            .collect()
    }
}

/// What `load` may look at; passed in, so that tests need no process of their own.
pub struct Surroundings {
    /// Variables of the environment.
    pub variables: BTreeMap<String, String>,
    /// The folder that the program runs in.
    pub folder: PathBuf,
}

impl Surroundings {
    /// Those of this process. Variables that are not text are left out.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { variables: std::env::vars_os().filter_map(text).collect(), folder: PathBuf::from(".") }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A folder of the XDG base directories: its variable, else below the home folder.
    fn base(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let given = self.variable(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        given.or_else(|| Some(Path::new(self.variable("HOME")?).join(below_home)))
    }
}

/// Reads the settings files and the environment.
///
/// # Errors
/// Every unknown key and every value that cannot be used, in one pass.
pub fn load(surroundings: &Surroundings) -> Result<Settings, Failure> {
    let mut settings = Settings {
        status: None,
        rates: FlatRates::default(),
        state: StateRates::default(),
        identity_groups: Vec::new(),
        cache_dir: surroundings.base("XDG_CACHE_HOME", ".cache").map(|base| base.join("lotwise")),
        data_dir: surroundings.base("XDG_DATA_HOME", ".local/share").map(|base| base.join("lotwise")),
        mode: None,
        wait_seconds: 10,
        limits: Limits {
            daily_loss: Rate::from_billionths(20_000_000),
            max_order: Money::from_whole(5_000),
            max_position: Rate::from_billionths(200_000_000),
        },
        today: None,
        origins: BTreeMap::new(),
    };
    let mut errors = Vec::new();
    let in_config = surroundings.base("XDG_CONFIG_HOME", ".config").map(|base| base.join("lotwise/lotwise.toml"));
    let here = Some(surroundings.folder.join("lotwise.toml"));
    for path in [in_config, here].into_iter().flatten() {
        match file::read(&path) {
            Ok((entries, unknown)) => {
                errors.extend(unknown);
                for entry in entries {
                    errors.extend(settings.set(entry.key, &Raw::Toml(entry.value), entry.origin).err());
                }
            }
            Err(error) => errors.push(error),
        }
    }
    for (key, _) in KEYS {
        let name = format!("LOTWISE_{}", key.to_uppercase());
        if let Some(value) = surroundings.variable(&name) {
            errors.extend(settings.set(key, &Raw::Text(value.to_owned()), Origin::Variable(name)).err());
        }
    }
    if let Some(text) = surroundings.variable("LOTWISE_TODAY") {
        match Date::parse(text) {
            Ok(today) => settings.today = Some(today),
            Err(error) => errors.push(
                CliError::new("bad-setting", Exit::Usage, error.to_string())
                    .at(Origin::Variable("LOTWISE_TODAY".to_owned()).place()),
            ),
        }
    }
    if errors.is_empty() { Ok(settings) } else { Err(Failure(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_with(config: &str, here: &str, variables: &[(&str, &str)]) -> Result<Settings, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let config_file = folder.path().join("config/lotwise/lotwise.toml");
        std::fs::create_dir_all(config_file.parent().unwrap()).unwrap();
        std::fs::write(config_file, config).unwrap();
        std::fs::write(folder.path().join("lotwise.toml"), here).unwrap();
        let mut known: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        known.insert("XDG_CONFIG_HOME".into(), folder.path().join("config").display().to_string());
        known.insert("HOME".into(), "/home/someone".into());
        load(&Surroundings { variables: known, folder: folder.path().to_path_buf() })
    }

    #[test]
    fn the_nearer_source_wins() {
        let settings = load_with(
            "short_rate = 0.35\nlong_rate = 0.15\nmax_order = 1000\n",
            "short_rate = \"0.32\"\nidentity_groups = [[\"VOO\", \"spy\"]]\n",
            &[("LOTWISE_SHORT_RATE", "0.24"), ("LOTWISE_STATUS", "married_joint")],
        )
        .unwrap();
        assert_eq!(settings.rates.short, Rate::parse("0.24").unwrap());
        assert_eq!(settings.rates.long, Rate::parse("0.15").unwrap());
        assert_eq!(settings.limits.max_order, Money::from_whole(1000));
        assert_eq!(settings.status, Some(FilingStatus::MarriedJoint));
        assert_eq!(settings.identity_groups[0][1].as_str(), "SPY");
        assert_eq!(settings.cache_dir, Some(PathBuf::from("/home/someone/.cache/lotwise")));
        assert_eq!(settings.origins["short_rate"].to_string(), "LOTWISE_SHORT_RATE");
        assert!(settings.origins["long_rate"].to_string().ends_with("config/lotwise/lotwise.toml:2"));
        assert!(!settings.stated("state_long_rate"));
        let flags = RateArgs { short_rate: Some(Rate::parse("0.1").unwrap()), ..RateArgs::default() };
        let settings = settings.with_rates(&flags).unwrap();
        assert_eq!(
            (settings.rates.short, &settings.origins["short_rate"]),
            (flags.short_rate.unwrap(), &Origin::Flag("--short-rate"))
        );
    }

    #[test]
    fn every_wrong_line_is_named_in_one_pass() {
        let failure =
            load_with("", "shortrate = 0.3\nlong_rate = 24\nstatus = \"singel\"\nmax_order = true\n", &[]).unwrap_err();
        let told: Vec<String> = failure
            .0
            .iter()
            .map(|error| {
                let place = error.place.as_deref().cloned().unwrap_or_default();
                format!("{}: {} / {}", place.line.unwrap_or(0), error.message, error.help.clone().unwrap_or_default())
            })
            .collect();
        assert_eq!(
            told,
            [
                "1: there is no setting \"shortrate\" / did you mean short_rate?",
                "2: the setting long_rate is 24, and must be a fraction from 0 to below 1 / write 24 % as 0.24",
                "3: the setting status is \"singel\", which is no filing status / did you mean single?",
                "4: the setting max_order must be a text or a number / ",
            ]
        );
        assert!(failure.0.iter().all(|error| error.exit == Exit::Usage));
    }

    #[test]
    fn a_broken_file_is_named_with_line_and_column() {
        let failure = load_with("", "short_rate = 0.3\nlong_rate = = 2\n", &[]).unwrap_err();
        let place = failure.0[0].place.clone().unwrap();
        assert_eq!((place.line, place.column), (Some(2), Some(13)));
    }
}

//! What every command is handed.

use lotwise_core::{Clock, Date};

use crate::args::RateArgs;
use crate::clock::SystemClock;
use crate::errors::Failure;
use crate::output::{Figures, Style};
use crate::settings::Settings;
use crate::store::{DataFolder, Mode, remembered_mode};

/// What every command is handed.
pub struct Context {
    /// How the result is printed.
    pub style: Style,
    /// Rates, limits and folders.
    pub settings: Settings,
    /// The time.
    pub clock: SystemClock,
}

impl Context {
    /// The settings with the rates given as flags over them.
    ///
    /// # Errors
    /// When a rate is not a fraction of one.
    pub fn settings_with(&self, rates: &RateArgs) -> Result<Settings, Failure> {
        self.settings.clone().with_rates(rates)
    }

    /// How amounts are written.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.style.figures
    }

    /// Today in New York.
    #[must_use]
    pub fn today(&self) -> Date {
        self.clock.today()
    }

    /// The active mode: the setting, else what was chosen before; `None` until one is.
    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        let remembered = || remembered_mode(&DataFolder::of(&self.settings).ok()?);
        self.settings.mode.or_else(remembered)
    }
}

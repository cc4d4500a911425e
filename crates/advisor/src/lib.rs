//! lotwise-advisor

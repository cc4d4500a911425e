//! Ctrl-C, for commands that want to put things in order first.

use std::sync::atomic::{AtomicBool, Ordering};

/// A command is running that looks at [`wanted`].
static LISTENING: AtomicBool = AtomicBool::new(false);
/// Ctrl-C was pressed.
static WANTED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C only asks; the second ends the program as usual.
pub fn listen() {
    LISTENING.store(true, Ordering::Relaxed);
}

/// From now on Ctrl-C ends the program again.
#[cfg(feature = "hub")]
pub fn listen_no_more() {
    LISTENING.store(false, Ordering::Relaxed);
}

/// Whether somebody wants the program to end.
pub fn wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// Notes a Ctrl-C; true where a command will see to it.
pub fn asked_politely() -> bool {
    LISTENING.load(Ordering::Relaxed) && !WANTED.swap(true, Ordering::Relaxed)
}

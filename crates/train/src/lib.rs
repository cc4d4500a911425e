//! Training: what is drawn from the panel, in which order, and what a run leaves behind.

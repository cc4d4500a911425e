//! What runs of training promise.

mod kernelsynth;

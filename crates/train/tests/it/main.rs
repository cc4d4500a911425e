//! What training promises.

mod data;
mod kernelsynth;
mod run;
mod sample;
mod views;

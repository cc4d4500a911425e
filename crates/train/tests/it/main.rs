//! What training promises.

mod data;
mod kernelsynth;
mod live;
mod run;
mod sample;
mod views;

//! What every frozen branch promises; each implementation goes through [`contract`].

use lotwise_nn::FrozenTemporal;
use lotwise_nn::temporal::{MiniRocketConfig, NoTemporal};
use lotwise_tensor::{Array, Random};

/// Random walks with a gap in every third.
pub fn walks(windows: usize, time: usize, seed: u64) -> Array {
    let mut random = Random::new(seed);
    let mut level = 1.0;
    Array::from_fn([windows, time], |i| {
        let (window, at) = (i / time, i % time);
        level = if at == 0 { 20.0 + 10.0 * random.uniform() } else { level * (0.02 * random.normal()).exp() };
        if window % 3 == 2 && (5..8).contains(&at) { f32::NAN } else { level }
    })
}

fn rows(array: &Array, range: std::ops::Range<usize>) -> Array {
    let width = array.shape()[1];
    Array::new([range.len(), width], array.data()[range.start * width..range.end * width].to_vec())
}

/// What holds for every implementation.
pub fn contract(branch: &dyn FrozenTemporal) {
    let (windows, time) = (7, 40);
    let closes = walks(windows, time, 3);
    let all = branch.embed(&closes);
    assert_eq!(*all.shape(), [windows, branch.width()]);
    assert!(all.data().iter().all(|x| x.is_finite()));
    assert_eq!(all, branch.embed(&closes), "the same bits twice");
    let threads =
        rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("Invariant: three threads can be started");
    assert_eq!(all, threads.install(|| branch.embed(&closes)), "the same bits on other threads");
    for i in 0..windows {
        assert_eq!(rows(&all, i..i + 1), branch.embed(&rows(&closes, i..i + 1)), "window {i} alone");
    }
    let padded = Array::from_fn([windows, time + 9], |i| {
        let (window, at) = (i / (time + 9), i % (time + 9));
        if at < 9 { f32::NAN } else { closes.data()[window * time + at - 9] }
    });
    for (one, other) in all.data().iter().zip(branch.embed(&padded).data()) {
        assert!((one - other).abs() <= 1e-5, "padding in front: {one} and {other}");
    }
    let empty = branch.embed(&Array::full([2, time], f32::NAN));
    assert!(empty.data().iter().all(|&x| x == 0.0), "a window without a close");
    let flat = branch.embed(&Array::full([1, time], 12.5));
    assert!(flat.data().iter().all(|x| x.is_finite()), "a window without a movement");
    let one = branch.embed(&Array::new([1, 3], vec![f32::NAN, f32::NAN, 7.0]));
    assert!(one.data().iter().all(|x| x.is_finite()), "a window of one close");
    assert!(branch.fingerprint().starts_with(branch.kind()));
    if branch.width() > 0 {
        let differ = |a: usize, b: usize| rows(&all, a..a + 1) != rows(&all, b..b + 1);
        assert!(differ(0, 1) && differ(1, 2), "windows differ");
    }
}

#[test]
fn no_branch_keeps_the_contract() {
    contract(&NoTemporal);
}

#[test]
fn fixed_convolutions_keep_the_contract() {
    let branch = MiniRocketConfig::default().init();
    assert_eq!(branch.width(), 512);
    contract(&branch);
}

#[test]
fn fixed_convolutions_do_not_see_the_unit_of_a_price() {
    let branch = MiniRocketConfig::default().init();
    let closes = walks(4, 64, 9);
    let cents = Array::from_fn(closes.shape(), |i| 100.0 * closes.data()[i]);
    for (one, other) in branch.embed(&closes).data().iter().zip(branch.embed(&cents).data()) {
        // A share of positions may move by one where an answer stands at the threshold.
        assert!((one - other).abs() < 0.02, "{one} and {other}");
    }
}

#[test]
fn other_seeds_draw_other_kernels() {
    let usual = MiniRocketConfig::default();
    let other = MiniRocketConfig { seed: 1, ..usual };
    let closes = walks(1, 64, 9);
    assert_ne!(usual.init().embed(&closes), other.init().embed(&closes));
    assert_ne!(usual.init().fingerprint(), other.init().fingerprint());
}

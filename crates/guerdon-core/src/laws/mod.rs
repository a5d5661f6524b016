//! The laws: common tests over every registered method. (Being written.)

use crate::Method;

/// Runs the laws over `methods` as a test harness; call it from a `harness = false` test.
pub fn main(methods: &[Method]) {
    let _ = methods;
}

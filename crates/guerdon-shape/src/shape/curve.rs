//! The curves that shapes bend rewards with, finite for every finite argument.

/// The logistic function σ(z), between 0 and 1.
pub fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// ln σ(z), without rounding to −∞ for very negative `z` or losing digits for very positive ones.
pub fn log_sigmoid(z: f64) -> f64 {
    z.min(0.0) - (-z.abs()).exp().ln_1p()
}

/// The least-squares polynomial of degree five through σ at 100 points on [−5, 5]; 0 below and 1 above.
///
/// The even coefficients vanish by symmetry.
pub fn poly5(z: f64) -> f64 {
    const ODD: [f64; 3] =
        [0.228_788_511_778_260_98, -0.010_130_912_056_492_037, 0.000_202_669_169_832_184_2];
    if z <= -5.0 {
        return 0.0;
    }
    if z >= 5.0 {
        return 1.0;
    }
    let square = z * z;
    0.5 + z * (ODD[0] + square * (ODD[1] + square * ODD[2]))
}

#[cfg(test)]
mod tests {
    use super::{log_sigmoid, poly5, sigmoid};

    #[test]
    fn the_logarithm_survives_the_tails() {
        assert!((log_sigmoid(1.0) - sigmoid(1.0).ln()).abs() < 1e-15);
        assert_eq!(log_sigmoid(-700.0), -700.0);
        assert!(log_sigmoid(700.0) <= 0.0 && log_sigmoid(700.0) > -1e-300);
    }

    #[test]
    fn the_polynomial_follows_the_logistic_function() {
        let worst = (-50..=50).map(|i| f64::from(i) / 10.0).map(|z| (poly5(z) - sigmoid(z)).abs());
        assert!(worst.fold(0.0, f64::max) < 0.018);
        assert!((poly5(1.0) - 0.718_860_268_891_601).abs() < 1e-15);
    }
}

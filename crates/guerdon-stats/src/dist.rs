//! Probability functions: normal, Student's t, χ², beta, binomial, and the noncentral t that power analysis needs.
//!
//! The normal distribution and ln Γ are libm's (to the last digits), the others statrs's (to about 1e-11).
//!
//! Arguments outside a distribution's domain (NaN, a negative number of degrees of freedom) give NaN: callers validate.

use statrs::distribution::{Beta, ChiSquared, ContinuousCDF as _, Normal, StudentsT};

/// P(Z ≤ z) for a standard normal Z.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// P(Z > z) for a standard normal Z, accurate far out in the tail.
pub fn normal_sf(z: f64) -> f64 {
    normal_cdf(-z)
}

/// The z with P(Z ≤ z) = `p`, `p` in (0, 1); −∞ and ∞ at the ends.
pub fn normal_quantile(p: f64) -> f64 {
    match p {
        0.0 => f64::NEG_INFINITY,
        1.0 => f64::INFINITY,
        p if p > 0.0 && p < 1.0 => polish(p, Normal::standard().inverse_cdf(p)),
        _ => f64::NAN,
    }
}

/// One Newton step on the tail of the smaller probability, where the distribution function is accurate.
fn polish(p: f64, z: f64) -> f64 {
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let excess = if p < 0.5 { normal_cdf(z) - p } else { (1.0 - p) - normal_sf(z) };
    if density > 0.0 { z - excess / density } else { z }
}

/// The critical value of a two-sided normal interval: `level` 0.95 gives 1.96.
pub fn two_sided_z(level: f64) -> f64 {
    normal_quantile(0.5 + level / 2.0)
}

/// P(|T| ≥ |t|) for Student's t with `df` degrees of freedom.
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |d| (2.0 * d.sf(t.abs())).min(1.0))
}

/// The t with P(T ≤ t) = `p` for `df` degrees of freedom.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |d| d.inverse_cdf(p))
}

/// P(X ≥ x) for χ² with `df` degrees of freedom.
pub fn chi2_sf(x: f64, df: f64) -> f64 {
    if df == 1.0 {
        return 2.0 * normal_sf(x.max(0.0).sqrt());
    }
    ChiSquared::new(df).map_or(f64::NAN, |d| d.sf(x.max(0.0)))
}

/// ln Γ(`x`) for x > 0.
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ln B(`a`, `b`) for a, b > 0.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// P(X ≤ x) for a gamma variable of the given shape and scale 1.
pub fn gamma_cdf(x: f64, shape: f64) -> f64 {
    if x <= 0.0 { 0.0 } else { statrs::function::gamma::gamma_lr(shape, x) }
}

/// P(X ≤ x) for Beta(`a`, `b`).
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    Beta::new(a, b).map_or(f64::NAN, |d| d.cdf(x))
}

/// The x in [0, 1] with P(X ≤ x) = `p` for Beta(`a`, `b`), by bisection to the last bit.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let Ok(beta) = Beta::new(a, b) else { return f64::NAN };
    let (mut low, mut high) = (0.0, 1.0);
    // The bits of the positive doubles below 1 are fewer than 2^62: 64 halvings of the bit pattern reach one value.
    for _ in 0..64 {
        let middle = f64::from_bits(u64::midpoint(f64::to_bits(low), f64::to_bits(high)));
        if beta.cdf(middle) < p { low = middle } else { high = middle }
    }
    high
}

/// P(X ≤ `k`) for Binomial(`n`, `p`).
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n { 1.0 } else { beta_cdf(1.0 - p, (n - k) as f64, k as f64 + 1.0) }
}

/// P(X = `k`) for Binomial(`n`, `p`).
pub fn binomial_pmf(k: u64, n: u64, p: f64) -> f64 {
    if k > n {
        return 0.0;
    }
    let log = |count: u64, p: f64| if count == 0 { 0.0 } else { count as f64 * p.ln() };
    (ln_choose(n, k) + log(k, p) + log(n - k, 1.0 - p)).exp()
}

/// ln of the number of ways to choose `k` of `n`; −∞ for k > n.
pub fn ln_choose(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    let f = |x: u64| ln_gamma(x as f64 + 1.0);
    f(n) - f(k) - f(n - k)
}

/// P(T ≤ `t`) for the noncentral t with `df` degrees of freedom and noncentrality `delta`.
///
/// By Simpson's rule over the χ density of the standard deviation: P(Z + δ ≤ t·S), to about 1e-10.
pub fn noncentral_t_cdf(t: f64, df: f64, delta: f64) -> f64 {
    const STEPS: u32 = 2000;
    let ln_norm =
        (1.0 - df / 2.0) * std::f64::consts::LN_2 - ln_gamma(df / 2.0) + df / 2.0 * df.ln();
    let density = |s: f64| {
        let s = s.max(f64::MIN_POSITIVE);
        (ln_norm + (df - 1.0) * s.ln() - df * s * s / 2.0).exp()
    };
    // S has mean near 1 and standard deviation near 1/√(2 df): ten of them on either side hold all of it.
    let reach = 10.0 / (2.0 * df).sqrt();
    let (low, high) = ((1.0 - reach).max(0.0), 1.0 + reach);
    let h = (high - low) / f64::from(STEPS);
    let term = |i: u32| {
        let s = low + h * f64::from(i);
        let weight = if i == 0 || i == STEPS { 1.0 } else { 2.0 + 2.0 * f64::from(i % 2) };
        weight * density(s) * normal_cdf(t * s - delta)
    };
    ((0..=STEPS).map(term).sum::<f64>() * h / 3.0).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(got: f64, expect: f64, tolerance: f64) {
        assert!((got - expect).abs() <= tolerance, "{got} is not {expect}");
    }

    #[test]
    fn quantiles_invert_distribution_functions() {
        check(normal_quantile(0.975), 1.959_963_984_540_054, 1e-14);
        check(normal_quantile(1e-10), -6.361_340_902_404_056, 1e-12);
        check(normal_cdf(normal_quantile(0.123)), 0.123, 1e-15);
        check(beta_cdf(beta_quantile(0.3, 2.5, 7.0), 2.5, 7.0), 0.3, 1e-12);
        check(t_quantile(0.975, 10.0), 2.228_138_851_986_274, 1e-9);
    }

    #[test]
    fn known_tails() {
        check(chi2_sf(3.841_458_820_694_124, 1.0), 0.05, 1e-12);
        check(t_two_sided(2.228_138_851_986_274, 10.0), 0.05, 1e-12);
        check(binomial_cdf(12, 43, 0.5), 0.005_401_572_654_591_291 / 2.0, 1e-14);
        check(binomial_pmf(2, 4, 0.5), 0.375, 1e-13);
    }

    #[test]
    fn the_noncentral_t_is_the_central_one_without_a_shift() {
        check(noncentral_t_cdf(2.228_138_851_986_274, 10.0, 0.0), 0.975, 1e-9);
        check(noncentral_t_cdf(1.0, 1.0, 0.0), 0.75, 1e-6);
    }
}

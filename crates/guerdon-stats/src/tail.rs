//! Tails: value at risk and conditional value at risk.

use guerdon_core::MethodError;

use crate::moments::check;
use crate::order::{index, sorted};

/// Value at risk and conditional value at risk of losses at `alpha` in (0, 1): the upper tail.
///
/// VaR is the ⌈αn⌉-th smallest loss, CVaR the mean of the worst share 1 − α, the border loss counted in part
/// (Rockafellar and Uryasev): VaR + mean((x − VaR)₊)/(1 − α).
pub fn var_cvar(losses: &[f64], alpha: f64) -> Result<(f64, f64), MethodError> {
    check("losses", losses)?;
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(MethodError::domain(format!("`alpha` must lie between 0 and 1, not {alpha}")));
    }
    let ascending = sorted(losses);
    let n = losses.len();
    // A hair is taken off so that 0.95·100 = 95.00000000000001 stays at 95.
    let place = index((alpha * n as f64 - 1e-9).ceil()).clamp(1, n);
    let var = ascending[place - 1];
    let excess: f64 = ascending[place..].iter().map(|x| x - var).sum::<f64>() / n as f64;
    let cvar = crate::moments::finite("cvar", var + excess / (1.0 - alpha))?;
    Ok((var, cvar))
}

/// Conditional value at risk of rewards: the mean of the worst share `level`, the lower tail.
pub fn lower_cvar(rewards: &[f64], level: f64) -> Result<f64, MethodError> {
    let losses: Vec<f64> = rewards.iter().map(|r| -r).collect();
    Ok(-var_cvar(&losses, 1.0 - level)?.1)
}

#[cfg(test)]
mod tests {
    use super::{lower_cvar, var_cvar};

    #[test]
    fn the_border_counts_in_part() {
        let losses: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(var_cvar(&losses, 0.8).unwrap(), (8.0, 9.5));
        let (var, cvar) = var_cvar(&losses, 0.75).unwrap();
        // The worst 2.5: 10, 9 and half of 8.
        assert!(var == 8.0 && (cvar - (10.0 + 9.0 + 4.0) / 2.5).abs() < 1e-12);
    }

    #[test]
    fn the_lower_tail_mirrors_the_upper() {
        assert!((lower_cvar(&[1.0, 2.0, 3.0, 4.0], 0.5).unwrap() - 1.5).abs() < 1e-12);
        assert!(var_cvar(&[], 0.5).is_err() && var_cvar(&[1.0], 1.0).is_err());
    }
}

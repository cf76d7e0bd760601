//! Estimates from samples, with what is known about their error.

/// A value estimated from samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error; infinite where the value is exact.
    pub degrees_of_freedom: f64,
}

impl Estimate {
    /// The two-sided 95 % confidence interval: Student's t with the degrees of freedom rounded down,
    /// so that an interval from few samples is rather too wide than too narrow. Samples that are all
    /// equal give a point.
    pub fn interval(&self) -> (f64, f64) {
        let half = if self.standard_error == 0.0 {
            0.0
        } else {
            student_quantile(self.degrees_of_freedom) * self.standard_error
        };
        (self.value - half, self.value + half)
    }

    /// A sum of independent means times `factors`, each with its own variance. Degrees of freedom by
    /// F. E. Satterthwaite, *An approximate distribution of estimates of variance components*,
    /// Biometrics Bulletin 2, 1946; with two means it is Welch's.
    pub(crate) fn combined(terms: impl Iterator<Item = (f64, Moments)> + Clone) -> Self {
        let variances = terms
            .clone()
            .map(|(factor, moments)| (factor * factor * moments.variance_of_mean(), moments.count));
        let variance = variances.clone().map(|(variance, _)| variance).sum::<f64>();
        let weighted = variances
            .map(|(variance, count)| variance * variance / (count as f64 - 1.0))
            .sum::<f64>();
        Self {
            value: terms.map(|(factor, moments)| factor * moments.mean).sum(),
            standard_error: variance.sqrt(),
            degrees_of_freedom: if weighted == 0.0 {
                f64::INFINITY
            } else {
                variance * variance / weighted
            },
        }
    }
}

/// Estimates for many data or owners, from the same evaluations.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimates {
    /// One estimate for each. Errors are correlated, since all come from the same evaluations.
    pub values: Vec<Estimate>,
    /// How often the utility was evaluated.
    pub evaluations: u64,
}

/// Count, mean and sum of squared deviations, updated one value at a time (B. P. Welford, *Note on a
/// method for calculating corrected sums of squares and products*, Technometrics 4, 1962).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moments {
    pub(crate) count: u64,
    pub(crate) mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes one more value.
    pub(crate) fn push(&mut self, value: f64) {
        self.count += 1;
        let deviation = value - self.mean;
        self.mean += deviation / self.count as f64;
        self.squares += deviation * (value - self.mean);
    }

    /// Variance of the mean; there must be at least two values.
    pub(crate) fn variance_of_mean(&self) -> f64 {
        let count = self.count as f64;
        self.squares / (count * (count - 1.0))
    }
}

/// The 97.5 % quantile of Student's t.
fn student_quantile(degrees_of_freedom: f64) -> f64 {
    const SMALL: [f64; 5] = [
        12.706_204_736,
        4.302_652_730,
        3.182_446_305,
        2.776_445_105,
        2.570_581_836,
    ];
    const NORMAL: f64 = 1.959_963_984_540_054;
    let nu = degrees_of_freedom.floor().max(1.0);
    if nu <= SMALL.len() as f64 {
        return SMALL[nu as usize - 1];
    }
    // Cornish and Fisher's expansion, Abramowitz and Stegun 26.7.5; from six degrees of freedom on
    // it is off by less than 0.0005.
    let z = NORMAL;
    let square = z * z;
    let terms = [
        z * (square + 1.0) / 4.0,
        z * ((5.0 * square + 16.0) * square + 3.0) / 96.0,
        z * (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / 384.0,
        z * ((((79.0 * square + 776.0) * square + 1482.0) * square - 1920.0) * square - 945.0)
            / 92_160.0,
    ];
    z + terms.iter().rev().fold(0.0, |sum, term| (sum + term) / nu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (nu, expected) in [
            (1.0, 12.7062),
            (2.9, 4.3027),
            (5.0, 2.5706),
            (6.0, 2.4469),
            (10.0, 2.2281),
            (30.0, 2.0423),
            (120.0, 1.9799),
            (f64::INFINITY, 1.9600),
        ] {
            assert!((student_quantile(nu) - expected).abs() < 5e-4, "{nu}");
        }
    }

    #[test]
    fn two_means_have_welchs_degrees_of_freedom() {
        let mut samples = [Moments::default(); 2];
        for value in [27.5, 21.0, 19.0, 23.6, 17.0, 17.9] {
            samples[0].push(value);
        }
        for value in [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0] {
            samples[1].push(value);
        }
        let welch = Estimate::combined([1.0, -1.0].into_iter().zip(samples));
        let naive = |values: &[f64]| {
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
            (mean, squares / (count - 1.0) / count, count)
        };
        let a = naive(&[27.5, 21.0, 19.0, 23.6, 17.0, 17.9]);
        let b = naive(&[27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0]);
        let nu = (a.1 + b.1).powi(2) / (a.1 * a.1 / (a.2 - 1.0) + b.1 * b.1 / (b.2 - 1.0));
        assert!((welch.value - (a.0 - b.0)).abs() < 1e-12);
        assert!((welch.standard_error - (a.1 + b.1).sqrt()).abs() < 1e-12);
        assert!((welch.degrees_of_freedom - nu).abs() < 1e-9);
        let (low, high) = welch.interval();
        assert!(low < welch.value && welch.value < high);
    }

    #[test]
    fn constant_samples_are_exact() {
        let mut moments = Moments::default();
        moments.push(0.5);
        moments.push(0.5);
        let estimate = Estimate::combined([(2.0, moments)].into_iter());
        assert_eq!(estimate.interval(), (1.0, 1.0));
    }
}

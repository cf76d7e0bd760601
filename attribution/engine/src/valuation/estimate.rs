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
    /// so that an interval from few samples is rather too wide than too narrow. A standard error of zero
    /// gives a point, an infinite one the whole line.
    pub fn interval(&self) -> (f64, f64) {
        let half = if self.standard_error == 0.0 || self.standard_error.is_infinite() {
            self.standard_error
        } else {
            student_quantile(self.degrees_of_freedom) * self.standard_error
        };
        (self.value - half, self.value + half)
    }

    /// A sum of independent means times `factors`, each with its own variance. Degrees of freedom by
    /// F. E. Satterthwaite, *An approximate distribution of estimates of variance components*,
    /// Biometrics Bulletin 2, 1946; with two means it is Welch's.
    pub(crate) fn combined(terms: impl Iterator<Item = (f64, Moments)> + Clone) -> Self {
        Self::combined_within(terms, 0.0)
    }

    /// As [`combined`](Self::combined), of values whose largest differs from their smallest by `range`.
    /// Samples that are all equal then have the variance of
    /// [`variance_of_mean_within`](Moments::variance_of_mean_within).
    pub(crate) fn combined_within(
        terms: impl Iterator<Item = (f64, Moments)> + Clone,
        range: f64,
    ) -> Self {
        let variances = terms.clone().map(|(factor, moments)| {
            let variance = moments.variance_of_mean_within(range);
            (factor * factor * variance, moments.count)
        });
        let variance = variances.clone().map(|(variance, _)| variance).sum::<f64>();
        let weighted = variances
            .map(|(variance, count)| variance * variance / (count as f64 - 1.0))
            .sum::<f64>();
        Self {
            value: terms.map(|(factor, moments)| factor * moments.mean).sum(),
            standard_error: variance.sqrt(),
            degrees_of_freedom: if weighted == 0.0 || weighted.is_infinite() {
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
    /// The largest Gelman-Rubin statistic of the values, where
    /// [`Permutations::chains`](super::semivalues::Permutations::chains) asks for it.
    pub gelman_rubin: Option<f64>,
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

    /// Sample variance; there must be at least two values.
    fn variance(&self) -> f64 {
        self.squares / (self.count as f64 - 1.0)
    }

    /// Variance of the mean; there must be at least two values.
    pub(crate) fn variance_of_mean(&self) -> f64 {
        self.variance() / self.count as f64
    }

    /// As [`variance_of_mean`](Self::variance_of_mean), but not zero where all values seen are equal:
    /// that says only that others are rare. By Laplace's rule of succession another one has the
    /// probability `1/(n + 2)`, and it is at most `range` away, so the variance is taken as
    /// `range² · (n + 1)/(n + 2)²`.
    fn variance_of_mean_within(&self, range: f64) -> f64 {
        let count = self.count as f64;
        if self.squares > 0.0 || range == 0.0 {
            self.variance_of_mean()
        } else {
            range * range * (count + 1.0) / (count + 2.0).powi(2) / count
        }
    }
}

/// The potential scale reduction factor of chains of samples, as many in each but for one:
///
/// ```text
/// R = sqrt( ((n − 1)/n · W + V) / W )
/// ```
///
/// with `n` samples in the shortest chain, `W` the mean of the chains' variances and `V` the variance
/// of their means. A. Gelman and D. B. Rubin, *Inference from iterative simulation using multiple
/// sequences*, Statistical Science 7(4), 1992, without its factor for degrees of freedom. Where no
/// chain varies it is 1 if all are equal and infinite otherwise. There must be two chains of two values.
pub(crate) fn gelman_rubin(chains: &[Moments]) -> f64 {
    let shortest = chains.iter().map(|chain| chain.count).min().unwrap_or(0) as f64;
    let within = chains.iter().map(Moments::variance).sum::<f64>() / chains.len() as f64;
    let mut means = Moments::default();
    chains.iter().for_each(|chain| means.push(chain.mean));
    match (within > 0.0, means.variance()) {
        (true, between) => ((shortest - 1.0) / shortest + between / within).sqrt(),
        (false, 0.0) => 1.0,
        (false, _) => f64::INFINITY,
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

    #[test]
    fn constant_samples_of_varying_values_are_uncertain() {
        let mut constant = Moments::default();
        let mut varying = Moments::default();
        for value in [0.0, 0.0, 1.0, 0.0] {
            constant.push(0.0);
            varying.push(value);
        }
        let terms = [(1.0, varying), (-1.0, constant)].into_iter();
        let estimate = Estimate::combined_within(terms.clone(), 2.0);
        // (3/4 · 1/4 · 4/3)/4 for the one and 2² · 5/6²/4 for the other.
        let variance = 0.0625 + 5.0 / 36.0;
        assert!((estimate.standard_error.powi(2) - variance).abs() < 1e-12);
        assert!(estimate.standard_error > Estimate::combined(terms.clone()).standard_error);
        let unknown = Estimate::combined_within(terms, f64::INFINITY);
        assert_eq!(unknown.interval(), (f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn chains_that_agree_have_a_statistic_near_one() {
        let chain = |values: &[f64]| {
            let mut moments = Moments::default();
            values.iter().for_each(|value| moments.push(*value));
            moments
        };
        // W = (1 + 4)/2, V = (3 − 2)²/2.
        let found = gelman_rubin(&[chain(&[1.0, 2.0, 3.0]), chain(&[1.0, 3.0, 5.0])]);
        assert!((found - (2.0 / 3.0 + 0.5 / 2.5_f64).sqrt()).abs() < 1e-12);
        let far = gelman_rubin(&[chain(&[1.0, 2.0, 3.0]), chain(&[101.0, 102.0, 103.0])]);
        assert!(far > 50.0);
        let constant = chain(&[2.0, 2.0]);
        assert_eq!(gelman_rubin(&[constant, constant]), 1.0);
        assert_eq!(gelman_rubin(&[constant, chain(&[1.0, 1.0])]), f64::INFINITY);
    }
}

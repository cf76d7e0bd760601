//! Values that pyDVL 0.10 computes, as fixed numbers.

use attribution_engine::valuation::{
    knn_shapley::{from_features, Prediction},
    semivalues::{exact, Semivalue},
    utility::FunctionUtility,
    Samples,
};

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (datum, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference < 1e-12,
            "datum {datum}: {found} for {expected}, off by {difference:e}"
        );
    }
}

/// `KNNShapleyValuation` of twenty points in the plane for five test points of three classes. No two
/// distances are equal, and all are exact in `f32`.
#[test]
fn knn_shapley_values_are_pydvls() {
    let point = |i: usize| {
        let x = (i * 7 % 20) as f32 / 4.0 + (i * i % 11) as f32 / 64.0;
        [x, (i * 3 % 17) as f32 / 8.0]
    };
    let tested = |j: usize| {
        let x = (j * 9 % 20) as f32 / 4.0 + 1.0 / 128.0;
        [x, (j * 5 % 17) as f32 / 8.0 + 1.0 / 256.0]
    };
    let features = (0..20).flat_map(point).collect::<Vec<_>>();
    let labels = (0..20).map(|i| i * i % 7 % 3).collect::<Vec<_>>();
    let points = (0..5).flat_map(tested).collect::<Vec<_>>();
    let truths = (0..5).map(|j| j % 3).collect::<Vec<_>>();
    let train = Samples::new(&features, 2, &labels).unwrap();
    let test = Samples::new(&points, 2, &truths).unwrap();
    let values = |neighbours| from_features(train, test, neighbours, Prediction::Hard).unwrap();
    assert_close(&values(1), &KNN_1);
    assert_close(&values(5), &KNN_5);
}

const KNN_1: [f64; 20] = [
    0.2078173374613003,
    0.05262936753648828,
    0.04936818427530502,
    0.005010319917440659,
    -0.017926188019067278,
    0.021749136656257398,
    0.019296034203154944,
    -0.10721911731199658,
    0.01677014505961874,
    0.012629367536488276,
    -0.01610800620088546,
    0.0473443747514955,
    0.019296034203154944,
    0.06079675570387645,
    -0.04112668033720666,
    0.012629367536488276,
    0.017225327132447874,
    0.00448735475051264,
    -0.014037299130178389,
    0.04936818427530502,
];

const KNN_5: [f64; 20] = [
    0.04781733746130031,
    0.025962700869821616,
    0.02270151760863835,
    0.005010319917440659,
    -0.017926188019067278,
    0.021749136656257398,
    0.019296034203154944,
    0.02611421602133677,
    0.023436811726285412,
    0.012629367536488276,
    -0.01610800620088546,
    0.020677708084828834,
    0.019296034203154944,
    0.03413008903720978,
    -0.007793347003873322,
    0.012629367536488276,
    0.017225327132447874,
    0.00448735475051264,
    -0.014037299130178389,
    0.02270151760863835,
];

/// `ShapleyValuation`, `BanzhafValuation` and `BetaShapleyValuation` with all subsets of six data.
#[test]
fn exact_semivalues_are_pydvls() {
    let game = FunctionUtility::new(6, |subset: &[u32]| {
        let members = subset.iter().fold(0, |sum, datum| sum | 1 << datum);
        Ok(f64::from((members * members * 37 + members * 11) % 101) / 101.0)
    });
    let values = |semivalue| exact(&game, semivalue).unwrap();
    assert_close(
        &values(Semivalue::Shapley),
        &[
            0.0881188118811882,
            0.10957095709570956,
            0.08580858085808583,
            0.15495049504950498,
            0.2432343234323433,
            0.1698019801980198,
        ],
    );
    assert_close(
        &values(Semivalue::Banzhaf { probability: 0.5 }),
        &[
            0.031868811881188064,
            -0.030012376237623817,
            -0.028774752475247592,
            -0.02629950495049513,
            0.10365099009900994,
            -0.011448019801980153,
        ],
    );
    assert_close(
        &values(Semivalue::Beta {
            alpha: 4.0,
            beta: 1.0,
        }),
        &[
            0.2572214364293576,
            0.32388810309602384,
            0.12841426999842842,
            0.11747603331761748,
            0.28230394468018255,
            0.2444915920163447,
        ],
    );
}

"""Valuation beside pyDVL and scikit-learn, on the same data in the same run.

    valuation.py --binary-dir FOLDER --scratch FOLDER [--quick]

The folder of binaries holds the examples `mislabel`, `valuation-files` and `valuation-speed`. Lines that
begin with RESULT are rows of a table, tab separated: what, measured, bound, verdict. The exit status is
1 when answers that must be equal are not, never because of a missed bound.
"""

import argparse
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

# pyDVL's imports warn about each other; its worker processes read the environment.
warnings.simplefilter("ignore", FutureWarning)
os.environ["PYTHONWARNINGS"] = "ignore::FutureWarning"

import numpy as np
from joblib import parallel_config
from pydvl.valuation import Dataset
from pydvl.valuation.methods.banzhaf import MSRBanzhafValuation
from pydvl.valuation.methods.data_oob import DataOOBValuation
from pydvl.valuation.methods.knn_shapley import KNNShapleyValuation
from pydvl.valuation.stopping import MinUpdates
from pydvl.valuation.utility.base import UtilityBase
from scipy.special import expit
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

TREES = 100
CORES = 2
failures = []


def result(what, measured, bound, holds):
    print("RESULT", what, measured, bound, "holds" if holds else "misses", sep="\t", flush=True)


def check(what, good, details):
    """An answer that must be right."""
    print(f"{'equal' if good else 'DIFFERENT'}: {what}: {details}", flush=True)
    if not good:
        failures.append(what)


def run(binary, *arguments):
    done = subprocess.run(
        [str(binary), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{binary} {arguments}: {done.stdout}{done.stderr}")
    return done.stdout


def save(folder, name, features, labels):
    np.save(folder / f"{name}.features.npy", np.ascontiguousarray(features, dtype="<f4"))
    np.save(folder / f"{name}.labels.npy", np.ascontiguousarray(labels, dtype="<u4"))


# Wrong labels ------------------------------------------------------------------------------------


def labelled_sets(seed):
    """Two real sets and four synthetic ones. The method was chosen on others: moons, circles, blobs,
    Gaussian quantiles, Hastie's and Friedman's functions, wine and iris."""

    def synthetic(count, features, informative, classes, clusters, separation, redundant=0):
        return make_classification(
            count,
            features,
            n_informative=informative,
            n_redundant=redundant,
            n_classes=classes,
            n_clusters_per_class=clusters,
            class_sep=separation,
            flip_y=0,
            random_state=seed,
        )

    return {
        "digits": load_digits(return_X_y=True),
        "cancer": load_breast_cancer(return_X_y=True),
        "overlap": synthetic(1000, 20, 6, 2, 2, 0.8, redundant=2),
        "wide": synthetic(1000, 200, 20, 2, 1, 1.0),
        "classes": synthetic(2000, 30, 12, 10, 1, 1.5),
        "clusters": synthetic(1500, 40, 10, 3, 3, 1.0),
    }


def flip(labels, rate, seed):
    """Exactly this share of the labels becomes another one, each other with the same probability."""
    random = np.random.default_rng(seed)
    count, classes = len(labels), labels.max() + 1
    flipped = np.zeros(count, dtype=bool)
    flipped[random.choice(count, round(rate * count), replace=False)] = True
    shifts = random.integers(1, classes, flipped.sum())
    noisy = labels.copy()
    noisy[flipped] = (noisy[flipped] + shifts) % classes
    return noisy, flipped


def two_means(values):
    """The threshold of the best two clusters on a line, as OpenDataVal splits values."""
    ordered = np.sort(values)
    if ordered[0] == ordered[-1]:
        return ordered[0]
    lower = np.arange(1, len(ordered))
    below = np.cumsum(ordered - ordered.mean())[:-1]
    between = below**2 * len(ordered) / (lower * (len(ordered) - lower))
    between[ordered[1:] == ordered[:-1]] = -1
    at = between.argmax()
    return (ordered[at] + ordered[at + 1]) / 2


def f1(suspects, flipped):
    return 2 * (suspects & flipped).sum() / (suspects.sum() + flipped.sum())


def pydvl_data_oob(model, features, labels):
    start = time.perf_counter()
    model.fit(features, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = DataOOBValuation(model).fit(Dataset(features, labels)).result
    seconds = time.perf_counter() - start
    return values.values[np.argsort(values.indices)], seconds


def mislabelled(binaries, scratch, quick):
    rates = [0.2] if quick else [0.1, 0.2, 0.3, 0.4]
    seeds = 1 if quick else 5
    scores, seconds = {}, {}
    for seed in range(seeds):
        for name, (features, labels) in labelled_sets(seed).items():
            if quick and name not in ("digits", "cancer"):
                continue
            features = np.ascontiguousarray(features, dtype=np.float32)
            for rate in rates:
                noisy, flipped = flip(labels.astype(np.int64), rate, 1000 + seed)
                forest = RandomForestClassifier(TREES, random_state=seed, n_jobs=CORES)
                bagging = BaggingClassifier(
                    DecisionTreeClassifier(), n_estimators=TREES, random_state=seed, n_jobs=CORES
                )
                values = {
                    "pyDVL forest": pydvl_data_oob(forest, features, noisy),
                    "pyDVL bagging": pydvl_data_oob(bagging, features, noisy),
                }
                save(scratch, name, features, noisy)
                for line in run(binaries / "mislabel", scratch, TREES, name).splitlines():
                    _, method, taken = line.split("\t")
                    values[method] = (np.load(scratch / f"{name}.{method}.npy"), float(taken))
                for method, (value, taken) in values.items():
                    middle = 0.0 if method == "margins" else 0.5
                    pair = (f1(value < two_means(value), flipped), f1(value < middle, flipped))
                    scores.setdefault((name, rate), {}).setdefault(method, []).append(pair)
                    seconds.setdefault((name, rate), {}).setdefault(method, []).append(taken)
    print(f"wrong labels, {TREES} trees on both sides, {seeds} seeds: F1 by two-means of the values")
    print("(± standard error; behind it F1 by the sign of the preference), seconds")
    worst_gap, worst_ratio = np.inf, 0.0
    for case, methods in scores.items():
        print(f"  {case[0]}, {case[1]:.0%} flipped")
        for method, pairs in methods.items():
            pairs = np.array(pairs)
            error = pairs[:, 0].std(ddof=1) / len(pairs) ** 0.5 if len(pairs) > 1 else np.nan
            print(
                f"    {method:14} {pairs[:, 0].mean():.3f} ± {error:.3f}   {pairs[:, 1].mean():.3f}"
                f"   {np.mean(seconds[case][method]):.3f} s"
            )
        peers = [method for method in methods if method.startswith("pyDVL")]
        score = lambda method: np.mean(methods[method], axis=0)[0]  # noqa: E731
        worst_gap = min(worst_gap, score("margins") - max(map(score, peers)))
        fastest = min(np.mean(seconds[case][peer]) for peer in peers)
        worst_ratio = max(worst_ratio, np.mean(seconds[case]["margins"]) / fastest)
    mean = lambda method: np.mean(  # noqa: E731
        [np.mean(methods[method], axis=0) for methods in scores.values()], axis=0
    )
    total = lambda method: sum(sum(taken[method]) for taken in seconds.values())  # noqa: E731
    ours, trees, forest, bagging = map(mean, ("margins", "data-oob", "pyDVL forest", "pyDVL bagging"))
    result(
        "mislabel detection, out-of-bag margins against pyDVL's Data-OOB, 10-40 % flips",
        f"mean F1 {ours[0]:.3f} (our Data-OOB {trees[0]:.3f}) in {total('margins'):.1f} s; pyDVL"
        f" {forest[0]:.3f} with a forest in {total('pyDVL forest'):.1f} s, {bagging[0]:.3f} with"
        f" bagging in {total('pyDVL bagging'):.1f} s; smallest lead over the better of the two in"
        f" any set {worst_gap:+.3f}, largest part of the faster's time {worst_ratio:.2f}",
        "F1 >= pyDVL's - .01 and time <= 1/3 in every set",
        worst_gap >= -0.01 and worst_ratio <= 1 / 3,
    )


# KNN-Shapley -------------------------------------------------------------------------------------


def knn_shapley(binaries, scratch, quick):
    train, test, dimension, neighbours = (1000, 100, 16, 5) if quick else (5000, 500, 16, 5)
    random = np.random.default_rng(7)
    features = random.normal(size=(train + test, dimension)).astype(np.float32)
    labels = (features[:, 0] + random.normal(size=train + test) > 0).astype(np.int64)
    model = KNeighborsClassifier(neighbours)
    sets = [Dataset(features[:train], labels[:train]), Dataset(features[train:], labels[train:])]
    with parallel_config(n_jobs=CORES):
        # The worker processes start and import before the clock does.
        few = [Dataset(part.data().x[:8], part.data().y[:8]) for part in sets]
        KNNShapleyValuation(model, few[1], progress=False).fit(few[0])
        start = time.perf_counter()
        peer = KNNShapleyValuation(model, sets[1], progress=False).fit(sets[0]).result
        theirs = time.perf_counter() - start
    expected = peer.values[np.argsort(peer.indices)]
    for stale in ("distances.npy", "values.npy"):
        (scratch / stale).unlink(missing_ok=True)
    save(scratch, "train", features[:train], labels[:train])
    save(scratch, "test", features[train:], labels[train:])
    ours = float(run(binaries / "valuation-files", "knn", scratch, neighbours))
    found = np.load(scratch / "values.npy")
    print(
        f"KNN-Shapley, {train} x {test}, d = {dimension}: from features the values differ by at most"
        f" {np.abs(found - expected).max():.1e}: in f32 some neighbours change places"
    )
    # The order of pyDVL's neighbours as distances, so that both value the same order.
    model.fit(features[:train], labels[:train])
    order = model.kneighbors(features[train:], n_neighbors=train, return_distance=False)
    ranks = np.empty((test, train), dtype="<f4")
    np.put_along_axis(ranks, order, np.arange(train, dtype="<f4")[None], axis=1)
    np.save(scratch / "distances.npy", ranks)
    run(binaries / "valuation-files", "knn", scratch, neighbours)
    (scratch / "distances.npy").unlink()
    difference = np.abs(np.load(scratch / "values.npy") - expected).max()
    check("KNN-Shapley values and pyDVL's", difference <= 1e-9, f"at most {difference:.1e} apart")
    result(
        f"KNN-Shapley against pyDVL, {train} x {test}, end to end",
        f"{theirs / ours:.0f}x ({ours:.4f} s, pyDVL {theirs:.2f} s with {CORES} jobs), values at most"
        f" {difference:.1e} apart",
        "20x, values equal to 1e-9",
        theirs / ours >= 20 and difference <= 1e-9,
    )


# Banzhaf -----------------------------------------------------------------------------------------


def logistic_fits(binaries, scratch, quick):
    count, dimension, fits = 1000, 50, 100 if quick else 1000
    random = np.random.default_rng(8)
    labels = random.integers(0, 2, count)
    features = random.normal(size=(count, dimension)) + 0.3 * labels[:, None] * (np.arange(dimension) % 2)
    features = features.astype(np.float32)
    masks = (random.random((fits, count)) < 0.5).astype("|u1")
    masks[0] = 1
    save(scratch, "train", features, labels)
    np.save(scratch / "subsets.npy", masks)
    design = np.hstack([features, np.ones((count, 1), np.float32)]).astype(np.float64)

    def peer(mask, tolerance):
        # The bias is one more penalised feature, as ours is.
        model = LogisticRegression(C=1.0, fit_intercept=False, tol=tolerance, max_iter=10_000)
        return model.fit(design[mask != 0], labels[mask != 0]).coef_[0]

    def gradient_norms(coefficients):
        norms = []
        for mask, theta in zip(masks, coefficients):
            rows, truth = design[mask != 0], labels[mask != 0]
            gradient = rows.T @ (expit(rows @ theta) - truth) + theta
            norms.append(np.linalg.norm(gradient) / len(rows))
        return max(norms)

    start = time.perf_counter()
    theirs = np.array([peer(mask, 1e-4) for mask in masks])
    their_seconds = time.perf_counter() - start
    files = binaries / "valuation-files"
    halves = float(run(files, "logistic", scratch, 1e-4))
    ours = np.load(scratch / "coefficients.npy")
    norms = gradient_norms(ours), gradient_norms(theirs)
    check("logistic fits' gradient norms", norms[0] <= 1e-4, f"at most {norms[0]:.1e}, bound 1e-4")
    # All thousand data each time, less a random tenth: the size that the bound names.
    masks = (random.random((fits, count)) < 0.9).astype("|u1")
    np.save(scratch / "subsets.npy", masks)
    tenths = float(run(files, "logistic", scratch, 1e-4))
    masks = masks[:20]
    np.save(scratch / "subsets.npy", masks)
    run(files, "logistic", scratch, 1e-10)
    exact = np.array([peer(mask, 1e-10) for mask in masks])
    difference = np.abs(np.load(scratch / "coefficients.npy") - exact).max()
    check(
        "logistic coefficients at gradient 1e-10 and scikit-learn's",
        difference <= 1e-6,
        f"at most {difference:.1e} apart",
    )
    result(
        f"Banzhaf, {fits} binary logistic fits of 1000 x 50 to gradient norm 1e-4",
        f"{max(halves, tenths):.2f} s (900 data {tenths:.2f} s, 500 data {halves:.2f} s; scikit-learn's"
        f" lbfgs with 500 data on one thread {their_seconds:.2f} s, gradient norm up to {norms[1]:.0e}); coefficients"
        f" at most {difference:.0e} apart",
        "1 s for 1000",
        max(halves, tenths) * 1000 / fits <= 1.0,
    )


class Table(UtilityBase):
    """A utility that is looked up."""

    def __init__(self, utilities):
        self.utilities = utilities
        self._training_data = None

    def __call__(self, sample):
        members = () if sample is None else sample.subset
        return float(self.utilities[sum(1 << int(datum) for datum in members)])


def sample_reuse(binaries, scratch, quick):
    data, subsets = 8 if quick else 10, 1000 if quick else 4000
    features, labels = load_breast_cancer(return_X_y=True)
    features = (features - features.mean(0)) / features.std(0)
    # As many of each class.
    classes = [np.flatnonzero(labels[:100] == label)[: data // 2] for label in (0, 1)]
    own, tested = np.concatenate(classes), slice(100, 400)
    utilities = np.empty(1 << data)
    for members in range(1 << data):
        rows = [datum for datum in range(data) if members >> datum & 1]
        seen = labels[own][rows]
        if len(rows) == 0:
            utilities[members] = 0.5
        elif len(set(seen)) == 1:
            utilities[members] = (labels[tested] == seen[0]).mean()
        else:
            model = LogisticRegression().fit(features[own][rows], seen)
            utilities[members] = model.score(features[tested], labels[tested])
    np.save(scratch / "utilities.npy", utilities)
    ours = float(run(binaries / "valuation-files", "game", scratch, subsets))
    exact, found, errors = (
        np.load(scratch / f"{name}.npy") for name in ("exact", "values", "errors")
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Each datum is in half of the subsets.
        peer = MSRBanzhafValuation(Table(utilities), MinUpdates(subsets // 2), seed=3)
        peer = peer.fit(Dataset(np.zeros((data, 1)), np.zeros(data, dtype=int))).result
    theirs = time.perf_counter() - start
    order = np.argsort(peer.indices)
    values, peer_errors = peer.values[order], peer.stderr[order]
    both = np.abs(found - values) / np.sqrt(errors**2 + peer_errors**2)
    truth = np.abs(found - exact) / errors
    check(
        "Banzhaf values by sample reuse and pyDVL's",
        both.max() <= 4 and truth.max() <= 4,
        f"{data} data, {subsets} subsets: at most {both.max():.1f} standard errors apart, {truth.max():.1f}"
        f" from the exact values; {ours:.4f} s, pyDVL {theirs:.2f} s; mean standard errors"
        f" {errors.mean():.5f} and {peer_errors.mean():.5f} (its groups have {peer.counts.min()} subsets"
        " and more)",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary-dir", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    scratch = arguments.scratch / "valuation"
    scratch.mkdir(parents=True, exist_ok=True)
    quick = ["--quick"] if arguments.quick else []
    print(run(arguments.binary_dir / "valuation-speed", *quick), end="", flush=True)
    knn_shapley(arguments.binary_dir, scratch, arguments.quick)
    # Matrices of these are so small that more threads in one product would only wait for each other.
    with threadpool_limits(1):
        for part in (logistic_fits, sample_reuse, mislabelled):
            part(arguments.binary_dir, scratch, arguments.quick)
    if failures:
        sys.exit(f"wrong answers: {', '.join(failures)}")


if __name__ == "__main__":
    main()

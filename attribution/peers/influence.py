"""Linear datamodelling scores on scikit-learn's digits, ours beside numpy's exact influence function.

    influence.py --binary DIGITS --scratch FOLDER [--quick]

Makes random splits of the digits into 1,297 training and 500 test images and runs the engine's example
`digits` on them. Softmax regression with a column of ones that is penalised like the others, C = 1. The
ground truth of a split are 50 models on random halves of its training set (alpha = .5). The peer is the
influence function with the true Hessian, by numpy. `--quick` takes two splits; otherwise ten splits are
followed by ten of other seeds, which nothing here was ever chosen on.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

# Kernels chosen by hand for another processor would slow the peer down.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import numpy as np
from scipy.stats import rankdata
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

CLASSES, SUBSETS, MODELS, DIMENSION = 10, 50, 10, 512
TRAIN = 1297
OTHER_SEEDS = 1000


def fit(x, y):
    model = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-6, max_iter=2000)
    return model.fit(x, y).coef_


def probabilities(x, weights):
    logits = x @ weights.T
    logits -= logits.max(1, keepdims=True)
    p = np.exp(logits)
    return p / p.sum(1, keepdims=True)


def log_odds(p, y):
    """log(p_y / (1 - p_y)), without cancellation."""
    right = p[np.arange(len(y)), y]
    rest = p.copy()
    rest[np.arange(len(y)), y] = 0
    return np.log(right) - np.log(rest.sum(1))


def loss_gradients(x, y, p):
    residuals = p.copy()
    residuals[np.arange(len(y)), y] -= 1
    return (residuals[:, :, None] * x[:, None, :]).reshape(len(y), -1)


def output_gradients(x, y, p):
    """Gradients of log(p / (1 - p)): that of -log p over -(1 - p)."""
    miss = 1 - p[np.arange(len(y)), y]
    return -loss_gradients(x, y, p) / miss[:, None]


def curvature_rows(x, p):
    """sqrt(p_c) (e_c - p) x^T for each record and class: their outer products sum to the Hessian."""
    rows = np.sqrt(p)[:, :, None] * (np.eye(CLASSES)[None] - p[:, None, :])
    return np.einsum("nck,nd->nckd", rows, x).reshape(len(x) * CLASSES, -1)


def spearman(a, b):
    """Mean over the rows."""
    a, b = rankdata(a, axis=1), rankdata(b, axis=1)
    a -= a.mean(1, keepdims=True)
    b -= b.mean(1, keepdims=True)
    return ((a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))).mean()


def digits(seed):
    """Training and test images with a column of ones, and their labels; the generator goes on."""
    images, labels = load_digits(return_X_y=True)
    images = np.hstack([images / 16, np.ones((len(images), 1))])
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    train, test = order[:TRAIN], order[TRAIN:]
    return images[train], labels[train], images[test], labels[test], rng


def retrain(count, x, y, rng):
    """Models on random halves, and which records each of them saw."""
    masks = np.zeros((count, len(y)), np.uint8)
    for mask in masks:
        mask[rng.choice(len(y), len(y) // 2, replace=False)] = 1
    return masks, [fit(x[mask == 1], y[mask == 1]) for mask in masks]


def exact_influence(x, gradients, queries, p):
    """Scores with the true Hessian of the penalised loss, by numpy."""
    blocks = np.einsum("nk,kl->nkl", p, np.eye(CLASSES)) - p[:, :, None] * p[:, None, :]
    hessian = np.einsum("nkl,nd,ne->kdle", blocks, x, x, optimize=True)
    hessian = hessian.reshape(gradients.shape[1], -1) + np.eye(gradients.shape[1])
    return queries @ np.linalg.solve(hessian, gradients.T)


def make_split(where, seed):
    x, y, xt, yt, rng = digits(seed)
    weights = fit(x, y)
    p, pt = probabilities(x, weights), probabilities(xt, weights)
    gradients, queries = loss_gradients(x, y, p), loss_gradients(xt, yt, pt)

    start = time.perf_counter()
    exact = exact_influence(x, gradients, queries, p)
    seconds = time.perf_counter() - start

    masks, models = retrain(SUBSETS, x, y, rng)
    outputs = np.stack([log_odds(probabilities(xt, w), yt) for w in models], 1)
    score = spearman(exact @ masks.T, outputs)

    where.mkdir(parents=True, exist_ok=True)

    def save(name, array, kind):
        np.save(where / f"{name}.npy", np.ascontiguousarray(array, kind))

    save("weights", weights, "<f8")
    save("gradients", gradients, "<f4")
    save("queries", queries, "<f4")
    save("curvature", curvature_rows(x, p), "<f4")
    save("masks", masks, "|u1")
    save("outputs", outputs, "<f8")
    save("exact", exact, "<f8")
    save("exact_seconds", [seconds], "<f8")

    masks, models = retrain(MODELS, x, y, rng)
    save("trak_masks", masks, "|u1")
    save("trak_outputs", np.stack([log_odds(probabilities(x, w), y) for w in models]), "<f8")
    for m, w in enumerate(models):
        save(f"trak{m}_weights", w, "<f8")
        p, pt = probabilities(x, w), probabilities(xt, w)
        signs = rng.choice([-1.0, 1.0], (gradients.shape[1], DIMENSION)) / np.sqrt(DIMENSION)
        save(f"trak{m}_features", output_gradients(x, y, p) @ signs, "<f4")
        save(f"trak{m}_queries", output_gradients(xt, yt, pt) @ signs, "<f4")
        save(f"trak{m}_misses", 1 - p[np.arange(len(y)), y], "<f8")
    print(f"seed {seed}: numpy exact influence LDS {score:.4f}, {seconds * 1e3:.0f} ms", flush=True)


def run_engine(binary, folder, splits):
    """What the engine's example prints about the splits in a folder."""
    command = [binary, folder, str(splits)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if output.returncode != 0:
        sys.exit(f"{binary} failed:\n{output.stdout}")
    return output.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True, help="the engine's example `digits`")
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for the splits")
    parser.add_argument("--quick", action="store_true", help="two splits, and no other seeds")
    arguments = parser.parse_args()
    splits = 2 if arguments.quick else 10
    firsts = [0] if arguments.quick else [0, OTHER_SEEDS]
    for first in firsts:
        folder = arguments.scratch / f"digits-{first}"
        print(f"\nseeds from {first} on", flush=True)
        for split in range(splits):
            make_split(folder / f"split{split}", first + split)
        output = run_engine(arguments.binary, folder, splits)
        name = "LDS, digits + logistic regression"
        print(output.replace(name, f"{name}, seeds {first} to {first + splits - 1}"), end="")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

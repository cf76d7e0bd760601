"""dattri's explicit influence and TRAK and kronfluence's EK-FAC beside ours, on the splits of influence.py.

    torch_peers.py --binary DIGITS --scratch FOLDER [--quick]

Needs torch, dattri, kronfluence and scikit-learn. The model is the softmax regression of influence.py,
its weights are the same. Where a peer has a damping or a ridge, every value of a grid is run and the best
one by the ground truth is told beside the peer's default, which favours the peer: ours is chosen without.
`--quick` takes one split instead of two.
"""

import argparse
import logging
import re
import shutil
import time
import warnings
from pathlib import Path

import influence
import numpy as np
import torch
from dattri.algorithm.influence_function import IFAttributorExplicit
from dattri.algorithm.trak import TRAKAttributor
from dattri.task import AttributionTask
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence.task import Task
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

RIDGES = [0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0]
TOLERANCE = 0.005


def linear(weights):
    model = nn.Linear(weights.shape[1], weights.shape[0], bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(weights))
    return model.eval()


def dattri_losses(model):
    """The mean loss of a batch, and the log-odds and the probability of an image's label."""

    def batch_loss(params, batch):
        images, labels = batch
        return nn.functional.cross_entropy(torch.func.functional_call(model, params, images), labels)

    def log_odds(params, pair):
        """log(p / (1 - p)), without cancellation."""
        image, label = pair
        logits = torch.func.functional_call(model, params, image)
        right = torch.arange(influence.CLASSES) == label
        others = torch.logsumexp(logits.masked_fill(right, -torch.inf), -1)
        return (logits * right).sum(-1).sub(others).sum()

    def probability(params, pair):
        return torch.sigmoid(log_odds(params, pair))

    return batch_loss, log_odds, probability


def dattri_explicit(weights, train, test):
    model = linear(weights)
    batch_loss, _, _ = dattri_losses(model)
    task = AttributionTask(loss_func=batch_loss, model=model, checkpoints=model.state_dict())
    whole = DataLoader(train, batch_size=len(train))
    attributor = IFAttributorExplicit(task, regularization=1.0 / len(train))
    attributor.cache(whole)
    with torch.no_grad():
        scores = attributor.attribute(whole, DataLoader(test, batch_size=len(test)))
    return scores.T.numpy()


def dattri_trak(weights, train, test, ridge):
    model = linear(weights[0])
    _, log_odds, probability = dattri_losses(model)
    # TRAK differentiates the output on both sides.
    task = AttributionTask(
        loss_func=log_odds, model=model, checkpoints=[linear(w).state_dict() for w in weights]
    )
    attributor = TRAKAttributor(
        task,
        correct_probability_func=probability,
        projector_kwargs={"proj_dim": influence.DIMENSION, "device": "cpu"},
        regularization=ridge,
    )
    with torch.no_grad():
        attributor.cache(DataLoader(train, batch_size=len(train)))
        scores = attributor.attribute(DataLoader(test, batch_size=len(test)))
    return scores.T.numpy()


class Digits(Task):
    """What kronfluence has to know."""

    def compute_train_loss(self, batch, model, sample=False):
        images, labels = batch
        logits = model(images)
        if sample:
            labels = torch.multinomial(logits.detach().softmax(-1), 1).flatten()
        return nn.functional.cross_entropy(logits, labels, reduction="sum")

    def compute_measurement(self, batch, model):
        return self.compute_train_loss(batch, model)


def kronfluence_ekfac(weights, train, test, dampings, scratch):
    """Scores by damping, and how long fitting took."""
    torch.manual_seed(0)
    task = Digits()
    # It wraps layers inside a module, not the module itself.
    model = prepare_model(nn.Sequential(linear(weights)), task)
    analyzer = Analyzer(
        "digits",
        model,
        task,
        cpu=True,
        output_dir=str(scratch),
        disable_tqdm=True,
        disable_model_save=True,
        log_level=logging.ERROR,
    )
    start = time.perf_counter()
    analyzer.fit_all_factors(
        "factors",
        train,
        per_device_batch_size=len(train),
        factor_args=FactorArguments(strategy="ekfac"),
        overwrite_output_dir=True,
    )
    fitted = time.perf_counter() - start
    found = {}
    for damping in dampings:
        start = time.perf_counter()
        analyzer.compute_pairwise_scores(
            "scores",
            "factors",
            query_dataset=test,
            train_dataset=train,
            per_device_query_batch_size=len(test),
            per_device_train_batch_size=len(train),
            score_args=ScoreArguments(damping_factor=damping),
            overwrite_output_dir=True,
        )
        scores = analyzer.load_pairwise_scores("scores")["all_modules"]
        found[damping] = (scores.numpy(), fitted + time.perf_counter() - start)
    return found


def peers(where, seed, scratch):
    """For each peer's method: score and seconds."""
    x, y, xt, yt, _ = influence.digits(seed)
    tensors = lambda a, b: TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b))
    train, test = tensors(x, y), tensors(xt, yt)
    load = lambda name: np.load(where / f"{name}.npy")
    masks, outputs = load("masks"), load("outputs")
    lds = lambda scores: influence.spearman(scores @ masks.T, outputs)
    results = {}

    def timed(name, run):
        start = time.perf_counter()
        scores = run()
        results[name] = (lds(scores), time.perf_counter() - start)

    timed("dattri, explicit influence", lambda: dattri_explicit(load("weights"), train, test))
    models = [load(f"trak{m}_weights") for m in range(influence.MODELS)]
    for ridge in RIDGES:
        timed(f"dattri, TRAK-10, ridge {ridge:g}", lambda: dattri_trak(models, train, test, ridge))
    dampings = [1e-8, None, 1.0 / len(train)]
    for damping, (scores, seconds) in kronfluence_ekfac(load("weights"), train, test, dampings, scratch).items():
        name = "heuristic damping" if damping is None else f"damping {damping:.1e}"
        results[f"kronfluence, EK-FAC, {name}"] = (lds(scores), seconds)
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True, help="the engine's example `digits`")
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for the splits")
    parser.add_argument("--quick", action="store_true", help="one split")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    splits = 1 if arguments.quick else 2
    folder = arguments.scratch / "torch-peers"
    collected = {}
    for split in range(splits):
        influence.make_split(folder / f"split{split}", split)
        for name, result in peers(folder / f"split{split}", split, folder / "kronfluence").items():
            collected.setdefault(name, []).append(result)
    output = influence.run_engine(arguments.binary, folder, splits)
    shutil.rmtree(folder)
    print(re.sub(r"^RESULT.*\n", "", output, flags=re.MULTILINE), end="")
    means = {name: np.mean(values, axis=0) for name, values in collected.items()}
    print()
    for name, (score, seconds) in means.items():
        print(f"{name:44} {score:7.4f} {seconds * 1e3:10.1f} ms")

    def ours(method):
        score, _, milliseconds = re.search(rf"^{re.escape(method)} +(\S+) +(\S+) +(\S+)", output, re.MULTILINE).groups()
        return float(score), float(milliseconds)

    def best(prefix):
        return max(value[0] for name, value in means.items() if name.startswith(prefix))

    exact, milliseconds = ours("Gauss-Newton, exact")
    theirs, seconds = means["dattri, explicit influence"]
    trak, trak_milliseconds = ours("TRAK-10, ridge selected")
    trak_seconds = means["dattri, TRAK-10, ridge 0"][1]
    holds = exact >= theirs - TOLERANCE
    print(
        f"RESULT\tLDS, digits, torch peers\texact {exact:.4f} in {milliseconds:.0f} ms, dattri explicit "
        f"{theirs:.4f} in {seconds * 1e3:.0f} ms; TRAK-10 {trak:.3f} in {trak_milliseconds:.0f} ms, dattri "
        f"{best('dattri, TRAK-10'):.3f} at its best ridge in {trak_seconds * 1e3:.0f} ms; kronfluence EK-FAC "
        f"{best('kronfluence'):.3f} at its best damping\tdattri's explicit influence minus .005\t"
        f"{'holds' if holds else 'misses'}"
    )


if __name__ == "__main__":
    main()

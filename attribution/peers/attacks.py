"""Attacks on pay by influence: writes scikit-learn's digits and runs the example `attacks` on them."""

import argparse
import pathlib
import subprocess

import numpy
from sklearn.datasets import load_digits


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="the example attacks of attribution-engine")
    parser.add_argument("--scratch", required=True, type=pathlib.Path, help="a folder for the data")
    parser.add_argument("--quick", action="store_true", help="three seeds, one data set and model")
    arguments = parser.parse_args()
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    features, labels = load_digits(return_X_y=True)
    numpy.save(arguments.scratch / "digits-features.npy", (features / 16).astype(numpy.float32))
    numpy.save(arguments.scratch / "digits-labels.npy", labels.astype(numpy.uint32))
    command = [arguments.binary, "--data", arguments.scratch]
    if arguments.quick:
        command.append("--quick")
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()

//! What `--help` says behind the options: examples for each command, and exit statuses.

use crate::Arguments;
use clap::{Command, CommandFactory};

const OVERVIEW: &str = "\
Examples:
  Where does an answer quote, and whom?
    poa index corpus books/ --output books.poa
    poa trace --index books.poa answer.txt --report answer.html
  Which training records shaped these outputs, and what are their owners' shares?
    poa influence fisher --train gradients.npy --queries outputs.npy --output scores.npy
    poa shares --scores scores.npy --owners owners.txt --report shares.html
  What is each datum worth to a model?
    poa value knn-shapley --train x.npy --labels y.npy --test tx.npy --test-labels ty.npy
  Which records are copies of earlier ones?
    poa dedup submissions.jsonl

Arrays are read by the ends of their files' names:
  .npy        NumPy's format: f4 or f8, two dimensions, C order
  .jsonl      a row a line: an array of numbers, or an object that has them under the key gradient
              or values; its other keys are ignored
  other       CSV: a row a line, without a header
Results are written as .csv, .json or .jsonl, matrices also as .npy.

Exit status: 0 when done, 1 when an input or a file is refused, 2 when the command line is wrong,
3 when something does not verify, 130 when stopped by Ctrl-C.";

/// Examples by the names of commands.
const EXAMPLES: &[(&[&str], &str)] = &[
    (
        &["index"],
        "\
Examples:
  poa index corpus books/ --output books.poa
  poa index gradients gradients.npy --output gradients.poa",
    ),
    (
        &["index", "corpus"],
        "\
Examples:
  poa index corpus books/ more.jsonl --output books.poa",
    ),
    (
        &["index", "gradients"],
        "\
Examples:
  poa index gradients gradients.npy --output gradients.poa
  poa index gradients gradients.jsonl --dimension 512 --seed 7 --output gradients.poa
  poa index gradients more.npy --append --output gradients.poa
  poa index gradients gradients.npy --principal --output exact.poa
  poa index gradients gradients.npy --principal --curvature x.npy --curvature-deltas d.npy \\
                      --curvature-tokens lengths.txt --output ekfac.poa
  poa influence index --index ekfac.poa --queries outputs.npy --relative",
    ),
    (
        &["trace"],
        "\
Examples:
  poa trace --index books.poa answer.txt --report answer.html
  fortune | poa trace --index books.poa - --minimum 12 --json",
    ),
    (
        &["influence"],
        "\
Examples:
  poa influence fisher --train g.npy --queries q.npy --layers 640,10 --output scores.npy --top 20
  poa influence tracin --train g1.npy --queries q1.npy --learning-rate 0.1 \\
                       --train g2.npy --queries q2.npy --learning-rate 0.01
  poa influence trak   --train m1.npy --queries q1.npy --misses p1.csv \\
                       --train m2.npy --queries q2.npy --misses p2.csv --ridge 0.01
  poa influence index  --index gradients.poa --queries q.npy --damping 1 --json
  poa influence ekfac  --train x.npy --train-deltas d.npy --train-tokens lengths.txt \\
                       --queries qx.npy --query-deltas qd.npy --query-tokens query-lengths.txt
For trak, --train has features of training records (gradients of a model's output, not of its loss),
--queries those of queries and --misses a number for each training record: 1 - p of the right answer.
For ekfac and logra, arrays are given once for each linear layer y = W x: --train has the activations x
of all tokens of all training records one below the other, --train-deltas the derivatives of the loss
by y in the same rows, --train-tokens how many tokens each record has, a number a line [default: one];
--query-… and --curvature-… likewise.",
    ),
    (
        &["value"],
        "\
Examples:
  poa value knn-shapley --train x.npy --labels y.npy --test tx.npy --test-labels ty.npy
  poa value banzhaf --train x.csv --labels y.txt --test tx.csv --test-labels ty.txt --count 4000",
    ),
    (
        &["dedup"],
        "\
Examples:
  poa dedup earlier/ submissions.jsonl --threshold 0.7 --output copies.csv",
    ),
    (
        &["shares"],
        "\
Examples:
  poa shares --scores scores.npy --owners owners.txt --clip 0.99 --output shares.csv
  poa shares --scores scores.jsonl --owners owners.txt --originals originals.txt --report shares.html",
    ),
    (
        &["verify"],
        "\
Examples:
  poa verify books.poa
  poa verify books.poa --root 3f0a…   a root that somebody published",
    ),
    (
        &["bench"],
        "\
Examples:
  poa bench --quick
  poa bench --corpus books/ --threads 1 --json",
    ),
];

/// The command line with its examples.
pub(crate) fn command() -> Command {
    EXAMPLES.iter().fold(
        Arguments::command().after_help(OVERVIEW),
        |command, (names, examples)| with_examples(command, names, examples),
    )
}

/// Puts examples behind what a command below `command` says already.
fn with_examples(command: Command, names: &[&str], examples: &'static str) -> Command {
    let Some((name, rest)) = names.split_first() else {
        let before = command
            .get_after_help()
            .map(|help| format!("{help}\n\n"))
            .unwrap_or_default();
        return command.after_help(format!("{before}{examples}"));
    };
    command.mut_subcommand(*name, |command| with_examples(command, rest, examples))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &Command, path: &str) {
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name());
            let help = sub
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.contains("Examples:") && help.contains(&path),
                "{path}: {help}"
            );
            check(sub, &path);
        }
    }

    #[test]
    fn every_command_has_examples_of_itself() {
        let command = command();
        command.clone().debug_assert();
        assert_eq!(command.get_subcommands().count(), 8);
        check(&command, "poa");
    }
}

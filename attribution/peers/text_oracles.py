"""Prints infini-gram's answers on a small drawn text, for attribution/engine/tests/infini_gram.rs.

    python text_oracles.py SCRATCH
"""

import sys
from pathlib import Path

from text import attribute, build_peer, open_peer


class Draw:
    """Numbers by D. Knuth's linear congruential generator MMIX."""

    def __init__(self):
        self.state = 1

    def below(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % bound


def drawn():
    """Records, queries and outputs, as the Rust test draws them."""
    draw = Draw()
    words = [bytes(97 + draw.below(5) for _ in range(2 + draw.below(4))) for _ in range(40)]

    def text(count):
        return b" ".join(words[draw.below(len(words))] for _ in range(count))

    records = [text(30) for _ in range(40)]

    def piece(length):
        record = records[draw.below(len(records))]
        start = draw.below(len(record) - length)
        return record[start : start + length]

    queries = [piece(1 + draw.below(24)) if i % 2 == 0 else text(1 + draw.below(3)) for i in range(60)]
    outputs = [piece(20) + text(3) + piece(20) for _ in range(8)]
    return records, queries, outputs


def main():
    records, queries, outputs = drawn()
    folder = Path(sys.argv[1]).resolve() / "oracles"
    # An empty document at the end, as in text.py.
    documents = [*records, b""]
    build_peer(folder, documents, 1)
    peer = open_peer(folder)
    print(f"// {len(records)} records of {sum(map(len, records))} bytes.")
    print(f"const QUERIES: [[u64; 4]; {len(queries)}] = [")
    for query in queries:
        tokens = list(query)
        found = peer.infgram_prob(prompt_ids=tokens[:-1], cont_id=tokens[-1])
        context = found.prompt_cnt - (len(documents) if found.suffix_len == 0 else 0)
        count = peer.count(input_ids=tokens).count
        print(f"    [{count}, {found.suffix_len}, {context}, {found.cont_cnt}],")
    print(f"];\nconst SPANS: [&[[u64; 3]]; {len(outputs)}] = [")
    for output in outputs:
        spans = [f"[{span.l}, {span.length}, {span.count}]" for span in attribute(peer, output).spans]
        print(f"    &[{', '.join(spans)}],")
    print("];")


if __name__ == "__main__":
    main()

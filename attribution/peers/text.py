"""The corpus half of the benchmark, beside infini-gram.

    python text.py --binary PATH_OF_text-speed --scratch FOLDER [--quick]

Both index the very same bytes: source text of the crates that cargo has fetched, in records of two
kilobytes. Both answer the very same queries, and every answer is compared. Ends with status 1 when an answer
differs.
"""

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy
from infini_gram import cpp_engine

# infini-gram's mark before each document of byte tokens. UTF-8 never holds it.
SEPARATOR = 255
RECORD = 2_000
OUTPUT = 458
HELD_OUT = 11
KINDS = {".rs", ".md", ".toml", ".txt"}
GIGABYTE = 1_000_000_000
CGROUP = 3 << 30
HELD_LIMIT = 200


def result(row, measured, bound, holds):
    print("RESULT", row, measured, bound, "holds" if holds else "misses", sep="\t")


# --- The corpus.


def sources():
    """Files of text of fetched crates, in an order that mixes crates and depends on their paths alone."""
    root = Path.home() / ".cargo/registry/src"
    files = []
    for registry in sorted(root.iterdir()):
        for folder, _, names in os.walk(registry):
            for name in names:
                if os.path.splitext(name)[1] in KINDS:
                    path = os.path.join(folder, name)
                    files.append((os.path.relpath(path, registry), path))
    files.sort(key=lambda file: hashlib.sha256(file[0].encode(errors="replace")).digest())
    if not files:
        sys.exit(f"there are no sources below {root}: run cargo fetch")
    return [path for _, path in files]


def records(paths, total):
    """Pieces of at most two kilobytes, cut behind a space or a line's end where there is one."""
    given = 0
    for path in paths:
        text = Path(path).read_bytes()
        try:
            text.decode()
        except UnicodeDecodeError:
            continue
        start = 0
        while start < len(text) and given < total:
            end = min(start + RECORD, len(text))
            if end < len(text):
                cut = max(text.rfind(b" ", start, end), text.rfind(b"\n", start, end))
                end = cut + 1 if cut > start else end
            yield text[start:end]
            given += end - start
            start = end
        if given >= total:
            return


def write_strings(path, strings):
    """As infini-gram lays out byte tokens: a mark before each string."""
    with open(path, "wb") as out:
        for string in strings:
            out.write(bytes([SEPARATOR]) + string)


# --- infini-gram.


def build_peer(folder, strings, cpus):
    """Seconds that infini-gram takes for its suffix array; its tokens are given to it."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    write_strings(folder / "tokenized.0", strings)
    starts = numpy.cumsum([0] + [len(string) + 1 for string in strings[:-1]])
    starts.astype("<u8").tofile(folder / "offset.0")
    command = [sys.executable, "-m", "infini_gram.indexing", "--data_dir", folder / "data"]
    command += ["--save_dir", folder, "--token_dtype", "u8", "--cpus", cpus, "--mem", 4, "--ulimit", 1024]
    start = time.perf_counter()
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if run.returncode != 0 or not (folder / "table.0").exists():
        sys.exit(f"infini-gram could not build its index:\n{run.stdout}{run.stderr}")
    # Its own figure leaves the start of Python out.
    told = [line for line in run.stdout.splitlines() if line.startswith("Step 2 (build_sa): Done")]
    return float(told[-1].split()[-2]) if told else seconds


def open_peer(folder):
    # The class that infini-gram's Python class wraps. The wrapper demands an end mark below the size of the
    # vocabulary, which for bytes must itself fit a byte, and so rules out its own separator 255.
    prefetch = (1, 3, 3)
    return cpp_engine.Engine_U8(
        [str(folder)], SEPARATOR, 255, 4, True, *prefetch, set(), 512, False, {}
    )


# --- The Rust half.


def read_figures(told):
    """Figures by name; what else is told is printed."""
    figures = {}
    for line in told.splitlines():
        if line.startswith("FIGURE\t"):
            _, name, value = line.split("\t")
            figures[name] = float(value)
        else:
            print(" ", line)
    return figures


def rust(binary, *arguments):
    """What an example tells of its work."""
    command = [str(word) for word in (binary, *arguments)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    figures = read_figures(run.stdout)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with status {run.returncode}")
    return figures


# --- Queries.


def piece(random_, texts, length):
    while True:
        text = random_.choice(texts)
        if len(text) >= length:
            start = random_.randrange(len(text) - length + 1)
            return text[start : start + length]


def make_queries(folder, indexed, held_out, count, outputs):
    """Half of the queries from the corpus; the others held out, changed in a byte, or joined from two."""
    random_ = random.Random(1)
    queries = []
    for number in range(count):
        length = random_.randint(1, 64)
        if number % 2 == 0:
            query = piece(random_, indexed, length)
        elif number % 4 == 1:
            query = piece(random_, held_out, length)
        elif number % 8 == 3:
            query = bytearray(piece(random_, indexed, length))
            query[random_.randrange(length)] = random_.randrange(SEPARATOR)
        else:
            half = length // 2
            query = piece(random_, indexed, half) if half else b""
            query += piece(random_, indexed, length - half)
        queries.append(bytes(query))
    write_strings(folder / "queries", queries)
    counts = [piece(random_, indexed, 16) for _ in range(count)]
    write_strings(folder / "counts", counts)
    prompts = [piece(random_, (indexed, held_out)[i % 2], 65) for i in range(count)]
    write_strings(folder / "prompts", prompts)
    traced = [piece(random_, (held_out, indexed)[i % 2], OUTPUT) for i in range(outputs)]
    write_strings(folder / "outputs", traced)
    return queries, counts, prompts, traced


def least_median(inputs, answer):
    """Median in microseconds of each input's least time in three rounds."""
    times = [float("inf")] * len(inputs)
    for _ in range(3):
        for number, one in enumerate(inputs):
            start = time.perf_counter()
            answer(one)
            times[number] = min(times[number], time.perf_counter() - start)
    return median(times) * 1e6


# --- Comparing answers.


def compare(what, inputs, found, expected):
    wrong = [number for number, pair in enumerate(zip(found, expected)) if pair[0] != pair[1]]
    if len(found) != len(expected) or wrong:
        print(f"WRONG: {what}: {len(wrong)} of {len(expected)} answers differ from infini-gram's")
        for number in wrong[:3]:
            print(f"  {inputs[number]!r}: {found[number]} instead of {expected[number]}")
        return False
    print(f"{what}: all {len(expected)} answers are infini-gram's")
    return True


def compare_queries(peer, folder, queries, documents):
    answers = numpy.fromfile(folder / "answers.u64", "<u8").reshape(-1, 4).tolist()
    expected = []
    for query in queries:
        tokens = list(query)
        followed = peer.infgram_prob(prompt_ids=tokens[:-1], cont_id=tokens[-1])
        context = followed.prompt_cnt
        if followed.suffix_len == 0:
            # infini-gram counts the marks before documents as tokens that an empty context stands before.
            context -= documents
        expected.append(
            [peer.count(input_ids=tokens).count, followed.suffix_len, context, followed.cont_cnt]
        )
    same = compare("count, context, its count, continuations", queries, answers, expected)

    rows = numpy.fromfile(folder / "distributions.u64", "<u8").reshape(-1, 3).tolist()
    asked = rows[-1][0] + 1
    found = [{} for _ in range(asked)]
    for number, token, count in rows:
        if count > 0:
            found[number][token] = count
    expected = []
    for number, query in enumerate(queries[:asked]):
        next_ = peer.infgram_ntd(prompt_ids=list(query)[:-1], max_support=1 << 40)
        assert not next_.approx
        told = {token: one.cont_cnt for token, one in next_.result_by_token_id.items()}
        if next_.suffix_len == 0:
            told.pop(SEPARATOR, None)
        expected.append({token: count for token, count in told.items() if count > 0})
    return compare("distributions of next bytes", queries, found, expected) and same


def attribute(peer, output):
    # No delimiters, no words, and no count that is too high: what is left is the definition of both.
    return peer.attribute(
        input_ids=list(output), delim_ids=[], min_len=1, max_cnt=1 << 40, enforce_bow=False
    )


def compare_spans(peer, folder, outputs):
    found = [[] for _ in outputs]
    for number, *span in numpy.fromfile(folder / "spans.u64", "<u8").reshape(-1, 4).tolist():
        found[number].append(span)
    expected = [
        [[span.l, span.length, span.count] for span in attribute(peer, output).spans]
        for output in outputs
    ]
    print(f"{sum(map(len, found)) / len(found):.1f} maximal spans in an output in the mean")
    return compare("maximal spans", outputs, found, expected)


# --- Memory.


class Group:
    """A control group with a limit of memory, or none where this system does not give one."""

    def __init__(self, limit):
        self.folder, self.version = None, None
        places = [
            (1, "/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            (2, "/sys/fs/cgroup", "memory.max"),
        ]
        for version, base, name in places:
            folder = Path(base) / f"text-benchmark-{os.getpid()}"
            try:
                folder.mkdir()
            except OSError:
                continue
            try:
                (folder / name).write_text(str(limit))
                self.folder, self.version = folder, version
                return
            except OSError:
                folder.rmdir()

    def prefix(self):
        """What a command must be run by to be in the group."""
        if self.folder:
            return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$0" "$@"']
        return []

    def peak(self):
        name = {1: "memory.max_usage_in_bytes", 2: "memory.peak"}.get(self.version)
        try:
            return int((self.folder / name).read_text())
        except (OSError, TypeError):
            return None

    def remove(self):
        if self.folder:
            self.folder.rmdir()


def watched(command):
    """Runs a command. Its figures, and the most anonymous and file-backed memory that it was seen with."""
    told = tempfile.TemporaryFile("w+")
    process = subprocess.Popen([str(word) for word in command], stdout=told)
    peaks = {"Anonymous": 0, "File": 0}
    while process.poll() is None:
        time.sleep(0.2)
        try:
            table = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue
        lines = [line.split() for line in table.splitlines() if line.startswith("Rss")]
        held = {line[0]: int(line[1]) for line in lines}
        for kind, name in (("Anonymous", "RssAnon:"), ("File", "RssFile:")):
            peaks[kind] = max(peaks[kind], held.get(name, 0))
    told.seek(0)
    figures = read_figures(told.read())
    return process.returncode, figures, {name: kilobytes * 1024 / 1e6 for name, kilobytes in peaks.items()}


def memory(binary, scratch, folder):
    """The index of a gigabyte in a group of three."""
    corpus, index = scratch / "gigabyte", scratch / "gigabyte-index"
    shutil.rmtree(f"{index}.parts", ignore_errors=True)
    index.unlink(missing_ok=True)
    random_, size, paths = random.Random(3), 0, sources()
    with open(corpus, "wb") as out:
        while size < GIGABYTE:
            edited = size > 0
            for record in records(paths, GIGABYTE - size):
                if edited and len(record) > 2:
                    # From the second time on no record is as it was.
                    changed = bytearray(record)
                    for _ in range(1 + len(record) // 100):
                        changed[random_.randrange(len(record))] = random_.randrange(32, 127)
                    record = bytes(changed)
                out.write(bytes([SEPARATOR]) + record)
                size += len(record)
        # Pages that are cached already would not count for the group that reads them.
        out.flush()
        os.fsync(out.fileno())
        os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    print(f"{size / 1e9:.2f} GB of text in {corpus}")
    group = Group(CGROUP)
    start = time.perf_counter()
    try:
        status, figures, peaks = watched([*group.prefix(), binary, "parts", corpus, index, 200_000_000])
        peak = group.peak()
    finally:
        group.remove()
    corpus.unlink()
    where = f"cgroup v{group.version} of {CGROUP >> 30} GiB" if group.folder else "no cgroup to be had"
    if status != 0:
        result("memory: index of 1 GB of text", f"ended with status {status} in a {where}", "builds in 3 GB", False)
        return
    limit = f", at most {peak / 1e9:.2f} GB of the group used, page cache included" if peak else ""
    measured = (
        f"{figures['rate']:.1f} MB/s, {time.perf_counter() - start:.0f} s in a {where}{limit}; "
        f"the process held at most {peaks['Anonymous']:.0f} MB anonymous, {peaks['File']:.0f} MB file-backed"
    )
    holds = bool(group.folder) or sum(peaks.values()) < CGROUP / 1e6
    result("memory: index of 1 GB of text", measured, "builds in a 3 GB cgroup", holds)
    held = rust(binary, "hold", index, folder)
    index.unlink()
    anonymous = held["anonymous megabytes"]
    result(
        "memory: queries of that index",
        f"{anonymous:.1f} MB anonymous, {held['file-backed megabytes']:.0f} MB file-backed",
        f"at most {HELD_LIMIT} MB anonymous",
        anonymous <= HELD_LIMIT,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True, help="the example text-speed")
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for indexes")
    parser.add_argument("--quick", action="store_true", help="a small corpus, no gigabyte")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    binary, scratch, quick = arguments.binary.resolve(), arguments.scratch.resolve(), arguments.quick
    folder = scratch / "text"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    total = 4_000_000 if quick else 28_500_000
    texts = list(records(sources(), total * HELD_OUT // (HELD_OUT - 1)))
    held_out = texts[HELD_OUT - 1 :: HELD_OUT]
    indexed = [text for number, text in enumerate(texts) if number % HELD_OUT != HELD_OUT - 1]
    print(f"{len(indexed)} records of {sum(map(len, indexed))} bytes; {len(held_out)} are held out")
    # An empty document at the end, so that every other one has a mark behind it: for a context that ends
    # its store, infini-gram's distribution of next tokens is wrong.
    documents = [*indexed, b""]

    cpus = sorted({1, os.cpu_count() or 1})
    peer_seconds = {count: build_peer(folder / f"peer-{count}", documents, count) for count in cpus}
    for count, seconds in peer_seconds.items():
        print(f"infini-gram builds its suffix array with {count} CPUs in {seconds:.2f} s")
    peer_folder = folder / f"peer-{cpus[0]}"
    corpus = peer_folder / "tokenized.0"
    built = rust(binary, "build", corpus, folder, 3 if quick else 7)
    wall, processor = built["build ratio, wall"], built["build ratio, processor"]
    result(
        "suffix array build beside libsais",
        f"{wall:.3f} of it by wall, {processor:.3f} by processor time; {built['build rate, wall']:.1f} MB/s; "
        f"in parts, to a file: {built['build rate in parts']:.1f} MB/s",
        "at least .9",
        wall >= 0.9,
    )
    fastest = min(peer_seconds.values())
    own = built["build and save seconds"]
    result(
        "suffix array build beside infini-gram",
        f"{fastest / own:.1f} times as fast: {own:.2f} s with one thread, file written; infini-gram "
        + ", ".join(f"{seconds:.2f} s with {count}" for count, seconds in peer_seconds.items()),
        "at least 10 times",
        fastest / own >= 10,
    )

    count, outputs = (2_000, 100) if quick else (10_000, 1_000)
    queries, counts, prompts, traced = make_queries(folder, indexed, held_out, count, outputs)
    times = rust(binary, "answer", corpus, folder)
    peer = open_peer(peer_folder)
    same = compare_queries(peer, folder, queries, len(documents))
    same_spans = compare_spans(peer, folder, traced)
    timed = slice(0, 1_000 if quick else None)
    peer_count = least_median([list(one) for one in counts[timed]], lambda one: peer.count(input_ids=one))
    peer_prob = least_median(
        [(list(one[:-1]), one[-1]) for one in prompts[timed]],
        lambda one: peer.infgram_prob(prompt_ids=one[0], cont_id=one[1]),
    )
    peer_trace = least_median(traced[:30], lambda one: attribute(peer, one))
    del peer

    own = times["count of 16 bytes"]
    equal = f"{'same' if same else 'OTHER'} answers on {len(queries)} queries"
    result(
        "count of 16 bytes, in cache",
        f"{own:.2f} us median; infini-gram {peer_count:.1f} us from Python; {equal}",
        "at most 1.5 us, same answers",
        own <= 1.5 and same,
    )
    own = times["infinite-gram of 64 bytes"]
    result(
        "infinite-gram probability, 64 bytes, in cache",
        f"{own:.2f} us median; infini-gram {peer_prob:.1f} us from Python; {equal}",
        "at most 10 us, same answers",
        own <= 10 and same,
    )
    own = times["trace, spans of 1 bytes"]
    result(
        f"trace of {OUTPUT} bytes with owners",
        f"{own:.0f} us median for spans of any length, {times['trace, spans of 24 bytes']:.0f} us from 24 bytes "
        f"on; infini-gram {peer_trace:.0f} us without owners on 30 of them; spans "
        f"{'identical' if same_spans else 'NOT identical'} on {len(traced)} outputs",
        "at most 1000 us, identical spans",
        own <= 1_000 and same_spans,
    )
    shut = rust(binary, "compressed", corpus, folder)
    size, own = shut["compressed size"], shut["compressed count of 16 bytes"]
    result(
        "compressed index",
        f"{size:.4f} of the text; count of 16 bytes {own:.2f} us median, equal to the index's on "
        f"{len(queries)} queries",
        "at most .45; at most 20 us",
        size <= 0.45 and own <= 20,
    )
    if not quick:
        memory(binary, scratch, folder)
    shutil.rmtree(folder)
    return 0 if same and same_spans else 1


if __name__ == "__main__":
    sys.exit(main())

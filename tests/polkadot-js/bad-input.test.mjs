// Everything in docs/errors.md, provoked for real: what people do wrong at the command line, in files, in
// jobs, over HTTP and on chain. Nothing may crash, and nothing that was there may be lost.

import assert from "node:assert/strict";
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";

import { blake3 } from "@noble/hashes/blake3";
import { u8aConcat, u8aToHex } from "@polkadot/util";
import { blake2AsU8a } from "@polkadot/util-crypto";

import { OPEN, developmentAccounts, eventName, sendAndInclude } from "./client.mjs";
import { ErrorTable } from "./error-table.mjs";
import { withChain } from "./fixture.mjs";
import { mountSmallDisk } from "./small-disk.mjs";
import { attempt, attemptBeside, scratchFolder, startWorker, work } from "./worker.mjs";

const MINUTES = 60_000;
/** A number that nothing has. */
const NOBODY = "4000000";
/** Where nothing listens. */
const NOWHERE = "127.0.0.1:1";
const GIGABYTE = 2 ** 30;
/** A price at which a full context costs more than the smallest deposit, in base units per token. */
const PRICE = OPEN / 50n;
const CONTEXT = 64;
/** Space that the record of an answer fits into, but not the change of the books. */
const ENOUGH_FOR_AN_ANSWER = 3 << 12;

const table = new ErrorTable();
const folder = scratchFolder();
const inFolder = (...names) => join(folder, ...names);
const store = inFolder("store");
const disk = mountSmallDisk(inFolder("disk"), 48);
const skip = disk.problem ?? false;
if (skip) table.excuse("disk-full-pack", "disk-full-publish", "disk-full-training", "disk-full-serving", "disk-full-books");

function file(name, content) {
  const path = inFolder(name);
  writeFileSync(path, content);
  return path;
}

/** A file of a gigabyte that takes no space. */
function hugeFile(path) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
  truncateSync(path, GIGABYTE);
  return path;
}

/** Asserts that a command of the worker fails as row `id` says: one line, nothing else. */
function refused(id, words, options) {
  wasRefused(id, attempt(words, options));
}

function wasRefused(id, { status, stdout, stderr }) {
  table.expect(id, stderr);
  assert.equal(status, 1, `${id}: ${stderr}`);
  assert.match(stderr, /^error: [^\n]+\n$/, id);
  assert.equal(stdout ?? "", "", id);
}

/** The same for words that cannot be understood, which are explained in several lines. */
function misunderstood(id, words) {
  const { status, stdout, stderr } = attempt(words);
  table.expect(id, stderr);
  assert.equal(status, 2, `${id}: ${stderr}`);
  assert.equal(stdout, "", id);
}

const alice = ["--key", "//Alice"];
const pack = (input, ...more) => [...alice, "data", "pack", input, "--output", inFolder("refused.payload"), ...more];

/** Stores `bytes` under their id, as the worker does. */
function publish(bytes) {
  const id = u8aToHex(blake3(bytes));
  writeFileSync(blobPath(id), bytes);
  return id;
}

function blobPath(id) {
  const name = id.slice(2);
  const path = join(store, name.slice(0, 2), name);
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

const json = (value) => new TextEncoder().encode(JSON.stringify(value));

// The protocol, as far as a contributor with tools of his own needs it.
const hash = (tag, ...parts) => blake2AsU8a(u8aConcat(Uint8Array.of(tag, 1), ...parts), 256);

function littleEndian(value, bytes) {
  return Uint8Array.from({ length: bytes }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn));
}

/** Commitment and payload of a contribution of one record of less than 64 bytes. */
function loneRecord(contributor, bytes) {
  const scaled = u8aConcat(Uint8Array.of(bytes.length << 2), bytes);
  const chunk = hash(0x02, littleEndian(0, 4), scaled);
  const commit = hash(0x03, new Uint8Array(32), chunk, littleEndian(1, 4));
  const root = hash(0x04, littleEndian(0, 4), contributor.publicKey, commit, littleEndian(bytes.length, 4));
  const payload = u8aConcat(new TextEncoder().encode("OLDP"), Uint8Array.of(1, 4), scaled);
  return { root: u8aToHex(root), count: 1, bytes: bytes.length, payload };
}

describe("bad input", { timeout: 8 * MINUTES }, () => {
  let node;
  let api;
  let accounts;
  /** The trained model with its numbers, once the operator is done. */
  let trained;
  let operator;
  let operatorUrl;
  let proxy;
  /** An attempt to open a channel that is too small. */
  let smallDeposit;

  /** The events of this name in the result of sending an extrinsic. */
  const eventsOf = ({ events }, name) =>
    events.filter((record) => eventName(record) === name).map((record) => record.event.data);

  const all = (calls, signer) => sendAndInclude(api, api.tx.utility.batchAll(calls), signer);

  const run = (...words) =>
    startWorker(
      ...["--node", node.url, "--store", store, "--folder", inFolder("disk", "operator"), "--key", "//Dave"],
      ...["run", "--endpoint", "http://127.0.0.1:9", "--checkpoint-every", "5", "--poll", "1", "--most-memory", "1"],
      ...words,
    );

  const serve = (listen) => run("--listen", listen, "--most-unsigned", `${OPEN + (35n * OPEN) / 100n}`);

  const payer = (key, listen, ...more) => [
    ...["--node", node.url, "--key", key, "--folder", inFolder("payer"), "--log", "warn", "pay"],
    ...["--poll", "1", "--listen", listen, ...more],
  ];

  const finished = async (job) => {
    for (;;) {
      const { state } = (await api.query.compute.jobs(job)).unwrap();
      if (state.isFinalised) return state.asFinalised.model.toNumber();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };

  const licence = {
    spdx: "MIT",
    terms: { derivatives: true, commercial: true, shareAlike: false, attribution: true },
  };

  const contribution = (datanet, { root, count, bytes, content, media = "Text" }, stake = 3n * OPEN) =>
    api.tx.datanets.contribute(datanet, { root, count }, bytes, media, content, licence, null, stake);

  const job = (datanet, hyperParameters, fee = 5n * OPEN) =>
    api.tx.compute.requestJob("Base", [datanet], hyperParameters, null, 0, PRICE, PRICE, fee);

  /**
   * Makes one Datanet for each kind of contribution, good and bad, and a job for each, which an operator
   * with a full disk then looks at. A curator accepts without a wait. Returns the jobs by what is wrong
   * with them.
   */
  async function prepare() {
    const { bob, charlie } = accounts;
    const record = (index) => Array.from({ length: 12 }, (_, line) => `line ${line} of ${index} says ${index * line}`).join("\n");
    const good = file("good.jsonl", Array.from({ length: 24 }, (_, index) => JSON.stringify({ text: record(index) })).join("\n"));
    const packed = (name, input, ...more) => {
      const output = inFolder(`${name}.payload`);
      return { ...work("--key", "//Bob", "data", "pack", input, "--output", output, ...more), output };
    };
    const latin = loneRecord(bob, Uint8Array.of(0x66, 0xe9, 0x65));
    const latinFile = file("latin.payload", latin.payload);
    const anything = { root: u8aToHex(new Uint8Array(32).fill(1)), count: 2, bytes: 1_000 };
    const huge = u8aToHex(new Uint8Array(32).fill(2));
    hugeFile(blobPath(huge));
    const contributions = {
      good: packed("good", good),
      "job-payload-missing": { ...anything, content: u8aToHex(new Uint8Array(32).fill(3)) },
      "job-payload-altered": packed("altered", file("altered.jsonl", '{"text": "one"}\n{"text": "two"}')),
      "job-payload-huge": { ...anything, content: huge },
      "job-payload-not-utf8": { ...latin, content: work("--store", store, "data", "publish", latinFile).content },
      "job-binary": { ...packed("binary", file("picture.bin", Uint8Array.of(0, 1, 2)), "--media", "binary"), media: "Binary" },
      "job-one-record": packed("lone", file("lone.txt", "only this\n")),
    };
    const names = Object.keys(contributions);
    const created = await all(names.map((name) => api.tx.datanets.createCurated(name, [charlie.address], 1)), bob);
    const numbers = eventsOf(created, "datanets.DatanetCreated").map(([number]) => number.toNumber());
    const datanets = Object.fromEntries(names.map((name, index) => [name, numbers[index]]));
    const [contributed] = await Promise.all([
      all(names.map((name) => contribution(datanets[name], contributions[name])), bob),
      all(numbers.map((number) => api.tx.datanets.joinAsCurator(number)), charlie),
    ]);
    const sequences = eventsOf(contributed, "datanets.Contributed").map(([sequence]) => sequence.toNumber());
    for (const { output } of Object.values(contributions)) {
      if (output !== undefined) work("--store", store, "data", "publish", output);
    }
    writeFileSync(blobPath(contributions["job-payload-altered"].content), "something else");

    await all(sequences.map((sequence) => api.tx.datanets.vote(sequence, true)), charlie);

    const recipe = (...words) => work("--store", store, "job", "hyper-parameters", "base", ...words).content;
    const size = ["--hidden-size", "32", "--layers", "2", "--context", `${CONTEXT}`, "--steps", "40"];
    const hyperParameters = recipe(...size);
    const requests = {
      good: job(datanets.good, hyperParameters),
      "job-no-recipe": job(datanets.good, u8aToHex(new Uint8Array(32).fill(4))),
      "job-recipe-nonsense": job(datanets.good, publish(json({ steps: "many" }))),
      "job-too-large": job(datanets.good, recipe("--hidden-size", "1024", "--layers", "12")),
    };
    for (const name of names.slice(1)) requests[name] = job(datanets[name], hyperParameters);
    const requested = await all(Object.values(requests), bob);
    const jobs = eventsOf(requested, "compute.JobRequested").map(([number]) => number.toNumber());
    return Object.fromEntries(Object.keys(requests).map((name, index) => [name, jobs[index]]));
  }

  /** For `assert.rejects`: a transaction that failed as row `id` says. */
  const seenAs = (id) => (error) => {
    assert.equal(error.name, "DispatchFailure", `${error}`);
    table.expect(id, error.error);
    assert.notEqual(error.explanation, "", id);
    return true;
  };

  let prepared;
  let launched;

  after(async () => {
    await proxy?.kill();
    await operator?.kill();
  });
  withChain((chain) => {
    ({ node, api } = chain);
    accounts = developmentAccounts();
    // The chain takes its time; the command line is tried meanwhile.
    prepared = prepare();
    prepared.catch(() => {});
  });

  describe("at the command line", () => {
    test("keys", () => {
      refused("no-key", ["key"]);
      misunderstood("two-keys", [...alice, "--key-file", "x", "key"]);
      refused("key-nonsense", ["--key", "nonsense", "key"]);
      const key = (id, path) => refused(id, ["--key-file", path, "key"]);
      const keyFile = (name, text, mode) => {
        writeFileSync(inFolder(name), text, { mode });
        return inFolder(name);
      };
      key("key-file-absent", inFolder("absent"));
      key("key-file-exposed", keyFile("exposed.key", "//Alice", 0o644));
      key("key-file-empty", keyFile("empty.key", "\n", 0o600));
      mkdirSync(inFolder("keys"), { mode: 0o700 });
      key("key-file-folder", inFolder("keys"));
      const marked = work("--key-file", keyFile("marked.key", "\ufeff//Alice\r\n", 0o600), "key");
      assert.equal(marked.public_key, u8aToHex(accounts.alice.publicKey), "a byte order mark does no harm");
    });

    test("settings", () => {
      refused("log-filter", [...alice, "--log", "loud=very", "key"]);
      misunderstood("no-such-command", ["dance"]);
      refused("account-nonsense", pack(file("fine.txt", "fine\n"), "--contributor", "somebody"));
      misunderstood("content-id", ["job", "request", "--datanets", "1", "--fee", "1", "--hyper-parameters", "0x12"]);
      refused("node-unreachable", ["--node", `ws://${NOWHERE}`, "job", "show"]);
      refused("node-not-websocket", ["--node", `http://${NOWHERE}`, "job", "show"]);
      const toStore = (location) => ["--store", location, "job", "hyper-parameters", "base"];
      refused("store-nonsense", toStore("gopher://somewhere"));
      refused("store-is-a-file", toStore(file("store.txt", "")));
      const full = openSync("/dev/full", "w");
      refused("output-full", [...alice, "key"], { stdout: full });
      closeSync(full);
    });

    test("records", () => {
      const record = (id, name, content, ...more) => refused(id, pack(file(name, content), ...more));
      record("record-not-utf8", "latin.txt", Uint8Array.of(0x66, 0xe9));
      record("record-not-utf8-clean", "latin.txt", Uint8Array.of(0x66, 0xe9), "--clean");
      record("record-empty", "empty.txt", "");
      record("record-mark", "mark.txt", "\ufeffone\n");
      record("record-carriage-return", "windows.txt", "one\r\n");
      record("record-blank", "blank.txt", "one \n");
      refused("record-file-absent", pack(inFolder("absent.txt")));
      refused("record-folder", pack(folder));
      record("lines-not-json", "broken.jsonl", '{"text": "one"}\n{"text": \n');
      record("lines-no-text", "other.jsonl", '{"body": "one"}\n');
      record("lines-not-utf8", "latin.jsonl", Uint8Array.of(0x22, 0xe9, 0x22));
      record("lines-empty", "empty.jsonl", "\n\n");
      const cleaned = work(...pack(inFolder("windows.txt"), "--clean"));
      assert.equal(cleaned.bytes, 4);
    });

    test("records that never end cost no memory", () => {
      // Half of what it would take to read them.
      const wrapper = ["env", "MALLOC_ARENA_MAX=1", "prlimit", `--as=${GIGABYTE / 2}`];
      refused("record-huge", pack(hugeFile(inFolder("huge.txt"))), { wrapper });
      refused("record-endless", pack("/dev/zero"), { wrapper });
      refused("lines-huge", pack(hugeFile(inFolder("huge.jsonl"))), { wrapper });
    });

    test("payloads", () => {
      const payload = (id, content) => refused(id, ["--store", store, "data", "publish", file("bad.payload", content)]);
      payload("payload-nonsense", "some text");
      payload("payload-cut", "OLDP\u0001\u0004\u0028cut");
      payload("payload-no-records", "OLDP\u0001\u0000");
      refused("output-is-a-folder", [...alice, "data", "pack", file("fine.txt", "fine\n"), "--output", folder]);
    });

    test("a full disk", { skip }, () => {
      const output = inFolder("disk", "kept.payload");
      const toDisk = [...alice, "data", "pack", file("long.txt", "long\n".repeat(4_000)), "--output", output];
      const { content } = work(...toDisk);
      const before = readFileSync(output);
      const onDisk = ["--store", inFolder("disk", "store"), "data", "publish", output];
      disk.fill();
      refused("disk-full-pack", toDisk);
      refused("disk-full-publish", onDisk);
      assert.deepEqual(readFileSync(output), before, "what was there is still there");
      disk.free();
      assert.equal(work(...onDisk).content, content);
      assert.ok(readdirSync(inFolder("disk")).every((name) => !name.endsWith(".partial")));
    });

    test("hyper-parameters", () => {
      const kept = readdirSync(store).length;
      const base = (id, ...words) => refused(id, ["--store", store, "job", "hyper-parameters", "base", ...words]);
      base("recipe-width", "--hidden-size", "0");
      base("recipe-overflow", "--hidden-size", "18446744073709551615");
      base("recipe-steps", "--steps", "0");
      base("recipe-rate", "--learning-rate", "nan");
      base("recipe-sequence", "--context", "64", "--sequence-length", "65");
      refused("recipe-rank", ["--store", store, "job", "hyper-parameters", "adapter", "--rank", "0"]);
      assert.equal(readdirSync(store).length, kept, "nothing was stored");
    });
  });

  describe("on chain", () => {
    // The operator works meanwhile, on a full disk from now on.
    before(() => {
      launched = prepared.then((jobs) => {
        if (!skip) disk.fill();
        operator = run();
        return jobs;
      });
      launched.catch(() => {});
    });

    test("transactions fail by name", async () => {
      const { alice: sender, eve } = accounts;
      const fine = { root: u8aToHex(new Uint8Array(32)), count: 1, bytes: 100, content: u8aToHex(new Uint8Array(32)) };
      const fails = (id, call) => assert.rejects(sendAndInclude(api, call, sender), seenAs(id));
      await fails("datanet-unknown", contribution(NOBODY, fine));
      await fails("stake-zero", contribution(0, fine, 0n));
      await fails("payee-no-operator", api.tx.channels.open(eve.address, null, 10n * OPEN, 1_000));
      const created = await sendAndInclude(api, api.tx.datanets.createOpen("open"), sender);
      const [[datanet]] = eventsOf(created, "datanets.DatanetCreated");
      const contributed = await sendAndInclude(api, contribution(datanet, fine), sender);
      const [[sequence]] = eventsOf(contributed, "datanets.Contributed");
      await fails("accept-early", api.tx.datanets.accept(sequence));
    });

    test("jobs that cannot be requested or shown", () => {
      const chain = ["--node", node.url, ...alice, "job"];
      const request = (datanet, fee) =>
        [...chain, "request", "--datanets", datanet, "--fee", fee, "--hyper-parameters", "00".repeat(32)];
      refused("job-unknown-datanet", request(NOBODY, `${OPEN}`));
      refused("job-fee-too-low", request("0", "1"));
      refused("job-unknown", [...chain, "show", NOBODY]);
    });
  });

  describe("an operator", () => {
    test("leaves bad jobs alone and loses nothing on a full disk", async () => {
      const jobs = await launched;
      const logged = (number) => operator.seen(new RegExp(`does not get on.* job=${number} `));
      for (const [id, number] of Object.entries(jobs)) {
        if (id !== "good") table.expect(id, await logged(number));
      }
      if (!skip) {
        table.expect("disk-full-training", await logged(jobs.good));
        disk.free();
      }
      const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${operator.pid}/status`, "utf8"))[1]) * 1024;
      assert.ok(peak < GIGABYTE, `the worker took ${peak} bytes`);
      await operator.kill();
      operator = serve("127.0.0.1:0");
      const model = await Promise.race([finished(jobs.good), operator.seen(/\0/)]);
      await operator.seen(new RegExp(`serving a model model=${model} `));
      const [, address] = /address=(\S+)/.exec(await operator.seen(/ listening /));
      operatorUrl = `http://${address}`;
      trained = { model, manifest: (await api.query.models.manifests(model)).unwrap() };
      // Both wait for a block that is final.
      smallDeposit = attemptBeside(payer("//Bob", "127.0.0.1:0", "--operator-url", operatorUrl, "--deposit", "5"));
      proxy = startWorker("--json", ...payer("//Ferdie", "127.0.0.1:0", "--operator-url", operatorUrl, "--deposit", `${5n * OPEN}`));
    });

    test("does not start on what cannot work", () => {
      const { host } = new URL(operatorUrl);
      const key = ["--node", node.url, "--store", store, "--key", "//Charlie"];
      const fresh = ["--folder", inFolder("fresh")];
      refused("bond-too-low", [...key, ...fresh, "run", "--endpoint", "http://127.0.0.1:9", "--bond", "5"]);
      refused("endpoint-nonsense", [...key, ...fresh, "--log", "off", "run", "--endpoint", "nonsense"]);
      refused("port-in-use", [...key, ...fresh, "serve", "--listen", host]);
      refused("folder-in-use", [...key, "--folder", inFolder("disk", "operator"), "serve", "--listen", "127.0.0.1:0"]);
      refused("folder-is-a-file", [...key, "--folder", file("folder.txt", ""), "serve", "--listen", "127.0.0.1:0"]);
      refused("serve-unknown-model", [...key, ...fresh, "serve", "--models", NOBODY, "--listen", "127.0.0.1:0"]);
    });

    test("serves the other models when one is bad", async () => {
      const { alice: owner } = accounts;
      const document = JSON.parse(readFileSync(blobPath(trained.manifest.training.unwrap().result.artifact.toHex())));
      const bytesOf = ({ blake3: name }) => new Uint8Array(readFileSync(blobPath(`0x${name}`)));
      const files = Object.fromEntries(Object.entries(document.files).map(([name, entry]) => [name, bytesOf(entry)]));
      const artifact = (changed) => {
        const entry = ([name, bytes]) => [name, { blake3: publish(bytes).slice(2), bytes: bytes.length }];
        return publish(json({ files: Object.fromEntries(Object.entries({ ...files, ...changed }).map(entry)) }));
      };
      const changed = (name, change) => json(change(JSON.parse(new TextDecoder().decode(files[name]))));
      const words = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`word${index}`, index]));
      const altered = json({ altered: "soon" });
      const artifacts = {
        "model-truncated": artifact({ "model.safetensors": files["model.safetensors"].slice(0, -1) }),
        "model-wrong-tokenizer": artifact({
          "tokenizer.json": changed("tokenizer.json", (tokenizer) => {
            const model = { ...tokenizer.model, vocab: words };
            const added = tokenizer.added_tokens.map((token, index) => ({ ...token, id: 300 + index }));
            return { ...tokenizer, model, added_tokens: added };
          }),
        }),
        "model-config-nonsense": artifact({ "config.json": json({ hidden_size: "wide" }) }),
        "model-config-huge": artifact({
          "config.json": changed("config.json", (config) => ({ ...config, max_position_embeddings: 2 ** 40 })),
        }),
        "model-altered": artifact({ "config.json": altered }),
        "model-missing": u8aToHex(new Uint8Array(32).fill(5)),
      };
      writeFileSync(blobPath(u8aToHex(blake3(altered))), "something else");
      const zero = new Uint8Array(32);
      const register = (id) => api.tx.models.register("Base", id, zero, zero, [], licence.terms, 0, 2, 2, null);
      const registered = await all(Object.values(artifacts).map(register), owner);
      const models = eventsOf(registered, "models.Registered").map(([model]) => model.toNumber());
      for (const [index, id] of Object.keys(artifacts).entries()) {
        table.expect(id, await operator.seen(new RegExp(`cannot be served model=${models[index]} `)));
      }
      const price = api.tx.models.setPrice(models[0], 1);
      await assert.rejects(sendAndInclude(api, price, owner), seenAs("price-under-floor"));
      const { data } = await (await fetch(`${operatorUrl}/v1/models`)).json();
      assert.deepEqual(data.map(({ id }) => id), [`${trained.model}`]);
    });
  });

  /** Asks over HTTP and asserts that the error is as row `id` says, and in OpenAI's shape. */
  async function answered(id, url, { body, headers = {}, method = body === undefined ? "GET" : "POST" } = {}) {
    const response = await fetch(url, { method, body, headers });
    const text = await response.text();
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/, `${id}: ${text}`);
    const { error } = JSON.parse(text);
    assert.deepEqual(Object.keys(error).filter((key) => key !== "openledger"), ["code", "message", "param", "type"], id);
    table.expect(id, `${response.status} ${error.code}: ${error.message}`);
  }

  describe("a client", () => {
    const ask = (fields) => JSON.stringify({ model: `${trained.model}`, prompt: "a", max_tokens: 4, temperature: 0, ...fields });
    const headersOf = (channel) => ({ "x-openledger-channel": `${channel}` });
    const refusedBody = (id, body, path = "/v1/completions") => answered(id, `${operatorUrl}${path}`, { body });
    let channel;
    let smallChannel;

    const open = (deposit) =>
      api.tx.channels.open(accounts.dave.address, null, deposit, 5_000);
    const status = async () => (await fetch(`${operatorUrl}/v1/openledger/channels/${channel}`)).json();
    const answer = async () => {
      const response = await fetch(`${operatorUrl}/v1/completions`, { method: "POST", body: ask({}), headers: headersOf(channel) });
      const answered = await response.json();
      assert.equal(response.status, 200, JSON.stringify(answered));
      return answered;
    };

    const sign = ({ genesis = api.genesisHash.toHex(), sequence, cumulative, receipt }, signer = accounts.eve) => {
      const voucher = u8aConcat(genesis, littleEndian(channel, 8), littleEndian(sequence, 8), littleEndian(cumulative, 16), receipt);
      const signature = signer.sign(u8aConcat(Uint8Array.of(0x0f, 1), voucher), { withType: true });
      return u8aToHex(u8aConcat(voucher, signature));
    };
    const vouch = (voucher) => fetch(`${operatorUrl}/v1/openledger/vouchers`, { method: "POST", body: voucher });

    before(async () => {
      const { eve } = accounts;
      const opened = await all([open(10n * OPEN), open(OPEN)], eve);
      [channel, smallChannel] = eventsOf(opened, "channels.Opened").map(([number]) => number.toNumber());
    });

    test("sends bad requests", async () => {
      await refusedBody("body-not-json", "model=1");
      await refusedBody("body-not-utf8", u8aConcat(new TextEncoder().encode('{"model": "1", "prompt": "'), Uint8Array.of(0xe9, 0x22, 0x7d)));
      await refusedBody("body-wrong-type", JSON.stringify({ prompt: "a" }));
      await refusedBody("body-wrong-type", ask({ max_tokens: -1 }));
      await refusedBody("body-too-large", ask({ prompt: "a".repeat(5 << 20) }));
      await refusedBody("prompt-too-long", ask({ prompt: "a".repeat(CONTEXT) }));
      await refusedBody("prompt-too-long", ask({ prompt: "a".repeat(1 << 20) }));
      await refusedBody("prompt-is-a-list", ask({ prompt: ["a", "b"] }));
      await refusedBody("chat-no-messages", ask({ messages: [] }), "/v1/chat/completions");
      await refusedBody("temperature-high", ask({ temperature: 9 }));
      await refusedBody("no-tokens", ask({ max_tokens: 0 }));
      await refusedBody("unsupported", ask({ n: 2 }));
      await refusedBody("model-unknown", ask({ model: NOBODY }));
      await answered("path-unknown", `${operatorUrl}/v2`);
      await answered("path-nonsense", `${operatorUrl}/v1/openledger/channels/one`);
      await answered("path-nonsense", `${operatorUrl}/v1/openledger/receipts/1/last`);
      await answered("method-wrong", `${operatorUrl}/v1/completions`);
    });

    test("pays badly", async () => {
      const paying = (id, headers, fields) => answered(id, `${operatorUrl}/v1/completions`, { body: ask(fields), headers });
      await paying("channel-none", {});
      await paying("channel-nonsense", { "x-openledger-channel": "mine" });
      await paying("channel-unknown", headersOf(NOBODY));
      await paying("deposit-exhausted", headersOf(smallChannel), { max_tokens: CONTEXT });
      await answered("receipt-unknown", `${operatorUrl}/v1/openledger/receipts/${channel}/1`);
      refused("trace-unknown", ["trace", "--url", operatorUrl, "--channel", `${channel}`, "--sequence", "1"]);
      assert.equal((await status()).last.sequence, 0, "nothing was charged");
    });

    test("meets a full disk and is answered when there is space again", { skip }, async () => {
      const asking = (id) => answered(id, `${operatorUrl}/v1/completions`, { body: ask({}), headers: headersOf(channel) });
      disk.fill();
      await asking("disk-full-serving");
      disk.free();
      assert.equal((await status()).last.sequence, 0, "nothing was charged");
      disk.fill(ENOUGH_FOR_AN_ANSWER);
      await asking("disk-full-books");
      disk.free();
      await operator.kill();
      operator = serve(new URL(operatorUrl).host);
      await operator.seen(new RegExp(`serving a model model=${trained.model} `));
      assert.equal((await status()).last.sequence, 0, "nothing was charged");
    });

    test("signs bad vouchers", async () => {
      const receipts = [await answer(), await answer()].map(({ openledger }) => openledger.receipt);
      await answered("voucher-missing", `${operatorUrl}/v1/completions`, {
        body: ask({ max_tokens: CONTEXT }),
        headers: headersOf(channel),
      });
      const { last } = await status();
      assert.equal(last.sequence, 2);
      const first = api.createType("AttributionProofReceiptSignedReceipt", receipts[0]);
      const older = { sequence: 1, cumulative: first.receipt.cumulative.toString(), receipt: last.receipt };
      const bad = (id, voucher) => answered(id, `${operatorUrl}/v1/openledger/vouchers`, { body: voucher });
      await bad("voucher-nonsense", "0x1234");
      await bad("voucher-nonsense", "{");
      await bad("voucher-other-chain", sign({ ...last, genesis: u8aToHex(new Uint8Array(32).fill(9)) }));
      await bad("voucher-other-signer", sign(last, accounts.alice));
      await bad("voucher-other-sum", sign({ ...last, cumulative: BigInt(last.cumulative) + 1n }));
      await bad("voucher-other-sum", sign(older));
      assert.equal((await status()).voucher, null, "none of them was taken");
      // Receipts name the one before, which is how a payer knows its hash.
      const second = api.createType("AttributionProofReceiptSignedReceipt", receipts[1]);
      const oldVoucher = sign({ ...older, receipt: second.receipt.previous.toHex() });
      assert.equal((await vouch(oldVoucher)).status, 200);
      assert.equal((await vouch(sign(last))).status, 200);
      await bad("voucher-spent", oldVoucher);
      assert.equal((await status()).voucher.sequence, 2, "the newer one counts");

      const settled = await fetch(`${operatorUrl}/v1/openledger/settle`, { method: "POST" });
      assert.equal(settled.status, 200, await settled.text());
      const settle = (voucher, receipt, who) => sendAndInclude(api, api.tx.attribution.settle(voucher, receipt), who);
      const foreign = { ...second.toJSON(), receipt: { ...second.receipt.toJSON(), genesis: u8aToHex(new Uint8Array(32).fill(9)) } };
      await Promise.all([
        assert.rejects(settle(oldVoucher, first, accounts.dave), seenAs("settle-spent")),
        assert.rejects(settle(sign(last), foreign, accounts.alice), seenAs("settle-other-chain")),
      ]);
      await answer();
    });
  });

  describe("a payer", () => {
    test("does not start on what cannot work", async () => {
      const toOperator = ["--operator-url", operatorUrl, "--deposit", `${10n * OPEN}`];
      const pays = (id, listen, ...more) => refused(id, payer("//Bob", listen, ...more));
      const free = "127.0.0.1:0";
      pays("pay-no-operator", free, "--operator-url", `http://${NOWHERE}`, "--deposit", `${OPEN}`);
      pays("pay-other-payee", free, ...toOperator, "--payee", accounts.bob.address);
      wasRefused("pay-deposit-low", await smallDeposit);
      pays("pay-exposed", "0.0.0.0:0", ...toOperator);
      pays("pay-port-in-use", new URL(operatorUrl).host, ...toOperator);
      refused("trace-no-operator", ["trace", "--url", `http://${NOWHERE}`, "--channel", "1", "--sequence", "1"]);
    });

    test("passes bad requests on, and an operator and a node that go away are missed in time", async () => {
      const { url } = JSON.parse(await proxy.seen(/"url"/));
      const root = new URL(url).origin;
      const ask = (fields) => JSON.stringify({ model: `${trained.model}`, prompt: "a", max_tokens: 2, ...fields });
      const answers = (id, body, headers) => answered(id, `${url}/completions`, { body, headers });
      await answers("proxy-not-json", "model=1");
      await answers("proxy-model-unknown", ask({ model: NOBODY }));
      await answers("proxy-prompt-too-long", ask({ prompt: "a".repeat(CONTEXT) }));
      await answers("proxy-browser", ask({}), { origin: "http://elsewhere.example" });
      await answered("proxy-method", `${url}/completions`);
      await answered("proxy-amount", `${root}/v1/openledger/top-up`, { body: JSON.stringify({ amount: "much" }) });
      const good = await fetch(`${url}/completions`, { method: "POST", body: ask({}) });
      assert.equal(good.status, 200, await good.text());
      const { last } = await (await fetch(`${root}/v1/openledger/status`)).json();
      assert.equal(last.sequence, 1, "what was paid for is in the books");
      await node.stop();
      const headers = { "x-openledger-channel": "1" };
      await answered("node-gone", `${operatorUrl}/v1/completions`, { body: ask({}), headers });
      await operator.kill();
      await answers("proxy-operator-gone", ask({}));
    });
  });

  test("every row of the table was seen", () => {
    assert.deepEqual(table.left, []);
  });
});

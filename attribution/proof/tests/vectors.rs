//! Conformance vectors: `vectors/v1.json` is what this crate computes, and what other implementations
//! check themselves against. `OPENLEDGER_WRITE_VECTORS=1 cargo test -p attribution-proof --test vectors`
//! writes it anew; a changed vector means a changed protocol.
#![allow(missing_docs)]

mod common;

use attribution_proof::{
    contribution::{snapshot_link, Contribution, MediaType},
    hash::{preimage, Hash, Tag},
    influence::{credit_score, dot, norm_squared, query_norm_squared, row_leaf, CosineFloor, Row},
    licence::{Licence, Terms},
    merkle::{path_length, Tree},
    receipt::{request_commit, response_salt, response_tree},
    record::{check_text, content_tree, record_commit, record_leaf},
    split::{apportion, SplitRule},
    totals::Totals,
    transcript::TranscriptStep,
    voucher::Voucher,
};
use codec::Encode;
use common::*;
use serde_json::{json, Value};
use sp_core::{sr25519, Pair};
use sp_runtime::{
    traits::{BlakeTwo256, Hash as _},
    MultiSignature,
};

fn hexed(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn object(name: &str, tag: Tag, body: Vec<u8>, hash: Hash) -> Value {
    let preimage = preimage(tag, &body);
    assert_eq!(
        BlakeTwo256::hash(&preimage).0,
        hash.0,
        "{name}: body and hash disagree"
    );
    json!({ "object": name, "preimage": hexed(preimage), "hash": hexed(hash) })
}

fn merkle() -> Value {
    let cases = [0u32, 1, 2, 3, 4, 5, 8, 13, 33].into_iter().map(|count| {
        let leaves: Vec<Hash> = (0..count)
            .map(|leaf| digest(&format!("leaf {leaf}")))
            .collect();
        let tree = Tree::new(leaves.clone());
        let openings: Vec<Value> = (0..count)
            .map(|index| {
                let path: Vec<_> = tree.path(index).unwrap().iter().map(hexed).collect();
                assert_eq!(path.len() as u32, path_length(index, count).unwrap());
                json!({ "index": index, "path": path })
            })
            .collect();
        json!({
            "leaves": leaves.iter().map(hexed).collect::<Vec<_>>(),
            "root": hexed(tree.commitment().root),
            "openings": openings,
        })
    });
    let five = Tree::new((0..5).map(|leaf| digest(&format!("leaf {leaf}"))).collect());
    let four = Tree::new((0..4).map(|leaf| digest(&format!("leaf {leaf}"))).collect());
    let inner = *four.path(2).unwrap().last().unwrap();
    let mut long = five.path(4).unwrap().into_inner();
    long.push(Hash::zero());
    let forged = [
        (
            "inner node as a leaf",
            4,
            four.commitment().root,
            0,
            inner,
            four.path(0).unwrap().into_inner().split_off(1),
        ),
        (
            "leaf at a wrong index",
            5,
            five.commitment().root,
            1,
            digest("leaf 4"),
            five.path(4).unwrap().into_inner(),
        ),
        (
            "over-long proof",
            5,
            five.commitment().root,
            4,
            digest("leaf 4"),
            long,
        ),
        (
            "index out of range",
            5,
            five.commitment().root,
            5,
            digest("leaf 4"),
            five.path(4).unwrap().into_inner(),
        ),
    ];
    let refused: Vec<Value> = forged
        .into_iter()
        .map(|(name, count, root, index, leaf, path)| {
            let commitment = attribution_proof::merkle::Commitment { root, count };
            assert!(commitment.verify(index, leaf, &path).is_err(), "{name}");
            json!({
                "name": name, "count": count, "root": hexed(root), "index": index, "leaf": hexed(leaf),
                "path": path.iter().map(hexed).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "trees": cases.collect::<Vec<_>>(), "refused": refused })
}

fn objects(world: &World) -> Value {
    let bytes = &world.data.records[0];
    let content = content_tree(bytes).commitment();
    let commit = record_commit(&Hash::zero(), &content);
    let contributor = account(1);
    let contribution = Contribution {
        sequence: 1,
        datanet: 2,
        index: 0,
        contributor: contributor.clone(),
        leaves: world.data.leaves(),
        records_before: 0,
        bytes: 13_500,
        media: MediaType::Text,
        content: [4; 32],
        licence: Licence {
            spdx: b"MIT OR Apache-2.0".to_vec().try_into().unwrap(),
            terms: Terms {
                attribution: true,
                ..Terms::FREE
            },
        },
        supersedes: None,
    };
    let step = TranscriptStep {
        step: 1,
        batch: digest("batch"),
        weights: digest("weights"),
        optimizer: digest("optimizer"),
        loss_bits: 5.545_177_f32.to_bits(),
    };
    let (record, row) = &world.index.rows[0];
    json!([
        object(
            "record commit",
            Tag::RecordCommit,
            (Hash::zero(), content).encode(),
            commit
        ),
        object(
            "record leaf",
            Tag::RecordLeaf,
            (0u32, &contributor, commit, bytes.len() as u32).encode(),
            record_leaf(0, &contributor, &commit, bytes.len() as u32),
        ),
        object(
            "snapshot link",
            Tag::Snapshot,
            (Hash::zero(), &contribution).encode(),
            snapshot_link(&Hash::zero(), &contribution),
        ),
        object(
            "transcript step",
            Tag::TranscriptStep,
            (digest("state"), step).encode(),
            step.state(&digest("state")),
        ),
        object(
            "row",
            Tag::Row,
            (JOB, 0u32, record, row).encode(),
            row_leaf(JOB, 0, record, row)
        ),
        object(
            "query",
            Tag::Query,
            world.query.encode(),
            world.query.commit()
        ),
        object(
            "request",
            Tag::Request,
            b"{}".to_vec(),
            request_commit(b"{}")
        ),
        object(
            "response salt",
            Tag::ResponseSalt,
            (world.secret, 0u32).encode(),
            response_salt(&world.secret, 0),
        ),
        object(
            "receipt",
            Tag::Receipt,
            world.receipt.encode(),
            world.receipt.commit()
        ),
        object(
            "total",
            Tag::Total,
            (0u32, world.totals.entries[0]).encode(),
            world.totals.entries[0].leaf(0)
        ),
    ])
}

fn texts() -> Value {
    [
        b"fine\nlines\n".to_vec(),
        "grüße, мир, 世界\n".into(),
        b"".to_vec(),
        b"a\r\nb".to_vec(),
        b"a\0b".to_vec(),
        b"a \nb".to_vec(),
        b"a ".to_vec(),
        b"\xff\xfe".to_vec(),
    ]
    .into_iter()
    .map(|bytes| {
        let defect = check_text(&bytes).err().map(|defect| format!("{defect:?}"));
        json!({ "bytes": hexed(&bytes), "defect": defect })
    })
    .collect()
}

fn scores(world: &World) -> Value {
    let vector = world.query.vector(MODEL).unwrap();
    let floor = world.ruleset.receipt.floor();
    let extremes = (
        vec![i16::MAX; 4_096],
        Row::Own {
            scale: u16::MAX,
            g: gradient(&[127; 4_096]),
        },
        floor,
    );
    let mut cases: Vec<(Vec<i16>, Row, CosineFloor)> = world
        .index
        .rows
        .iter()
        .map(|(_, row)| (vector.to_vec(), row.clone(), floor))
        .collect();
    let exact = CosineFloor {
        numerator: 1,
        denominator: 1,
    };
    cases.push((
        vec![200, 400],
        Row::Own {
            scale: 1,
            g: gradient(&[1, 2]),
        },
        exact,
    ));
    cases.push((
        vec![200, 401],
        Row::Own {
            scale: 1,
            g: gradient(&[1, 2]),
        },
        exact,
    ));
    let summary = |(q, row, floor): &(Vec<i16>, Row, CosineFloor)| {
        let Row::Own { scale, g } = row else {
            return json!({ "row": format!("{row:?}"), "score": credit_score(q, row, *floor) });
        };
        json!({
            "q": q, "g": g.to_vec(), "scale": scale,
            "floor": [floor.numerator, floor.denominator],
            "dot": dot(q, g).to_string(),
            "norms": [query_norm_squared(q).to_string(), norm_squared(g).to_string()],
            "score": credit_score(q, row, *floor).map(|score| score.to_string()),
        })
    };
    let extreme_score = credit_score(&extremes.0, &extremes.1, extremes.2).unwrap();
    json!({
        "cases": cases.iter().map(summary).collect::<Vec<_>>(),
        "largest": { "dimension": 4_096, "q": i16::MAX, "g": 127, "scale": u16::MAX, "score": extreme_score.to_string() },
    })
}

fn money(world: &World) -> Value {
    let apportioned: Vec<Value> = [
        (10u128, vec![1u64, 1, 1]),
        (10, vec![5, 3, 3]),
        (7, vec![0, 0]),
        (1_000_003, vec![4_503_599_627_370_495, 1, 77]),
        (
            987_654_321_987_654_321_987_654_321,
            vec![333_333_333, 333_333_333, 333_333_334],
        ),
    ]
    .into_iter()
    .map(|(amount, weights)| {
        let parts: Vec<_> = apportion(amount, &weights)
            .iter()
            .map(u128::to_string)
            .collect();
        let weights: Vec<_> = weights.iter().map(u64::to_string).collect();
        json!({ "amount": amount.to_string(), "weights": weights, "parts": parts })
    })
    .collect();
    let rule: SplitRule = world.ruleset.split;
    let splits: Vec<Value> = [
        (0u128, 1_000_003u128),
        (1_000_003, 2_000_006),
        (5, 7),
        (9, 9),
    ]
    .into_iter()
    .map(|(before, after)| {
        let split = rule.split(before, after);
        json!({
            "before": before.to_string(), "after": after.to_string(),
            "operator": split.operator.to_string(), "builder": split.builder.to_string(),
            "data": split.data.to_string(), "stakers": split.stakers.to_string(),
            "treasury": split.treasury.to_string(),
        })
    })
    .collect();
    let weights: Vec<_> = world
        .receipt
        .weights(&world.ruleset.receipt)
        .iter()
        .map(u64::to_string)
        .collect();
    let totals: Vec<_> = world
        .totals
        .entries
        .iter()
        .map(|total| json!({ "model": total.model, "payee": hexed(total.payee.encode()), "amount": total.amount.to_string() }))
        .collect();
    json!({
        "apportion": apportioned,
        "rule": rule,
        "splits": splits,
        "receipt": {
            "scores": world.receipt.credits.iter().map(|credit| credit.score.to_string()).collect::<Vec<_>>(),
            "spans": world.receipt.spans.iter().map(|span| span.length).collect::<Vec<_>>(),
            "influence mix": world.ruleset.receipt.influence_mix,
            "span weight cap": world.ruleset.receipt.span_weight_cap,
            "weights": weights,
            "owners": world.owners,
            "price": world.receipt.price.to_string(),
            "totals": totals,
            "totals root": hexed(world.receipt.totals.root),
        },
    })
}

/// Signatures are randomised, so the file keeps the one that it has as long as it verifies.
fn vouchers(world: &World, kept: Option<&Value>) -> Value {
    let voucher = Voucher {
        genesis: world.receipt.genesis,
        channel: 5,
        sequence: 1,
        cumulative: world.receipt.cumulative,
        receipt: world.receipt.commit(),
    };
    let payload = voucher.payload();
    let pair = sr25519::Pair::from_seed(&[7; 32]);
    let verify = |field: &str| {
        let signature = kept?.get(field)?.as_str()?.strip_prefix("0x")?;
        let signature =
            sr25519::Signature::try_from(hex::decode(signature).ok()?.as_slice()).ok()?;
        let signed = attribution_proof::voucher::SignedVoucher {
            voucher,
            signature: MultiSignature::Sr25519(signature),
        };
        signed
            .is_signed_by(&pair.public().into())
            .then_some(signature)
    };
    let wrapped = [b"<Bytes>".as_slice(), &payload, b"</Bytes>"].concat();
    json!({
        "payload": hexed(&payload),
        "wrapped": hexed(&wrapped),
        "signer": hexed(pair.public()),
        "signature": hexed(verify("signature").unwrap_or_else(|| pair.sign(&payload))),
        "wrapped signature": hexed(verify("wrapped signature").unwrap_or_else(|| pair.sign(&wrapped))),
    })
}

#[test]
fn success_the_committed_vectors_are_what_this_crate_computes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/v1.json");
    let committed: Option<Value> = std::fs::read(path)
        .ok()
        .map(|bytes| serde_json::from_slice(&bytes).unwrap());
    let world = World::new();
    assert_eq!(
        world.totals,
        Totals {
            entries: world.totals.entries.clone()
        }
    );
    let response = &world.response;
    let computed = json!({
        "version": 1,
        "merkle": merkle(),
        "objects": objects(&world),
        "response": {
            "bytes": hexed(response),
            "secret": hexed(world.secret),
            "root": hexed(response_tree(response, &world.secret).commitment().root),
        },
        "content": {
            "bytes": hexed(&world.data.records[0]),
            "root": hexed(content_tree(&world.data.records[0]).commitment().root),
        },
        "texts": texts(),
        "scores": scores(&world),
        "money": money(&world),
        "voucher": vouchers(&world, committed.as_ref().and_then(|file| file.get("voucher"))),
    });
    if std::env::var_os("OPENLEDGER_WRITE_VECTORS").is_some() {
        let mut text = serde_json::to_string_pretty(&computed).unwrap();
        text.push('\n');
        std::fs::write(path, text).unwrap();
        return;
    }
    let committed = committed.expect("vectors/v1.json is missing; see the head of this file");
    for (section, value) in computed.as_object().unwrap() {
        assert_eq!(
            committed.get(section),
            Some(value),
            "section {section} differs"
        );
    }
}

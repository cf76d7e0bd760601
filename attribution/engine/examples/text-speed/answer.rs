//! Answers for comparison, and what each costs.

use std::{hint::black_box, path::Path};

use attribution_engine::corpus::{
    compressed::{CompressedCorpus, Sampling},
    cover, Corpus, CoverRules, SpanRules, TextIndex,
};

use super::{figure, read, time, write, Outcome, Strings};

/// Queries of which the whole distribution of next bytes is compared.
const DISTRIBUTIONS: usize = 500;
/// Records of one owner.
const OWNED: u32 = 16;

/// Spans as infini-gram has them: however common, with ten places and their owners.
fn rules(minimum_length: u32) -> SpanRules {
    SpanRules {
        minimum_length,
        maximum_count: u64::MAX,
        maximum_places: 10,
    }
}

pub(super) fn run(corpus: &Strings, folder: &Path) -> Outcome {
    let index = TextIndex::build(&corpus.records())?;
    let queries = read(folder.join("queries"))?;
    let (mut answers, mut distributions) = (Vec::new(), Vec::new());
    for (number, query) in queries.iter().enumerate() {
        let (last, prompt) = query.split_last().ok_or("a query is empty")?;
        let found = index.infinite_gram(prompt, *last);
        answers.extend([
            index.count(query)? as u64,
            found.context as u64,
            found.count,
            found.followed,
        ]);
        if number < DISTRIBUTIONS {
            let next = index.infinite_gram_distribution(prompt);
            let of = number as u64;
            distributions.extend(next.tokens.iter().flat_map(|(t, n)| [of, (*t).into(), *n]));
            // What infini-gram finds behind a record is the mark before the next.
            distributions.extend([of, super::SEPARATOR.into(), next.ends]);
        }
    }
    write(&folder.join("answers.u64"), &answers)?;
    write(&folder.join("distributions.u64"), &distributions)?;

    let outputs = read(folder.join("outputs"))?;
    let outputs = outputs.iter().collect::<Vec<_>>();
    let mut spans = Vec::new();
    for (number, output) in outputs.iter().enumerate() {
        for span in index.maximal_spans(output, rules(1), |row| row)? {
            spans.extend([
                number as u64,
                span.start.into(),
                span.length.into(),
                span.count,
            ]);
        }
    }
    write(&folder.join("spans.u64"), &spans)?;

    let counts = read(folder.join("counts"))?;
    let counts = counts.iter().collect::<Vec<_>>();
    time("count of 16 bytes", &counts, |pattern| {
        black_box(index.count(pattern).ok());
    });
    let prompts = read(folder.join("prompts"))?;
    let prompts = prompts.iter().collect::<Vec<_>>();
    time("infinite-gram of 64 bytes", &prompts, |prompt| {
        if let Some((last, prompt)) = prompt.split_last() {
            black_box(index.infinite_gram(prompt, *last));
        }
    });
    drop(index);
    let corpus = Corpus::build(&corpus.records())?;
    for minimum in [1, 8, 24] {
        time(
            &format!("trace, spans of {minimum} bytes"),
            &outputs,
            |output| {
                black_box(
                    corpus
                        .maximal_spans(output, rules(minimum), |row| row / OWNED)
                        .ok(),
                );
            },
        );
    }
    let rules = CoverRules {
        minimum_span: 32,
        maximum_spans: 64,
    };
    time("cover", &outputs, |output| {
        black_box(cover(&[(1, &corpus)], output, rules).ok());
    });
    Ok(())
}

pub(super) fn compressed(corpus: &Strings, folder: &Path) -> Outcome {
    let records = corpus.records();
    let bytes = corpus.iter().map(<[u8]>::len).sum::<usize>();
    let compressed = CompressedCorpus::build(&records, Sampling::default())?;
    compressed.verify()?;
    figure("compressed size", compressed.size() as f64 / bytes as f64);
    let index = TextIndex::build(&records)?;
    let queries = read(folder.join("queries"))?;
    for query in queries.iter() {
        let (found, expected) = (compressed.count(query), index.count(query)?);
        if found != expected {
            return Err(format!(
                "the compressed index counts {found} where the index counts {expected}: {:?}",
                String::from_utf8_lossy(query)
            )
            .into());
        }
    }
    drop(index);
    let counts = read(folder.join("counts"))?;
    let counts = counts.iter().collect::<Vec<_>>();
    time("compressed count of 16 bytes", &counts, |pattern| {
        black_box(compressed.count(pattern));
    });
    Ok(())
}

//! Passages cut at random, and the renaming of identifiers.

use super::{corpus::Corpus, Options};
use anyhow::{ensure, Result};
use attribution_proof::ContributionId;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha20Rng,
};
use std::fmt::{self, Display, Formatter};

/// What was done to a passage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Half {
    /// Nothing.
    Original,
    /// Every identifier has another name.
    Renamed,
}

impl Display for Half {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Original => "original",
            Self::Renamed => "renamed",
        })
    }
}

/// A stretch of a contributed file with the text before it.
#[derive(Debug)]
pub(super) struct Passage {
    /// Which half it belongs to.
    pub(super) half: Half,
    /// The crate that it was cut from.
    pub(super) owner: ContributionId,
    /// Text before it in the file, as far as a model could use it.
    pub(super) prompt: String,
    /// The passage.
    pub(super) text: String,
}

/// Draws passages: each byte of the contributed text is as likely to begin one.
pub(super) fn draw(corpus: &Corpus, options: &Options) -> Result<Vec<Passage>> {
    let mut random = ChaCha20Rng::seed_from_u64(options.seed);
    let files: Vec<(ContributionId, &str)> = (0..)
        .zip(&corpus.crates)
        .flat_map(|(owner, source)| source.files.iter().map(move |file| (owner, file.as_str())))
        .filter(|(_, file)| file.len() > options.longest)
        .collect();
    ensure!(!files.is_empty(), "no file is longer than a passage");
    let starts = |file: &str| (file.len() - options.longest) as u64;
    let total: u64 = files.iter().map(|(_, file)| starts(file)).sum();
    let passages = (0..options.passages).map(|number| {
        let mut at = below(&mut random, total);
        let mut file = files[0];
        for candidate in &files {
            file = *candidate;
            if at < starts(file.1) {
                break;
            }
            at -= starts(file.1);
        }
        let spread = (options.longest - options.shortest) as u64 + 1;
        let length = options.shortest + below(&mut random, spread) as usize;
        let (owner, text) = file;
        // Identifiers stay whole, so that a renamed one is the same in the passage and before it.
        let start = whole(text, at as usize);
        let end = whole_after(text, start + length);
        let before = whole(text, start.saturating_sub(2 * options.context));
        let (prompt, passage) = (&text[before..start], &text[start..end]);
        let half = if number < options.passages / 2 {
            Half::Original
        } else {
            Half::Renamed
        };
        let names = random.next_u64();
        let renamed = |text: &str, wanted: bool| match wanted {
            true => rename(text, names),
            false => text.to_owned(),
        };
        let is_renamed = half == Half::Renamed;
        Passage {
            half,
            owner,
            prompt: renamed(prompt, is_renamed && !options.original_prompt),
            text: renamed(passage, is_renamed),
        }
    });
    Ok(passages.collect())
}

/// A number below `bound`; the bias of the remainder is under `bound / 2^64`.
fn below(random: &mut ChaCha20Rng, bound: u64) -> u64 {
    random.next_u64() % bound
}

/// `at`, moved back to the start of the identifier that it stands in.
fn whole(text: &str, at: usize) -> usize {
    let mut at = text.floor_char_boundary(at);
    while let Some(before) = text[..at].chars().next_back() {
        let inside = text[at..].chars().next().is_some_and(is_word) && is_word(before);
        if !inside {
            break;
        }
        at -= before.len_utf8();
    }
    at
}

/// `at`, moved behind the identifier that it stands in.
fn whole_after(text: &str, at: usize) -> usize {
    let mut at = text.ceil_char_boundary(at);
    while let Some(next) = text[at..].chars().next() {
        let inside = text[..at].chars().next_back().is_some_and(is_word) && is_word(next);
        if !inside {
            break;
        }
        at += next.len_utf8();
    }
    at
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Words that are no identifiers: Rust's keywords, strict, weak and reserved.
const KEYWORDS: [&str; 53] = [
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue",
    "crate", "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if",
    "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
    "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Gives every identifier, in code, comments and strings alike, another name of the same length and
/// shape (capitals, underscores, digits stay where they are), everywhere the same one. To a lexer
/// that knows neither comments nor strings every word is an identifier but keywords and numbers.
fn rename(text: &str, seed: u64) -> String {
    let mut renamed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if first == '\\' && rest[1..].starts_with(['n', 'r', 't', '0', 'x', 'u']) {
            // An escape is no name.
            2
        } else {
            first.len_utf8()
        };
        let (word, behind) = rest.split_at(length);
        if is_word(first) && !first.is_numeric() && !is_fixed(word, behind) {
            renamed.push_str(&name(word, seed));
        } else {
            renamed.push_str(word);
        }
        rest = behind;
    }
    renamed
}

/// Whether a word is no name: a keyword, or what stands before a raw or byte string.
fn is_fixed(word: &str, behind: &str) -> bool {
    let prefix = matches!(word, "b" | "r" | "br" | "c" | "cr");
    KEYWORDS.binary_search(&word).is_ok()
        || !word.contains(char::is_alphabetic)
        || (prefix && behind.starts_with(['"', '#', '\'']))
}

/// The new name: consonants and vowels in turn, so that it reads like one.
fn name(word: &str, seed: u64) -> String {
    const CONSONANTS: &[u8] = b"bcdfghklmnprstvz";
    const VOWELS: &[u8] = b"aeio";
    for attempt in 0u64.. {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&seed.to_le_bytes())
            .update(&attempt.to_le_bytes())
            .update(word.as_bytes());
        let mut stream = hasher.finalize_xof();
        let mut vowel = None;
        let new: String = word
            .chars()
            .map(|old| {
                let mut byte = [0];
                stream.fill(&mut byte);
                if !old.is_alphabetic() {
                    vowel = None;
                    return old;
                }
                let is_vowel = vowel.map_or(byte[0] & 0x80 != 0, |was: bool| !was);
                vowel = Some(is_vowel);
                let letters = if is_vowel { VOWELS } else { CONSONANTS };
                let new = char::from(letters[usize::from(byte[0] & 0x7f) % letters.len()]);
                if old.is_uppercase() {
                    new.to_ascii_uppercase()
                } else {
                    new
                }
            })
            .collect();
        // A single letter has few other names.
        if KEYWORDS.binary_search(&&*new).is_err() && new != word {
            return new;
        }
    }
    unreachable!("some attempt gives another name")
}

//! Sequences of numbers of any width, packed without gaps into 64-bit words.

/// Reads `width` (0..=64) bits from bit `at`. There must be a word behind the last one read.
pub(super) fn read(words: &[u64], at: usize, width: u32) -> u64 {
    if width == 0 {
        return 0;
    }
    let (word, shift) = (at / 64, at % 64);
    // Two shifts, because a shift by 64 would be none.
    let value = words[word] >> shift | words[word + 1] << 1 << (63 - shift);
    value & (u64::MAX >> (64 - width))
}

/// Writes what [`read`] reads.
#[derive(Default)]
pub(super) struct Writer {
    words: Vec<u64>,
    bits: usize,
}

impl Writer {
    /// Bits written.
    pub(super) fn bits(&self) -> usize {
        self.bits
    }

    /// Appends the lowest `width` (0..=64) bits of `value`, whose others must be 0.
    pub(super) fn push(&mut self, value: u64, width: u32) {
        if width == 0 {
            return;
        }
        let shift = self.bits % 64;
        if shift == 0 {
            self.words.push(value);
        } else {
            let last = self.words.len() - 1;
            self.words[last] |= value << shift;
            if shift + width as usize > 64 {
                self.words.push(value >> (64 - shift));
            }
        }
        self.bits += width as usize;
    }

    /// The words, and one more so that [`read`] never looks past the end.
    pub(super) fn finish(mut self) -> Vec<u64> {
        self.words.resize(padded_words(self.bits), 0);
        self.words
    }
}

/// Words that hold `bits` bits, and the one behind them.
pub(super) fn padded_words(bits: usize) -> usize {
    bits.div_ceil(64) + 1
}

/// Numbers below a known bound, each in as many bits as the largest needs.
pub(super) struct Packed {
    width: u32,
    words: Vec<u64>,
}

impl Packed {
    /// Packs values below `bound`.
    pub(super) fn new(values: &[u32], bound: u32) -> Self {
        let width = Self::width(bound);
        let mut writer = Writer::default();
        for value in values {
            writer.push((*value).into(), width);
        }
        Self {
            width,
            words: writer.finish(),
        }
    }

    /// Takes `count` values below `bound` over from their words, unless there are more or fewer words
    /// or a value is out of bounds.
    pub(super) fn from_words(words: Vec<u64>, count: usize, bound: u32) -> Option<Self> {
        let width = Self::width(bound);
        if words.len() != padded_words(count * width as usize) {
            return None;
        }
        let packed = Self { width, words };
        let bounded = (0..count).all(|index| packed.get(index) < bound);
        bounded.then_some(packed)
    }

    fn width(bound: u32) -> u32 {
        u32::BITS - bound.saturating_sub(1).leading_zeros()
    }

    /// How many words `count` values below `bound` take.
    pub(super) fn word_count(count: usize, bound: u32) -> usize {
        padded_words(count * Self::width(bound) as usize)
    }

    /// A value.
    pub(super) fn get(&self, index: usize) -> u32 {
        read(&self.words, index * self.width as usize, self.width) as u32
    }

    /// The words, for files.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }
}

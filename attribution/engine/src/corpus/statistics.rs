//! Matching statistics: the longest match from each position of a query (W. I. Chang and E. L. Lawler,
//! *Sublinear approximate string matching and biological applications*, Algorithmica 12, 1994).
//!
//! One pass over the query. Positions are not searched for one by one: a window of them is, side by
//! side, so that the searches' waits for memory overlap. And where only matches of a minimum length
//! count, most positions need no search: no match that starts before a probe reaches farther than the
//! longest match of the probe itself, so one probe for half a minimum length rules out all starts whose
//! matches would be too short (the idea of Chang and Lawler's sublinear search).

use std::{borrow::Cow, ops::Range};

use super::{
    index::TextIndex,
    search::{Longest, Pattern},
    token::Token,
    Place,
};

/// Probes, and searches, that go on side by side.
const TOGETHER: usize = 16;
/// Shortest minimum length for which probing costs less than it saves.
const WORTH_PROBING: usize = 4;

/// The longest matches of one query in one corpus.
pub(super) trait Matches {
    /// Length of the longest match from a position, or 0 where it is shorter than the minimum.
    fn longest(&mut self, from: usize) -> usize;

    /// The earliest place of the `length` tokens from a position.
    fn earliest(&self, from: usize, length: usize) -> Option<Place>;
}

/// Matching statistics of a query, computed as they are asked for, best in ascending order.
pub(super) struct Statistics<'a, T: Token> {
    index: &'a TextIndex<T>,
    query: Cow<'a, [T]>,
    /// For each position, where the first token at or behind it stands that is in no record.
    stops: Vec<usize>,
    minimum: usize,
    limit: usize,
    window: usize,
    states: Vec<State>,
}

#[derive(Clone, Copy)]
enum State {
    RuledOut,
    Possible,
    Known(usize),
}

impl<'a, T: Token> Statistics<'a, T> {
    /// Of matches of at least `minimum` tokens, which count for at most `limit`.
    pub(super) fn new(
        index: &'a TextIndex<T>,
        query: &'a [T],
        minimum: usize,
        limit: usize,
    ) -> Self {
        let query = index.encode(query);
        Self::encoded(index, query, minimum, limit)
    }

    /// [`Self::new`] for tokens as they are in the index.
    pub(super) fn encoded(
        index: &'a TextIndex<T>,
        query: Cow<'a, [T]>,
        minimum: usize,
        limit: usize,
    ) -> Self {
        let mut stops = vec![query.len(); query.len()];
        let mut stop = query.len();
        for (at, token) in query.iter().enumerate().rev() {
            if *token == T::default() {
                stop = at;
            }
            stops[at] = stop;
        }
        Self {
            index,
            query,
            stops,
            minimum,
            limit,
            window: 0,
            states: Vec::new(),
        }
    }

    /// What is searched for from a position.
    fn wanted(&self, from: usize) -> &[T] {
        let end = self.stops.get(from).copied().unwrap_or_default();
        let end = end.min(from.saturating_add(self.limit));
        self.query.get(from..end).unwrap_or_default()
    }

    fn search(&self, starts: &[usize]) -> Vec<Longest> {
        let wanted = starts.iter().map(|start| self.wanted(*start));
        let mut found = Vec::with_capacity(starts.len());
        self.index
            .view()
            .longest(&wanted.collect::<Vec<_>>(), &mut found);
        found
    }

    /// Rules out starts from `from` on.
    fn judge(&mut self, from: usize) {
        self.window = from;
        if self.minimum < WORTH_PROBING {
            let count = TOGETHER.min(self.query.len().saturating_sub(from));
            self.states.clear();
            self.states.resize(count, State::Possible);
            return;
        }
        let stride = self.minimum / 2 + 1;
        let end = (from + TOGETHER * stride).min(self.query.len());
        self.states.clear();
        self.states
            .resize(end.saturating_sub(from), State::RuledOut);
        let probes = (from..end).step_by(stride).map(|start| start + stride - 1);
        let probes = probes.filter(|probe| *probe < end).collect::<Vec<_>>();
        for (probe, found) in probes.iter().zip(self.search(&probes)) {
            let first = probe + 1 - stride;
            let behind = (probe + found.length + 1).saturating_sub(self.minimum);
            for start in first..behind.min(*probe) {
                self.states[start - from] = State::Possible;
            }
            if found.length >= self.minimum {
                self.states[probe - from] = State::Known(found.length);
            }
        }
    }

    /// Searches from the possible starts at and behind `from`.
    fn settle(&mut self, from: usize) {
        let possible = |start: &usize| matches!(self.states[start - self.window], State::Possible);
        let end = self.window + self.states.len();
        let starts = (from..end).filter(possible).take(TOGETHER);
        let starts = starts.collect::<Vec<_>>();
        let found = self.search(&starts);
        for (start, found) in starts.iter().zip(found) {
            self.states[start - self.window] = match found.length >= self.minimum {
                true => State::Known(found.length),
                false => State::RuledOut,
            };
        }
    }

    /// The ranks of the `length` tokens from a position.
    pub(super) fn ranks(&self, from: usize, length: usize) -> Range<usize> {
        let tokens = self.wanted(from);
        match tokens.get(..length) {
            Some(tokens) if !tokens.is_empty() => self.index.view().find(&Pattern::new(tokens)),
            _ => 0..0,
        }
    }
}

impl<T: Token> Matches for Statistics<'_, T> {
    fn longest(&mut self, from: usize) -> usize {
        if from >= self.query.len() {
            return 0;
        }
        if !(self.window..self.window + self.states.len()).contains(&from) {
            self.judge(from);
        }
        if let State::Possible = self.states[from - self.window] {
            self.settle(from);
        }
        match self.states[from - self.window] {
            State::Known(length) => length,
            State::RuledOut | State::Possible => 0,
        }
    }

    fn earliest(&self, from: usize, length: usize) -> Option<Place> {
        let view = self.index.view();
        let position = view.earliest(self.ranks(from, length))?;
        Some(view.place(position))
    }
}

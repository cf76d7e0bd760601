//! A Huffman-shaped wavelet tree: a text over 257 symbols with rank of any symbol.
//!
//! The root holds the first code bit of each symbol of the text, each child those of the symbols that
//! took its side, so a symbol costs as many bits, before they are compressed, as its code is long
//! (R. Grossi, A. Gupta and J. S. Vitter, SODA 2003; V. Mäkinen and G. Navarro, CPM 2005). Codes are
//! canonical: their lengths and the symbols' counts say everything about the tree's shape.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::bits::Bits;

/// Bytes and the end symbol.
pub(super) const SYMBOLS: usize = 257;
/// Longest code. A Huffman code of 64 bits needs more symbols than a text can have.
const LONGEST_CODE: u8 = 63;

/// How often each symbol occurs.
pub(super) type Counts = [u32; SYMBOLS];
/// Bits of each symbol's code; 0 for absent symbols, and for one that is the only one.
pub(super) type Lengths = [u8; SYMBOLS];

#[derive(Clone, Copy)]
enum Child {
    Node(u16),
    Symbol(u16),
}

/// A node without its bits.
struct Shape {
    /// For bit 0 and for bit 1.
    children: [Child; 2],
    zeros: usize,
    ones: usize,
}

/// A tree without bits.
pub(super) struct Shapes {
    root: Child,
    /// A parent stands before its children.
    nodes: Vec<Shape>,
    codes: Codes,
}

/// For each symbol the nodes from the root and the bits taken there.
type Codes = Vec<Vec<(u16, bool)>>;

/// The tree.
pub(super) struct Tree {
    root: Child,
    nodes: Vec<(Bits, [Child; 2])>,
    codes: Codes,
}

/// The lengths of a Huffman code (D. A. Huffman, Proc. IRE 40(9), 1952). Among equal counts the symbol,
/// or the part joined, that came first is joined first.
pub(super) fn code_lengths(counts: &Counts) -> Lengths {
    let present = (0..SYMBOLS).filter(|symbol| counts[*symbol] > 0);
    let mut heap = present
        .map(|symbol| Reverse((u64::from(counts[symbol]), symbol, vec![symbol])))
        .collect::<BinaryHeap<_>>();
    let mut lengths = [0; SYMBOLS];
    let mut order = SYMBOLS;
    while let (Some(Reverse(a)), Some(Reverse(b))) = (heap.pop(), heap.pop()) {
        let members = [a.2, b.2].concat();
        for symbol in &members {
            lengths[*symbol] += 1;
        }
        heap.push(Reverse((a.0 + b.0, order, members)));
        order += 1;
    }
    lengths
}

impl Shapes {
    /// The shape of the canonical code of `lengths`, or what is wrong with it.
    pub(super) fn new(counts: &Counts, lengths: &Lengths) -> Result<Self, String> {
        let mut symbols = (0..SYMBOLS)
            .filter(|symbol| counts[*symbol] > 0)
            .collect::<Vec<_>>();
        symbols.sort_by_key(|symbol| lengths[*symbol]);
        let absent = (0..SYMBOLS).find(|symbol| counts[*symbol] == 0 && lengths[*symbol] != 0);
        if let Some(symbol) = absent {
            return Err(format!("symbol {symbol} does not occur but has a code"));
        }
        let mut growth = Growth {
            lengths,
            counts,
            symbols: symbols.iter(),
            path: Vec::new(),
            nodes: Vec::new(),
            codes: vec![Vec::new(); SYMBOLS],
        };
        let root = if symbols.is_empty() {
            Child::Symbol(0)
        } else {
            growth.grow(0)?.0
        };
        if let Some(symbol) = growth.symbols.next() {
            return Err(format!("symbol {symbol} has no room in the code"));
        }
        Ok(Self {
            root,
            nodes: growth.nodes,
            codes: growth.codes,
        })
    }

    /// Length and number of ones of each node's bits.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let sizes = |node: &Shape| (node.zeros + node.ones, node.ones);
        self.nodes.iter().map(sizes)
    }

    /// The tree with the bits of its nodes, as many as there are [`Self::nodes`].
    pub(super) fn fill(self, bits: Vec<Bits>) -> Tree {
        debug_assert_eq!(bits.len(), self.nodes.len());
        let children = self.nodes.into_iter().map(|node| node.children);
        Tree {
            root: self.root,
            nodes: bits.into_iter().zip(children).collect(),
            codes: self.codes,
        }
    }

    /// The tree of a text that has the counts.
    pub(super) fn fill_from(self, text: Vec<u16>) -> Tree {
        let mut bits = Vec::with_capacity(self.nodes.len());
        // A node's second child waits here until all nodes below the first are done.
        let mut waiting = vec![(self.root, text)];
        while let Some((child, text)) = waiting.pop() {
            let Child::Node(node) = child else { continue };
            debug_assert_eq!(usize::from(node), bits.len());
            let shape = &self.nodes[usize::from(node)];
            let depth = self.depth(node);
            let mut words = vec![0; text.len().div_ceil(64)];
            let mut sides = [
                Vec::with_capacity(shape.zeros),
                Vec::with_capacity(shape.ones),
            ];
            let is_node = shape.children.map(|child| matches!(child, Child::Node(_)));
            for (at, symbol) in text.iter().enumerate() {
                let bit = self.codes[usize::from(*symbol)][depth].1;
                words[at / 64] |= u64::from(bit) << (at % 64);
                if is_node[usize::from(bit)] {
                    sides[usize::from(bit)].push(*symbol);
                }
            }
            bits.push(Bits::new(&words, text.len()));
            drop(text);
            let [zeros, ones] = sides;
            waiting.push((shape.children[1], ones));
            waiting.push((shape.children[0], zeros));
        }
        self.fill(bits)
    }

    /// Nodes above one.
    fn depth(&self, node: u16) -> usize {
        let holds = |code: &Vec<(u16, bool)>| code.iter().position(|step| step.0 == node);
        let depth = self.codes.iter().find_map(holds);
        depth.expect("each node is on the way to some symbol")
    }
}

/// A tree growing in the order of its canonical code.
struct Growth<'a> {
    lengths: &'a Lengths,
    counts: &'a Counts,
    /// By the length of their codes.
    symbols: std::slice::Iter<'a, usize>,
    path: Vec<(u16, bool)>,
    nodes: Vec<Shape>,
    codes: Codes,
}

impl Growth<'_> {
    /// The child at `depth` that is next, and how many symbols of the text pass it.
    fn grow(&mut self, depth: u8) -> Result<(Child, usize), String> {
        let symbol = *self
            .symbols
            .as_slice()
            .first()
            .ok_or("the code has room for more symbols")?;
        match self.lengths[symbol] {
            length if length == depth => {
                self.symbols.next();
                self.codes[symbol].clone_from(&self.path);
                return Ok((Child::Symbol(symbol as u16), self.counts[symbol] as usize));
            }
            length if length < depth || length > LONGEST_CODE => {
                return Err(format!(
                    "symbol {symbol} cannot have a code of {length} bits"
                ));
            }
            _ => (),
        }
        let node = self.nodes.len();
        let none = Child::Symbol(0);
        self.nodes.push(Shape {
            children: [none; 2],
            zeros: 0,
            ones: 0,
        });
        let mut grow_side = |bit| {
            self.path.push((node as u16, bit));
            let grown = self.grow(depth + 1);
            self.path.pop();
            grown
        };
        let (low, zeros) = grow_side(false)?;
        let (high, ones) = grow_side(true)?;
        self.nodes[node] = Shape {
            children: [low, high],
            zeros,
            ones,
        };
        Ok((Child::Node(node as u16), zeros + ones))
    }
}

impl Tree {
    /// The bits of the nodes, for files.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Bits> {
        self.nodes.iter().map(|(bits, _)| bits)
    }

    /// How often `symbol`, which must occur, does so before each of two positions, the first of which is not behind the
    /// second. If it does not occur between them, both numbers may be too large.
    pub(super) fn ranks(&self, symbol: u16, positions: (usize, usize)) -> (usize, usize) {
        let (mut from, mut to) = positions;
        for (node, bit) in &self.codes[usize::from(symbol)] {
            if from == to {
                break;
            }
            let bits = &self.nodes[usize::from(*node)].0;
            let (ones_from, ones_to) = bits.ranks(from, to);
            (from, to) = if *bit {
                (ones_from, ones_to)
            } else {
                (from - ones_from, to - ones_to)
            };
        }
        (from, to)
    }

    /// The symbol at a position, and how often it occurs before.
    pub(super) fn symbol(&self, position: usize) -> (u16, usize) {
        let (mut at, mut child) = (position, self.root);
        loop {
            match child {
                Child::Symbol(symbol) => return (symbol, at),
                Child::Node(node) => {
                    let (bits, children) = &self.nodes[usize::from(node)];
                    let (ones, bit) = bits.rank(at);
                    at = if bit { ones } else { at - ones };
                    child = children[usize::from(bit)];
                }
            }
        }
    }
}

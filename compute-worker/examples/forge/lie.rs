//! The lies: each falsifies one thing of a receipt and leaves the rest as it should be.

use attribution_proof::{
    challenge::{influence_credit, Lie},
    hash::Hash,
    influence::Query,
    receipt::Receipt,
    ruleset::Ruleset,
    totals::Totals,
    Balance, ContributionId, ModelId,
};
use clap::ValueEnum;

const NO_CREDIT: &str = "the receipt has no credit; make an answer up with --copy";

/// What a receipt lies about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LieKind {
    /// Nothing: the settlement is honest.
    None,
    /// The hash of the receipt before.
    Chain,
    /// The sum of the prices.
    Cumulative,
    /// A price under the model's floor.
    Price,
    /// A version of the model that is not on chain.
    Version,
    /// The score of the first credit.
    Score,
    /// The best row is left out.
    OmittedRow,
    /// A row is credited that has too low a score or none.
    IneligibleRow,
    /// A row of a model that did not answer is credited.
    ForeignRow,
    /// A query vector with a value that none may have.
    Query,
    /// The first span points to other bytes.
    WrongBytes,
    /// The last span is one byte shorter than it could be.
    ShortSpan,
    /// The first span is left out.
    OmittedSpan,
    /// The first datum's money goes to a contribution that does not own it.
    Owner,
    /// The builder gets the data's share.
    Split,
    /// One base unit moves from one payee to another.
    Totals,
    /// Another receipt with the same number is shown than the one that is settled.
    Equivocation,
    /// The receipt is not shown to anybody.
    Withheld,
}

/// A receipt before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// The receipt; its totals do not matter.
    pub(super) receipt: Receipt,
    /// The query that it names.
    pub(super) query: Query,
    /// The contribution that owns each of its data.
    pub(super) owners: Vec<ContributionId>,
}

/// What a liar has to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    /// Totals before the receipt.
    pub(super) before: &'a Totals,
    /// The channel's ruleset.
    pub(super) ruleset: &'a Ruleset,
    /// Least price per token, in base units.
    pub(super) price_floor: Balance,
    /// A row that may not be credited and the contribution that owns it, if there is one.
    pub(super) ineligible: Option<(ModelId, u32, ContributionId)>,
}

impl LieKind {
    /// What a challenge proves.
    pub(super) fn proves(self) -> Option<Lie> {
        Some(match self {
            Self::None => return None,
            Self::Chain => Lie::BrokenChain,
            Self::Cumulative => Lie::WrongCumulative,
            Self::Price => Lie::UnderPriceFloor,
            Self::Version => Lie::WrongModel,
            Self::Score => Lie::WrongScore,
            Self::OmittedRow => Lie::OmittedRow,
            Self::IneligibleRow => Lie::IneligibleRow,
            Self::ForeignRow => Lie::UnknownRow,
            Self::Query => Lie::MalformedQuery,
            Self::WrongBytes => Lie::WrongBytes,
            Self::ShortSpan | Self::OmittedSpan => Lie::BetterSpan,
            Self::Owner | Self::Split | Self::Totals => Lie::WrongTotals,
            Self::Equivocation => Lie::Equivocation,
            Self::Withheld => Lie::Withheld,
        })
    }

    /// Tells the lie in `draft` and brings its totals in line with what it now says, unless they are
    /// the lie.
    pub(super) fn tell(self, draft: &mut Draft, facts: &Facts<'_>) -> Result<(), String> {
        let credits = draft.receipt.credits.len();
        let receipt = &mut draft.receipt;
        match self {
            Self::Chain => receipt.previous = Hash::repeat_byte(0xff),
            Self::Cumulative => receipt.cumulative += 1,
            Self::Price => {
                let tokens = Balance::from(receipt.tokens_in) + Balance::from(receipt.tokens_out);
                let least = facts.price_floor * tokens;
                let price = least.checked_sub(1).ok_or("the model has no price floor")?;
                receipt.cumulative = receipt.cumulative_before() + price;
                receipt.price = price;
            }
            Self::Version => receipt.version += 1,
            Self::Score => {
                let best = receipt.credits.get_mut(0);
                best.ok_or(NO_CREDIT)?.score += 1;
            }
            Self::OmittedRow => {
                if credits == 0 {
                    return Err(NO_CREDIT.into());
                }
                receipt.credits.remove(0);
                draft.owners.remove(0);
            }
            Self::IneligibleRow => {
                let row = facts.ineligible.ok_or("every row is eligible")?;
                add_credit(draft, row, facts.ruleset)?;
            }
            Self::ForeignRow => {
                let foreign = (ModelId::MAX, 0, ContributionId::MAX);
                add_credit(draft, foreign, facts.ruleset)?;
            }
            Self::Query => {
                let vector = draft.query.vectors.get_mut(0);
                let value = vector.and_then(|(_, vector)| vector.get_mut(0));
                *value.ok_or("the query has no value")? = i16::MIN;
                receipt.query = draft.query.commit();
            }
            Self::WrongBytes => first_span(receipt)?.at.offset += 1,
            Self::ShortSpan => {
                let last = receipt.spans.iter_mut().next_back();
                let span = last
                    .filter(|span| span.length > facts.ruleset.receipt.minimum_span)
                    .ok_or("the receipt's last span cannot be shorter")?;
                span.length -= 1;
            }
            Self::OmittedSpan => {
                first_span(receipt)?;
                receipt.spans.remove(0);
                draft.owners.remove(credits);
            }
            Self::Owner => {
                let first = draft.owners.first_mut();
                *first.ok_or("the receipt credits nobody")? = ContributionId::MAX;
            }
            Self::None | Self::Split | Self::Totals | Self::Equivocation | Self::Withheld => {}
        }
        let totals = self.totals(draft, facts)?;
        draft.receipt.totals = totals.commitment();
        Ok(())
    }

    fn totals(self, draft: &Draft, facts: &Facts<'_>) -> Result<Totals, String> {
        let (
            receipt,
            Ruleset {
                receipt: rules,
                split,
                ..
            },
        ) = (&draft.receipt, facts.ruleset);
        let mut totals = if self == Self::Split {
            let (from, to) = (receipt.cumulative_before(), receipt.cumulative);
            let share = split.builder_share(from, to) + split.data_share(from, to);
            facts.before.credit(receipt.model, share, 0, &[])
        } else {
            receipt.credit_totals(facts.before, &draft.owners, rules, split)
        }
        .ok_or("the totals are full")?;
        if self == Self::Totals {
            let [first, .., last] = totals.entries.as_mut() else {
                return Err("the totals have no two payees".into());
            };
            first.amount += 1;
            last.amount -= 1;
        }
        Ok(totals)
    }
}

fn first_span(receipt: &mut Receipt) -> Result<&mut attribution_proof::span::Span, String> {
    let first = receipt.spans.get_mut(0);
    first.ok_or_else(|| "the receipt has no span; make an answer up with --copy".into())
}

/// Adds a credit with the least score, or puts it in the place of the last one of a full list.
fn add_credit(
    draft: &mut Draft,
    (model, row, owner): (ModelId, u32, ContributionId),
    ruleset: &Ruleset,
) -> Result<(), String> {
    let credits = &mut draft.receipt.credits;
    if credits.len() == ruleset.receipt.top_k as usize {
        credits.pop();
        draft.owners.remove(credits.len());
    }
    if credits.last().is_some_and(|last| last.score <= 1) {
        return Err("no score is left for one more credit".into());
    }
    let at = credits.len();
    let credit = influence_credit(model, row, 1);
    credits.try_push(credit).map_err(|_| "the list is full")?;
    draft.owners.insert(at, owner);
    Ok(())
}

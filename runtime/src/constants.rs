//! The numbers that every other part of the runtime is measured in: money and time.

/// Money, in base units of OPEN.
pub mod currency {
    use crate::Balance;

    /// Symbol that wallets show for the native token.
    pub const TOKEN_SYMBOL: &str = "OPEN";
    /// Decimal places of the native token.
    pub const TOKEN_DECIMALS: u8 = 18;

    /// One OPEN, in base units.
    pub const UNIT: Balance = 1_000_000_000_000_000_000;
    /// A thousandth of an OPEN.
    pub const MILLIUNIT: Balance = UNIT / 1_000;
    /// A millionth of an OPEN.
    pub const MICROUNIT: Balance = UNIT / 1_000_000;

    /// All OPEN that will ever exist: issued at genesis, never minted afterwards.
    pub const TOTAL_SUPPLY: Balance = 1_000_000_000 * UNIT;

    /// The least that an account may hold; what would be less is swept to the treasury.
    pub const EXISTENTIAL_DEPOSIT: Balance = MILLIUNIT;

    /// Deposit for keeping `items` storage items with `bytes` bytes in total on chain.
    pub const fn deposit(items: u32, bytes: u32) -> Balance {
        items as Balance * 100 * MILLIUNIT + bytes as Balance * 100 * MICROUNIT
    }
}

/// Time, in milliseconds, slots and blocks.
pub mod time {
    use crate::BlockNumber;

    /// Length of a BABE slot, and so the expected time between blocks. It can never change once a
    /// chain has started.
    pub const SLOT_DURATION_MILLISECONDS: u64 = 3_000;

    /// One minute, in blocks.
    pub const MINUTES: BlockNumber = 60_000 / (SLOT_DURATION_MILLISECONDS as BlockNumber);
    /// One hour, in blocks.
    pub const HOURS: BlockNumber = MINUTES * 60;
    /// One day, in blocks.
    pub const DAYS: BlockNumber = HOURS * 24;

    /// Length of an epoch, in slots. A session is one epoch.
    pub const EPOCH_DURATION_IN_SLOTS: u64 = period(4 * HOURS, 7) as u64;

    /// The probability of a slot without a primary author is `1 - c`. With one slot in four having
    /// one, secondary authors fill the rest and forks stay rare.
    pub const PRIMARY_PROBABILITY: (u64, u64) = (1, 4);

    /// `production`, or `fast` when built with the feature `fast-runtime`.
    ///
    /// That feature shortens periods for tests and local nets and changes nothing else, so this is
    /// the only place in the runtime that looks at it.
    pub const fn period(production: u32, fast: u32) -> u32 {
        if cfg!(feature = "fast-runtime") {
            fast
        } else {
            production
        }
    }
}

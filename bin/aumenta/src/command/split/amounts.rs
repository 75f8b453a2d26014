//! How many images go where, and which: the flags of `aumenta split` about sizes and order.

use std::str::FromStr;

use anyhow::{Result, anyhow};
use aumenta_dataset::{Amounts, Fold, Holdout, Order};

use crate::failure::BadUse;

/// How many images go where, and in which order.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("amounts").args(["counts", "ratios", "folds"]).required(true))]
#[group(skip)]
pub struct AmountArgs {
    /// Images of each class for train, val and test, such as 1000,500,500; the rest is not used. Two numbers (train,
    /// val) where there is a test set already.
    #[arg(long, value_name = "TRAIN,VAL,TEST")]
    counts: Option<Amount<usize>>,
    /// Shares of each class for train, val and test that sum to 1, such as 0.7,0.15,0.15; two where there is a test set
    /// already. Groups that stay whole are fitted as well as they go, and what was reached is printed.
    #[arg(long, value_name = "TRAIN,VAL,TEST")]
    ratios: Option<Amount<f64>>,
    /// Divide for a cross-validation of so many folds, and write a manifest for each, whose val is that fold.
    #[arg(long, value_name = "K")]
    folds: Option<usize>,
    /// Deal the folds so many times, each time in another order.
    #[arg(long, value_name = "R", requires = "folds", default_value_t = 1)]
    repeats: usize,
    /// Keep a test set out of all folds: a share of each class, such as 0.15, or a number of images, such as 500.
    #[arg(long, value_name = "SHARE|COUNT", requires = "folds", value_parser = holdout)]
    holdout: Option<Holdout>,
    /// The test set is the images in whose paths this regular expression is found, such as '^test/'.
    #[arg(long, value_name = "REGEX")]
    pub test_pattern: Option<String>,
    /// Take the first images of each class for train, the next for val, the next for test, in natural order of their
    /// names, instead of shuffling.
    #[arg(long)]
    in_order: bool,
    /// Let the split of an image follow from its content (or its group's name) and the seed alone, so that files that are
    /// added later leave all others where they are. Sizes are then what chance makes of the ratios. Only a file that joins
    /// two groups moves one of them; `aumenta verify --earlier` names what moved.
    #[arg(long, conflicts_with_all = ["in_order", "counts"])]
    by_hash: bool,
}

/// Two or three numbers, separated by commas.
#[derive(Clone, Copy)]
struct Amount<T> {
    train: T,
    val: T,
    test: Option<T>,
}

impl<T: FromStr + Copy> FromStr for Amount<T> {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split(',').map(|number| {
            number.trim().parse().map_err(|_| anyhow!("`{number}` is no such number; give TRAIN,VAL,TEST"))
        });
        match *numbers.collect::<Result<Vec<T>>>()?.as_slice() {
            [train, val] => Ok(Self { train, val, test: None }),
            [train, val, test] => Ok(Self { train, val, test: Some(test) }),
            _ => Err(anyhow!("give two or three numbers, TRAIN,VAL,TEST")),
        }
    }
}

/// A share where there is a point, else a count.
fn holdout(text: &str) -> Result<Holdout> {
    let misfit = || anyhow!("`{text}` is neither a share such as 0.15 nor a number of images");
    if text.contains('.') {
        text.parse().map(Holdout::Share).map_err(|_| misfit())
    } else {
        text.parse().map(Holdout::Count).map_err(|_| misfit())
    }
}

impl AmountArgs {
    /// Whether a manifest is to be written for each fold.
    pub fn are_folds(&self) -> bool {
        self.folds.is_some()
    }

    pub fn order(&self) -> Order {
        match (self.in_order, self.by_hash) {
            (true, _) => Order::InOrder,
            (_, true) => Order::ByHash,
            _ => Order::Shuffled,
        }
    }

    /// The amounts of each manifest, at least of one.
    pub fn each(&self) -> Result<Vec<Amounts>> {
        Ok(match (self.counts, self.ratios, self.folds) {
            (Some(Amount { train, val, test }), None, None) => vec![Amounts::Counts { train, val, test }],
            (None, Some(Amount { train, val, test }), None) => vec![Amounts::Ratios { train, val, test }],
            (None, None, Some(folds)) => {
                if !(2..=1000).contains(&folds) || !(1..=1000).contains(&self.repeats) {
                    return Err(BadUse::message("give 2 to 1000 folds, and 1 to 1000 repeats".into()));
                }
                Fold::all(folds, self.repeats, self.holdout).map(Amounts::Fold).collect()
            }
            _ => {
                let message = "give one of --counts, --ratios and --folds";
                return Err(BadUse::message(message.into()));
            }
        })
    }
}

//! Policies: transforms that choose among transforms or operations.

mod aug_mix;
mod auto_augment;
mod auto_augment_tables;
mod one_of;
mod rand_augment;
mod sequence;
mod some_of;
mod space;
mod trivial_augment_wide;

pub use self::aug_mix::AugMix;
pub use self::auto_augment::{AutoAugment, AutoAugmentPolicy};
pub use self::one_of::OneOf;
pub use self::rand_augment::RandAugment;
pub use self::sequence::Sequence;
pub use self::some_of::SomeOf;
pub use self::trivial_augment_wide::TrivialAugmentWide;

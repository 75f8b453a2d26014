//! [`Aligned`].

/// Numbers that begin where a cache line does, so that no vector of them lies in two lines.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Aligned<T, const N: usize>(pub [T; N]);

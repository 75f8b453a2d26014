//! Which tensors travel together between GPUs.
//!
//! A message costs time however short it is, so small tensors are sent in one; a message of all would need twice the memory of
//! all. `PyTorch`'s `DistributedDataParallel` has buckets for the same reasons (Li et al. 2020, *`PyTorch` Distributed: experiences on
//! accelerating data parallel training*, section 3.2.2).

use std::ops::Range;

/// The most numbers of a bucket: 25 MiB of f32, as in `PyTorch`.
#[cfg(feature = "nccl")]
pub(crate) const MOST: usize = 25 * (1 << 20) / size_of::<f32>();

/// Divides tensors of these lengths into runs of at most `most` numbers, in their order; a longer tensor has a bucket of its own.
/// All ranks divide equal tensors equally, as nothing else is looked at.
pub(crate) fn divide(lengths: &[usize], most: usize) -> Vec<Range<usize>> {
    let mut buckets: Vec<Range<usize>> = Vec::new();
    let mut filled = 0;
    for (index, &length) in lengths.iter().enumerate() {
        match buckets.last_mut() {
            Some(bucket) if filled + length <= most => bucket.end = index + 1,
            _ => {
                buckets.push(index..index + 1);
                filled = 0;
            }
        }
        filled += length;
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lengths: &[usize], expected_ends: &[usize]) {
        let ends: Vec<usize> = divide(lengths, 10).iter().map(|bucket| bucket.end).collect();
        assert_eq!(ends, expected_ends);
    }

    #[test]
    fn tensors_share_a_bucket_until_it_is_full() {
        check(&[], &[]);
        check(&[3], &[1]);
        check(&[4, 6, 1], &[2, 3]);
        check(&[4, 7, 3, 1], &[1, 3, 4]);
    }

    #[test]
    fn a_tensor_that_fills_more_than_a_bucket_has_one_of_its_own() {
        check(&[25], &[1]);
        check(&[2, 25, 2, 2], &[1, 2, 4]);
    }

    #[test]
    fn every_tensor_is_in_one_bucket_whatever_their_lengths() {
        let lengths: Vec<usize> = (0..200).map(|index| (index * 37 + 11) % 23).collect();
        let buckets = divide(&lengths, 40);
        assert_eq!(buckets.iter().cloned().flatten().collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
        assert!(buckets.iter().all(|bucket| lengths[bucket.clone()].iter().sum::<usize>() <= 40));
    }
}

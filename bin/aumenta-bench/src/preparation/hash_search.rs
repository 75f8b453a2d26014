//! A search for hashes that differ in few bits, among very many: what the process that is measured does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use aumenta_dataset::HammingIndex;
use aumenta_seed::Seed;
use rand::seq::index::sample;
use rand::{Rng as _, RngExt as _};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// One hash in so many is a planted one, close to another.
const ONE_PLANTED_IN: usize = 100;

/// What a search took and found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HashSearch {
    /// How many hashes there are.
    pub hashes: usize,
    /// The seconds that the index took.
    pub build_seconds: f64,
    /// The seconds that one search for every hash took.
    pub search_seconds: f64,
    /// How many hashes were planted close to another.
    pub planted: usize,
    /// How many of these were found from the other.
    pub found: usize,
    /// All pairs that were found.
    pub pairs: usize,
}

/// Makes `count` hashes, some of them close to others, and searches for each among all, on all cores.
pub fn search_hashes(count: usize, seed: Seed) -> HashSearch {
    let (hashes, planted) = plant(count, seed);
    let started = Instant::now();
    let index = HammingIndex::new(&hashes);
    let build_seconds = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let (found, pairs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    hashes.par_iter().for_each(|&(id, hash)| {
        let other = planted.get(&id);
        index.search(hash, |near, _| {
            found.fetch_add(usize::from(other == Some(&near)), Ordering::Relaxed);
            pairs.fetch_add(usize::from(near > id), Ordering::Relaxed);
        });
    });
    HashSearch {
        hashes: count,
        build_seconds,
        search_seconds: started.elapsed().as_secs_f64(),
        planted: planted.len(),
        found: found.into_inner(),
        pairs: pairs.into_inner(),
    }
}

/// Random hashes, with the planted ones: the number of each and of the hash that it was made from.
fn plant(count: usize, seed: Seed) -> (Vec<(u32, u64)>, HashMap<u32, u32>) {
    let mut rng = seed.rng("hashes", 0, 0);
    let mut hashes: Vec<(u32, u64)> = (0..count as u32).map(|id| (id, rng.next_u64())).collect();
    let (first, originals) = (count - count / ONE_PLANTED_IN, count / ONE_PLANTED_IN);
    let mut planted = HashMap::new();
    for at in first..first + originals {
        let original = rng.random_range(0..first);
        let bits = rng.random_range(0..=HammingIndex::RADIUS as usize);
        let change = sample(&mut rng, 64, bits).iter().fold(0u64, |change, bit| change | 1 << bit);
        hashes[at].1 = hashes[original].1 ^ change;
        planted.insert(at as u32, original as u32);
    }
    (hashes, planted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_hashes_are_in_range_and_all_found() {
        let (hashes, planted) = plant(5000, Seed::new(7));
        let distance = |(&one, &other): (&u32, &u32)| (hashes[one as usize].1 ^ hashes[other as usize].1).count_ones();
        let distances: Vec<u32> = planted.iter().map(distance).collect();
        assert_eq!((distances.len(), distances.iter().max()), (50, Some(&HammingIndex::RADIUS)));
        let search = search_hashes(5000, Seed::new(7));
        assert_eq!((search.hashes, search.planted, search.found), (5000, 50, 50));
        assert!(search.pairs >= 50, "{search:?}");
    }
}

//! [`RamCache`]: pixels in memory.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use aumenta_imgproc::Scale;

/// Pixels in memory, up to a limit. What is in stays in: in a shuffled epoch every image is as likely to come next as any
/// other, so throwing one out for another would gain nothing.
#[derive(Debug)]
pub(super) struct RamCache {
    /// By record and scale.
    pixels: Vec<[OnceLock<Box<[u8]>>; 4]>,
    bytes: AtomicU64,
    limit: u64,
}

impl RamCache {
    pub fn new(records: usize, limit: u64) -> Self {
        Self { pixels: (0..records).map(|_| Default::default()).collect(), bytes: AtomicU64::new(0), limit }
    }

    pub fn get(&self, id: u32, scale: Scale) -> Option<&[u8]> {
        self.pixels[id as usize][scale as usize].get().map(AsRef::as_ref)
    }

    pub fn put(&self, id: u32, scale: Scale, pixels: &[u8]) {
        let cell = &self.pixels[id as usize][scale as usize];
        let len = pixels.len() as u64;
        if cell.get().is_some() {
            return;
        }
        if self.bytes.fetch_add(len, Ordering::Relaxed) + len > self.limit || cell.set(pixels.into()).is_err() {
            self.bytes.fetch_sub(len, Ordering::Relaxed);
        }
    }

    /// Bytes that it has, and may have.
    pub fn usage(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_the_rest_is_not_kept() {
        let cache = RamCache::new(3, 250);
        cache.put(0, Scale::Full, &[1; 100]);
        cache.put(0, Scale::Half, &[2; 100]);
        cache.put(1, Scale::Half, &[3; 100]);
        cache.put(2, Scale::Half, &[4; 50]);
        cache.put(0, Scale::Full, &[5; 100]);
        assert_eq!(cache.get(0, Scale::Full), Some(&[1; 100][..]));
        assert_eq!(cache.get(0, Scale::Half), Some(&[2; 100][..]));
        assert_eq!(cache.get(1, Scale::Half), None);
        assert_eq!(cache.get(2, Scale::Half), Some(&[4; 50][..]));
        assert_eq!(cache.usage(), (250, 250));
    }
}

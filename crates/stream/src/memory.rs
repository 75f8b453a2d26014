//! [`Memory`]: the pixels of one batch, one piece of memory that several threads fill at once.
//!
//! `bytes::BytesMut` is a buffer that can be cut into parts, each with an owner of its own, and put together again
//! without a copy. So every slot of a batch is written in place by whichever thread has it, in safe code.

use bytes::BytesMut;

/// Where a batch begins in memory: a cache line, so that slots of whole lines share none.
const ALIGNMENT: usize = 64;

/// Memory of a batch or of a part of it.
#[derive(Debug, Default)]
pub(crate) struct Memory(BytesMut);

impl Memory {
    /// Zeros.
    pub fn zeroed(len: usize) -> Self {
        let mut bytes = BytesMut::zeroed(len + ALIGNMENT);
        let skipped = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        let mut memory = bytes.split_off(skipped);
        memory.truncate(len);
        Self(memory)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Cuts off the first `len` bytes.
    pub fn split_front(&mut self, len: usize) -> Self {
        Self(self.0.split_to(len))
    }

    /// Puts `next`, which was cut off behind this part, to its end again.
    pub fn join(&mut self, next: Self) {
        self.0.unsplit(next.0);
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// The bytes as numbers.
    pub fn floats(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }

    /// The bytes as numbers.
    pub fn floats_mut(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_filled_by_threads_and_put_together_where_they_are() {
        let mut memory = Memory::zeroed(4 * 5 * 7 + 4);
        let start = memory.bytes().as_ptr();
        assert_eq!(start.align_offset(ALIGNMENT), 0);
        for round in 0..3 {
            let mut parts: Vec<Memory> = (0..7).map(|_| memory.split_front(4 * 5)).collect();
            std::thread::scope(|scope| {
                for (number, part) in parts.iter_mut().enumerate().rev() {
                    scope.spawn(move || part.floats_mut().fill((number + round) as f32));
                }
            });
            let mut joined = Memory::default();
            for part in parts {
                joined.join(part);
            }
            joined.join(memory);
            memory = joined;
            assert_eq!(memory.bytes().as_ptr(), start, "nothing was copied");
            assert_eq!(memory.len(), 4 * 5 * 7 + 4);
            for (number, part) in memory.floats()[..5 * 7].chunks(5).enumerate() {
                assert!(part.iter().all(|value| *value == (number + round) as f32));
            }
        }
    }
}

//! [`Pool`]: memory that nobody uses right now, kept by a stream from batch to batch and from epoch to epoch.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::batch::Batch;
use crate::memory::Memory;
use crate::worker::Worker;

/// Batches and workers' buffers to be used again.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    batches: Mutex<Vec<Batch>>,
    workers: Mutex<Vec<Worker>>,
}

/// The most batches that a pool keeps.
const BATCHES: usize = 64;

impl Pool {
    /// An empty batch whose memory has `bytes` bytes at least, and which comes back to this pool.
    pub fn batch(self: &Arc<Self>, bytes: usize) -> Batch {
        let mut batch = lock(&self.batches).pop().unwrap_or_default();
        if batch.memory.len() < bytes {
            batch.memory = Memory::zeroed(bytes);
        }
        batch.pool = Some(Arc::clone(self));
        batch
    }

    /// Takes a batch back.
    pub fn put_batch(&self, mut batch: Batch) {
        batch.clear();
        let mut batches = lock(&self.batches);
        if batches.len() < BATCHES {
            batches.push(batch);
        }
    }

    /// A worker's buffers.
    pub fn worker(&self) -> Worker {
        lock(&self.workers).pop().unwrap_or_default()
    }

    /// Takes a worker's buffers back.
    pub fn put_worker(&self, worker: Worker) {
        lock(&self.workers).push(worker);
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.put_batch(mem::take(self));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_batch_is_used_again() {
        let pool = Arc::new(Pool::default());
        let batch = pool.batch(100);
        let memory = batch.memory.bytes().as_ptr();
        drop(batch);
        let again = pool.batch(90);
        assert_eq!(again.memory.bytes().as_ptr(), memory);
        assert_ne!(pool.batch(90).memory.bytes().as_ptr(), memory, "there was only one");
    }
}

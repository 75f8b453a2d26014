//! Working memory of the kernels, kept from call to call: what a step needs, the next one needs again, and fresh pages
//! from the system cost more than the arithmetic of a small layer.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Buffers that no kernel uses now. There are never more than were in use at one time.
static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// A buffer of f32 numbers that goes back to the others when dropped.
#[derive(Debug)]
pub struct Scratch(Vec<f32>);

impl Scratch {
    /// A buffer of `len` numbers that hold anything.
    pub fn of(len: usize) -> Self {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest that is large enough, or else the largest, which grows.
        let fitting = (0..free.len()).filter(|i| free[*i].capacity() >= len).min_by_key(|i| free[*i].capacity());
        let chosen = fitting.or_else(|| (0..free.len()).max_by_key(|i| free[*i].capacity()));
        let mut buffer = chosen.map(|i| free.swap_remove(i)).unwrap_or_default();
        drop(free);
        buffer.resize(len, 0.0);
        Self(buffer)
    }

    /// A buffer of `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let mut buffer = Self::of(len);
        buffer.fill(0.0);
        buffer
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_the_length_asked_for_and_two_do_not_overlap() {
        let (mut a, mut b) = (Scratch::of(10), Scratch::zeros(20));
        a.fill(1.0);
        b.fill(2.0);
        assert_eq!((a.len(), b.len()), (10, 20));
        assert!(a.iter().all(|v| *v == 1.0));
        drop(a);
        assert!(Scratch::zeros(15).iter().all(|v| *v == 0.0));
    }
}

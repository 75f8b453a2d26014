//! An allocator that counts, for tests that nothing is allocated.
//!
//! A test that needs it is a binary of its own, with one line:
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: aumenta_counting::Counting = aumenta_counting::Counting;
//!
//! let before = aumenta_counting::on_this_thread();
//! let boxed = Box::new(7);
//! assert_eq!(aumenta_counting::on_this_thread() - before, 1);
//! # drop(boxed);
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, with a count of what is asked of it.
#[derive(Debug)]
pub struct Counting;

static ON_ALL_THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static ON_THIS_THREAD: Cell<usize> = const { Cell::new(0) };
}

/// How many times this thread has asked for memory, more memory for the same object included.
pub fn on_this_thread() -> usize {
    ON_THIS_THREAD.get()
}

/// How many times all threads together have.
pub fn on_all_threads() -> usize {
    ON_ALL_THREADS.load(Ordering::Relaxed)
}

// SAFETY: every call is passed on to the system's allocator as it is. Counting does not allocate: the thread's counter is
// initialized at compile time and has no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the pointer came from the system's allocator, with this layout.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from the system's allocator, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn count() {
    ON_THIS_THREAD.set(ON_THIS_THREAD.get() + 1);
    ON_ALL_THREADS.fetch_add(1, Ordering::Relaxed);
}

//! [`Ahead`]: work on what comes next, done by a thread of its own while what came last is used.

use std::any::Any;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::TrainError;

/// Something that makes one item after another, and knows where it stands behind each.
pub(crate) trait Work: Send + 'static {
    /// What it makes.
    type Item: Send + 'static;
    /// Where it stands.
    type Standing: Clone + Send + 'static;

    /// The next item; `None`, or an error, is the end.
    fn next(&mut self) -> Option<Result<Self::Item, TrainError>>;

    /// Where it stands behind what it made last.
    fn standing(&self) -> Self::Standing;
}

/// A work that is done in advance. At most as many items wait as it may be ahead, and one more is being made.
///
/// Items come in order, and [`Ahead::standing`] is that behind the item that was taken last, however far the thread is.
/// Dropping it early ends the thread behind the item that it is at, and waits for it.
pub(crate) struct Ahead<W: Work> {
    standing: W::Standing,
    /// `None` once the work is over.
    deliveries: Option<Receiver<Delivery<W>>>,
    thread: Option<JoinHandle<()>>,
    started: Instant,
    waited: Duration,
}

/// An item, or the end, with where the work stands behind it.
struct Delivery<W: Work> {
    item: Option<Result<W::Item, TrainError>>,
    standing: W::Standing,
}

impl<W: Work> Ahead<W> {
    /// Begins with the work, at most `depth` items ahead of who takes them.
    pub fn start(work: W, depth: usize) -> Self {
        let standing = work.standing();
        let (sender, deliveries) = sync_channel(depth);
        let thread = Some(thread::spawn(move || deliver(work, &sender)));
        Self { standing, deliveries: Some(deliveries), thread, started: Instant::now(), waited: Duration::ZERO }
    }

    /// The next item, once it is there.
    pub fn next(&mut self) -> Option<Result<W::Item, TrainError>> {
        let asked = Instant::now();
        let delivery = self.deliveries.as_ref()?.recv();
        self.waited += asked.elapsed();
        let item = match delivery {
            Ok(Delivery { item, standing }) => {
                self.standing = standing;
                item
            }
            // The thread has ended without saying so.
            Err(_) => Some(Err(self.panicked())),
        };
        if !matches!(item, Some(Ok(_))) {
            self.stop();
        }
        item
    }

    /// Where the work stood behind the item that was taken last, or behind the end.
    pub fn standing(&self) -> &W::Standing {
        &self.standing
    }

    /// The share of the time since the start, from 0 to 1, that was spent waiting for items.
    pub fn wait_share(&self) -> f64 {
        let elapsed = self.started.elapsed().as_secs_f64();
        if elapsed > 0.0 { self.waited.as_secs_f64() / elapsed } else { 0.0 }
    }

    fn panicked(&mut self) -> TrainError {
        let payload = self.thread.take().and_then(|thread| thread.join().err());
        TrainError::FeedPanic { message: payload.map_or_else(String::new, |payload| message(&*payload)) }
    }

    /// Ends the thread, which learns of it as soon as it has something to deliver.
    fn stop(&mut self) {
        self.deliveries = None;
        if let Some(thread) = self.thread.take() {
            // Its panic, if it came to one, has become an error where anyone asked for the item.
            let _ = thread.join();
        }
    }
}

impl<W: Work> Drop for Ahead<W> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Does the work until it is over, or nobody takes what it makes.
fn deliver<W: Work>(mut work: W, deliveries: &SyncSender<Delivery<W>>) {
    loop {
        let item = work.next();
        let is_over = !matches!(item, Some(Ok(_)));
        let delivery = Delivery { item, standing: work.standing() };
        if deliveries.send(delivery).is_err() || is_over {
            return;
        }
    }
}

/// What a panic said.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts up to `end`, which is no more than the end, an error or a panic.
    struct Count {
        next: usize,
        end: usize,
        last: Last,
        /// How many items were made.
        made: Arc<AtomicUsize>,
    }

    #[derive(Clone, Copy)]
    enum Last {
        End,
        Error,
        Panic,
    }

    impl Work for Count {
        type Item = usize;
        type Standing = usize;

        fn next(&mut self) -> Option<Result<usize, TrainError>> {
            if self.next == self.end {
                // Behind the last item something may still be found, such as an image that cannot be used.
                self.next += 1;
                return match self.last {
                    Last::End => None,
                    Last::Error => {
                        let reason = "is over".to_string();
                        Some(Err(TrainError::Setting { setting: "count", reason }))
                    }
                    Last::Panic => panic!("the count is {}", self.end),
                };
            }
            self.next += 1;
            self.made.fetch_add(1, Ordering::SeqCst);
            Some(Ok(self.next - 1))
        }

        fn standing(&self) -> usize {
            self.next
        }
    }

    fn count(end: usize, last: Last) -> (Count, Arc<AtomicUsize>) {
        let made = Arc::new(AtomicUsize::new(0));
        (Count { next: 0, end, last, made: Arc::clone(&made) }, made)
    }

    #[test]
    fn items_come_in_order_each_with_the_standing_behind_it() {
        for depth in [1, 2, 50] {
            let mut ahead = Ahead::start(count(9, Last::End).0, depth);
            assert_eq!(*ahead.standing(), 0);
            for expected in 0..9 {
                assert_eq!(ahead.next().unwrap().unwrap(), expected);
                assert_eq!(*ahead.standing(), expected + 1, "whatever was made in advance");
            }
            assert!(ahead.next().is_none());
            assert_eq!(*ahead.standing(), 10, "the end has a standing too");
            assert!(ahead.next().is_none());
        }
    }

    #[test]
    fn no_more_is_made_in_advance_than_is_allowed() {
        let (work, made) = count(100, Last::End);
        let mut ahead = Ahead::start(work, 2);
        for taken in 1..=20 {
            ahead.next().unwrap().unwrap();
            // Two wait, and one is about to.
            assert!(made.load(Ordering::SeqCst) <= taken + 3);
        }
    }

    #[test]
    fn an_error_comes_in_its_turn_and_is_the_end() {
        let mut ahead = Ahead::start(count(3, Last::Error).0, 2);
        for expected in 0..3 {
            assert_eq!(ahead.next().unwrap().unwrap(), expected);
        }
        assert_eq!(ahead.next().unwrap().unwrap_err().to_string(), "`count` is over");
        assert!(ahead.next().is_none());
    }

    #[test]
    fn a_panic_becomes_an_error_that_says_what_it_said() {
        let mut ahead = Ahead::start(count(2, Last::Panic).0, 2);
        assert_eq!(ahead.next().unwrap().unwrap(), 0);
        assert_eq!(ahead.next().unwrap().unwrap(), 1);
        let error = ahead.next().unwrap().unwrap_err().to_string();
        assert!(error.contains("the count is 2"), "{error}");
        assert!(ahead.next().is_none());
    }

    #[test]
    fn dropping_it_early_ends_the_thread() {
        for taken in [0, 1, 5] {
            let (work, made) = count(usize::MAX, Last::End);
            let mut ahead = Ahead::start(work, 2);
            for _ in 0..taken {
                ahead.next().unwrap().unwrap();
            }
            drop(ahead);
            // The work itself is gone, so nothing counts any more.
            assert_eq!(Arc::strong_count(&made), 1);
        }
    }

    #[test]
    fn who_takes_slowly_does_not_wait() {
        let mut ahead = Ahead::start(count(4, Last::End).0, 2);
        while ahead.next().is_some() {}
        assert!((0.0..=1.0).contains(&ahead.wait_share()));
    }
}

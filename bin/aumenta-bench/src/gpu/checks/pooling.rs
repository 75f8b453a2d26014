//! Pooling: the largest or the mean of windows, and the mean of images.

use aumenta_nn::{PaddingCount, Pool2dOptions, avg_pool2d, global_avg_pool2d, max_pool2d};

use crate::gpu::check::{Check, Tolerance, with_gradients};

pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    let overlapping = Pool2dOptions { window: [3, 3], stride: [2, 2], padding: [0; 4] };
    for (name, x, options) in [
        ("2x2", [2, 12, 10, 7], Pool2dOptions::square(2)),
        ("2x2 that leaves rows over", [2, 7, 9, 16], Pool2dOptions::square(2)),
        ("3x3 that overlap", [2, 11, 11, 8], overlapping),
        ("3x3 that overlap, padded", [2, 12, 12, 8], Pool2dOptions { padding: [1; 4], ..overlapping }),
        (
            "2x3 of stride 1 by 2, padded on one side",
            [1, 6, 9, 3],
            Pool2dOptions { window: [2, 3], stride: [1, 2], padding: [1, 0, 0, 2] },
        ),
    ] {
        let window = options.window[0] * options.window[1];
        checks.push(Check::new(format!("max_pool2d {name}"), move |device| {
            // The largest is chosen and not computed; its gradient is a sum where windows overlap.
            let operands = [("x", x.to_vec(), Tolerance::of_each())];
            with_gradients(device, &operands, Tolerance::Exact, &|t| Ok(max_pool2d(&t[0], options)?))
        }));
        for (count, counted) in [(PaddingCount::Excluded, "without"), (PaddingCount::Included, "with")] {
            checks.push(Check::new(format!("avg_pool2d {name}, {counted} what is padded"), move |device| {
                let operands = [("x", x.to_vec(), Tolerance::of_sum(window))];
                with_gradients(device, &operands, Tolerance::of_sum(window), &|t| {
                    Ok(avg_pool2d(&t[0], options, count)?)
                })
            }));
        }
    }
    checks.push(Check::new("global_avg_pool2d", |device| {
        let operands = [("x", vec![3, 7, 6, 20], Tolerance::of_each())];
        with_gradients(device, &operands, Tolerance::of_sum(42), &|t| Ok(global_avg_pool2d(&t[0])?))
    }));
    checks
}

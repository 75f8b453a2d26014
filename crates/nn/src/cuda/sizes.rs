//! Sizes as kernels take them, and how work is shared out among threads.

use candle_core::{Result, bail};

use crate::kernel::{conv2d, depthwise_conv2d, pool2d};

/// Threads that sum at once: enough for any GPU.
const THREADS: usize = 1 << 18;
/// Rows that a thread sums at least, where there are so many.
const ROWS: usize = 64;
/// Rows that the kernel `sum_rows` makes one of.
pub const FAN_IN: usize = 32;
/// Elements of a chunk of a tensor, as in `kernels/optimizer.cu`.
pub const CHUNK: usize = 1024;
/// Threads that sum the squares of a chunk.
pub const SUMMANDS: usize = 32;

/// A size as kernels count.
pub fn int(size: usize) -> Result<i32> {
    i32::try_from(size).or_else(|_| bail!("a size of {size} is larger than a kernel counts: take a smaller batch"))
}

/// Several sizes as kernels count.
pub fn ints<const N: usize>(sizes: [usize; N]) -> Result<[i32; N]> {
    let mut counted = [0; N];
    for (counted, size) in counted.iter_mut().zip(sizes) {
        *counted = int(size)?;
    }
    Ok(counted)
}

/// How many lanes sum `rows` rows of `columns` columns: each takes rows so far apart.
pub fn lanes(rows: usize, columns: usize) -> usize {
    (rows / ROWS).min(THREADS / columns.max(1)).max(1)
}

/// The struct `Pooling` of `kernels/prelude.cu`.
pub fn pooling(geometry: &pool2d::Geometry) -> Result<[i32; 11]> {
    let pool2d::Geometry { input: [height, width, channels], window, stride, padding } = *geometry;
    let [rows, columns, _] = geometry.output();
    let [top, _, left, _] = padding;
    ints([height, width, channels, rows, columns, window[0], window[1], stride[0], stride[1], top, left])
}

/// The struct `Convolution` of `kernels/prelude.cu`.
#[cfg(any(test, not(feature = "cudnn")))]
pub fn convolution(geometry: &conv2d::Geometry) -> Result<[i32; 15]> {
    let conv2d::Geometry { input, output, kernel, stride, padding, dilation, groups } = *geometry;
    let [height, width, inputs] = input;
    let [rows, columns, outputs] = output;
    ints([
        height,
        width,
        inputs,
        rows,
        columns,
        outputs,
        kernel[0],
        kernel[1],
        stride[0],
        stride[1],
        padding[0],
        padding[1],
        dilation[0],
        dilation[1],
        groups,
    ])
}

/// A depthwise convolution as one of as many groups as there are channels.
pub fn grouped(geometry: &depthwise_conv2d::Geometry) -> conv2d::Geometry {
    let depthwise_conv2d::Geometry { input, output, kernel, stride, padding, dilation } = *geometry;
    conv2d::Geometry { input, output, kernel, stride, padding, dilation, groups: input[2] }
}

/// The chunks of tensors of these lengths: each one's tensor and first element.
pub fn chunks(lengths: &[usize]) -> Result<Vec<[i32; 2]>> {
    let mut chunks = Vec::new();
    for (tensor, length) in lengths.iter().enumerate() {
        for first in (0..*length).step_by(CHUNK) {
            chunks.push(ints([tensor, first])?);
        }
    }
    int(chunks.len() * CHUNK)?;
    Ok(chunks)
}

/// Where each of the tensors begins among the elements of all.
pub fn starts(lengths: &[usize]) -> Result<Vec<i32>> {
    let mut total = 0;
    let starts = lengths.iter().map(|length| {
        let start = int(total);
        total += length;
        start
    });
    starts.collect()
}

//! Carrying out a plan: as few passes over the pixels as its operations allow.
//!
//! Motions and changes of color wait until something needs pixels. A plan of nothing else, however long, is therefore one
//! resampling from the decoded source into its slot. An operation that looks at more than one pixel (a blur, a
//! histogram) is a border between passes: what waits is resampled into a buffer of the output's size, the operation works
//! there, and what follows waits again.

use aumenta_imgproc::{ColorChain, Image, Interpolation, Matrix3, Size, Slot, shrink, warp, write};

use crate::effect::Effect;
use crate::{Plan, Prefilter};

/// Buffers that [`Plan::apply`] reuses, so that applying allocates nothing once they have grown; one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The source, averaged over blocks.
    shrunk: Image,
    /// The picture between passes, at the output's size.
    picture: Image,
    /// A buffer for operations that cannot work in place.
    spare: Image,
    /// Changes of color that no pixel has seen yet.
    colors: ColorChain,
}

/// Fills `slot`, which holds a picture of `output`, with what `plan` makes of `source`.
pub(crate) fn execute(plan: &Plan, source: &Image, output: Size, scratch: &mut Scratch, slot: Slot<'_>) {
    let Scratch { shrunk, picture, spare, colors } = scratch;
    colors.clear();
    let mut motion = resize(source.size(), output);
    let mut rendered = false;
    for op in &plan.ops {
        match op.effect(output) {
            Effect::Motion(matrix) => motion = matrix.then(&motion),
            Effect::Color(step) => colors.push(step),
            Effect::Raster => {
                spare.resize_buffer(output.width, output.height);
                let from = if rendered { &*picture } else { source };
                render(plan, from, &motion, colors, output, shrunk, Slot::Bytes(spare.pixels_mut()));
                std::mem::swap(picture, spare);
                op.rasterize(picture, spare);
                motion = Matrix3::IDENTITY;
                colors.clear();
                rendered = true;
            }
        }
    }
    let from = if rendered { &*picture } else { source };
    render(plan, from, &motion, colors, output, shrunk, slot);
}

/// The map of a plain resize.
fn resize(source: Size, output: Size) -> Matrix3 {
    Matrix3::grid(source.width as f64 / output.width as f64, source.height as f64 / output.height as f64)
}

/// One pass: `source` moved and colored into `slot`.
fn render(
    plan: &Plan,
    source: &Image,
    motion: &Matrix3,
    colors: &ColorChain,
    output: Size,
    shrunk: &mut Image,
    slot: Slot<'_>,
) {
    if *motion == Matrix3::IDENTITY && source.size() == output {
        return write(source, colors, slot);
    }
    let (columns, rows) = blocks(plan, motion, source.size(), output);
    if columns == 1 && rows == 1 {
        return warp(source, motion, plan.sampling(), colors, output, slot);
    }
    shrink(source, columns, rows, shrunk);
    let motion = motion.then(&Matrix3::grid(1.0 / columns as f64, 1.0 / rows as f64));
    warp(shrunk, &motion, plan.sampling(), colors, output, slot);
}

/// The blocks of source pixels to average beforehand, so that the warp's stride ends up below 2.
fn blocks(plan: &Plan, motion: &Matrix3, source: Size, output: Size) -> (usize, usize) {
    if plan.prefilter == Prefilter::None || plan.interpolation == Interpolation::Nearest {
        return (1, 1);
    }
    // The margin keeps a rotated or mirrored reduction by exactly 2 from falling below it by a rounding error.
    let whole = |stride: f64, side: usize| ((stride + 1e-6) as usize).clamp(1, side.max(1));
    let (columns, rows) = motion.stride(output);
    (whole(columns, source.width), whole(rows, source.height))
}

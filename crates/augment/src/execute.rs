//! Carrying out a plan: as few passes over the pixels as its operations allow.
//!
//! Motions and changes of color wait until something needs pixels. A plan of nothing else, however long, is therefore one
//! resampling from the decoded source into its slot. An operation that looks at more than one pixel (a blur, a
//! histogram), or that has its own way of reading the picture, is a border between passes: what waits is resampled into a
//! buffer of the output's size, the operation works there, and what follows waits again.
//!
//! A mask goes the same way as a picture whose colors are labels, which reads the nearest pixel and meets nothing but
//! motions.

use aumenta_imgproc::{
    ColorChain, Displacement, Fill, Image, ImageRef, Interpolation, Mask, Matrix3, Sampling, Scale, Size, Slot,
    displace, shrink, warp, write,
};

use crate::effect::{Effect, Pass, RasterScratch};
use crate::{Op, Plan, Prefilter, Source};

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
    /// The field of an elastic distortion.
    displacement: Displacement,
    /// What operations on a whole picture need beside it.
    raster: RasterScratch,
    /// What mixing needs beside the picture.
    mixer: Option<Box<Mixer>>,
    /// A mask as a picture, before and after.
    mask: [Image; 2],
}

/// Buffers of an operation that mixes chains of operations.
#[derive(Debug, Default)]
struct Mixer {
    scratch: Scratch,
    /// What a chain has made of the picture.
    branch: Image,
    /// The weighted sum of the branches.
    sums: Vec<f32>,
}

/// Fills `slot`, which holds a picture of `output`, with what `plan` makes of `source`.
pub(crate) fn execute(plan: &Plan, source: Source<'_>, output: Size, scratch: &mut Scratch, slot: Slot<'_>) {
    run(&plan.ops, Reading::of(plan), source, output, scratch, slot);
}

/// Where the pixels of `mask` come to lie; `outside` is the label of what a constant fill colors.
pub(crate) fn execute_on_mask(plan: &Plan, mask: &Mask, output: Size, outside: u8, scratch: &mut Scratch) -> Mask {
    let [mut before, mut after] = std::mem::take(&mut scratch.mask);
    before.resize_buffer(mask.size().width, mask.size().height);
    for (pixel, &label) in before.pixels_mut().as_chunks_mut().0.iter_mut().zip(mask.labels()) {
        *pixel = [label; 3];
    }
    after.resize_buffer(output.width, output.height);
    let reading = Reading::labels(plan.fill, outside);
    run(&plan.ops, reading, (&before).into(), output, scratch, Slot::rgb(after.pixels_mut()));
    let labels = after.pixels().iter().step_by(3).copied().collect();
    scratch.mask = [before, after];
    Mask::from_labels(output.width, output.height, labels)
}

/// The map of a plain resize.
pub(crate) fn resize(source: Size, output: Size) -> Matrix3 {
    Matrix3::grid(source.width as f64 / output.width as f64, source.height as f64 / output.height as f64)
}

/// `motion`, which reads a full picture, for one that was decoded at `scale`.
pub(crate) fn at_scale(motion: &Matrix3, scale: Scale) -> Matrix3 {
    if scale == Scale::Full {
        return *motion;
    }
    let part = 1.0 / scale.divisor() as f64;
    motion.then(&Matrix3::grid(part, part))
}

/// How pixels are read.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    sampling: Sampling,
    prefilter: Prefilter,
    /// The label of what a constant fill colors, where pixels are labels.
    label: Option<u8>,
}

impl Reading {
    /// How a plan reads the source.
    pub(crate) fn of(plan: &Plan) -> Self {
        Self { sampling: plan.sampling(), prefilter: plan.prefilter, label: None }
    }

    /// Whether pixels that a resampling would skip are averaged.
    pub(crate) fn averages(self) -> bool {
        self.prefilter == Prefilter::Area && self.sampling.interpolation != Interpolation::Nearest
    }

    /// The blocks of pixels of a picture of size `source` to average beforehand, so that the warp's stride ends up below 2.
    pub(crate) fn blocks(self, motion: &Matrix3, source: Size, output: Size) -> (usize, usize) {
        if !self.averages() {
            return (1, 1);
        }
        let whole = |stride: f64, side: usize| ((stride + ROUNDING) as usize).clamp(1, side.max(1));
        let (columns, rows) = motion.stride(output);
        (whole(columns, source.width), whole(rows, source.height))
    }

    fn labels(fill: Fill, outside: u8) -> Self {
        let fill = match fill {
            Fill::Constant(_) => Fill::Constant([outside; 3]),
            Fill::ConstantBeyondCenters(_) => Fill::ConstantBeyondCenters([outside; 3]),
            fill => fill,
        };
        let sampling = Sampling { fill, interpolation: Interpolation::Nearest };
        Self { sampling, prefilter: Prefilter::None, label: Some(outside) }
    }

    /// As an operation reads that has its own sampling.
    fn with_sampling(self, sampling: Sampling) -> Self {
        self.label.map_or(Self { sampling, ..self }, |outside| Self::labels(sampling.fill, outside))
    }
}

/// Keeps a rotated or mirrored reduction by exactly 2 from falling below it by a rounding error.
pub(crate) const ROUNDING: f64 = 1e-6;

fn run(ops: &[Op], reading: Reading, source: Source<'_>, output: Size, scratch: &mut Scratch, slot: Slot<'_>) {
    let Scratch { shrunk, picture, spare, colors, displacement, raster: raster_scratch, mixer, .. } = scratch;
    colors.clear();
    let mut motion = resize(source.full(), output);
    let mut rendered = false;
    for op in ops {
        match op.effect(output) {
            Effect::Motion(matrix) => motion = matrix.then(&motion),
            Effect::Color(_) | Effect::Pass(Pass::Mix { .. } | Pass::Raster(_)) if reading.label.is_some() => {}
            Effect::Color(step) => colors.push(step),
            Effect::Pass(pass) => {
                if rendered {
                    spare.resize_buffer(output.width, output.height);
                    let slot = Slot::rgb(spare.pixels_mut());
                    render(reading, (&*picture).into(), &motion, colors, output, shrunk, slot);
                    std::mem::swap(picture, spare);
                } else {
                    picture.resize_buffer(output.width, output.height);
                    let slot = Slot::rgb(picture.pixels_mut());
                    render(reading, source.image(), &at_scale(&motion, source.scale()), colors, output, shrunk, slot);
                }
                (motion, rendered) = (Matrix3::IDENTITY, true);
                colors.clear();
                match pass {
                    Pass::Resample(matrix, sampling) => {
                        resample(picture, &matrix, reading.with_sampling(sampling), spare);
                    }
                    Pass::Elastic { seed, alpha_pixels, sigma_pixels } => {
                        displacement.draw(output, seed, alpha_pixels, sigma_pixels);
                        displace(&*picture, displacement, reading.sampling, spare);
                        std::mem::swap(picture, spare);
                    }
                    Pass::Mix { chains, weights, keep } => {
                        mixer.get_or_insert_default().mix(chains.iter().zip(weights), keep, reading, picture);
                    }
                    Pass::Raster(raster) => raster.run(picture, spare, raster_scratch),
                }
            }
        }
    }
    let (from, motion) =
        if rendered { ((&*picture).into(), motion) } else { (source.image(), at_scale(&motion, source.scale())) };
    render(reading, from, &motion, colors, output, shrunk, slot);
}

/// Reads `picture` anew by `matrix`; `spare` is a buffer of any content.
fn resample(picture: &mut Image, matrix: &Matrix3, reading: Reading, spare: &mut Image) {
    let size = picture.size();
    spare.resize_buffer(size.width, size.height);
    warp(&*picture, matrix, reading.sampling, &ColorChain::IDENTITY, size, Slot::rgb(spare.pixels_mut()));
    std::mem::swap(picture, spare);
}

impl Mixer {
    /// Mixes `picture` with what the chains make of it, each of which has a weight.
    fn mix<'a>(
        &mut self,
        chains: impl Iterator<Item = (&'a Vec<Op>, &'a f64)>,
        keep: f64,
        reading: Reading,
        picture: &mut Image,
    ) {
        let size = picture.size();
        self.sums.clear();
        self.sums.resize(picture.pixels().len(), 0.0);
        self.branch.resize_buffer(size.width, size.height);
        for (chain, &weight) in chains {
            run(chain, reading, (&*picture).into(), size, &mut self.scratch, Slot::rgb(self.branch.pixels_mut()));
            for (sum, &value) in self.sums.iter_mut().zip(self.branch.pixels()) {
                *sum += weight as f32 * f32::from(value);
            }
        }
        let (keep, rest) = (keep as f32, (1.0 - keep) as f32);
        for (value, sum) in picture.pixels_mut().iter_mut().zip(&self.sums) {
            *value = (keep * f32::from(*value) + rest * sum + 0.5) as u8;
        }
    }
}

/// One pass: `source` moved and colored into `slot`.
fn render(
    reading: Reading,
    source: ImageRef<'_>,
    motion: &Matrix3,
    colors: &ColorChain,
    output: Size,
    shrunk: &mut Image,
    slot: Slot<'_>,
) {
    if *motion == Matrix3::IDENTITY && source.size() == output {
        return write(source, colors, slot);
    }
    let (columns, rows) = reading.blocks(motion, source.size(), output);
    if columns == 1 && rows == 1 {
        return warp(source, motion, reading.sampling, colors, output, slot);
    }
    shrink(source, columns, rows, shrunk);
    let motion = motion.then(&Matrix3::grid(1.0 / columns as f64, 1.0 / rows as f64));
    warp(&*shrunk, &motion, reading.sampling, colors, output, slot);
}

//! Drawing and applying plans takes no memory once buffers have grown.
//!
//! The allocator counts what the thread of a test asks for. Every transform of the page about augmentation draws and applies
//! some plans twice; the second time nothing may be asked for.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use aumenta_augment::{
    Always, AugmentConfig, Canvas, KerasConfig, Op, Pipeline, Plan, Prefilter, Scratch, Source, Step, Transform,
};
use aumenta_counting::{Counting, on_this_thread};
use aumenta_imgproc::{Channels, Fill, FloatFormat, Image, Interpolation, Scale, Size, Slot, shrink};
use aumenta_seed::Seed;
use serde::Deserialize;

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often `work` asks for memory.
fn allocations(work: impl FnOnce()) -> usize {
    let before = on_this_thread();
    work();
    on_this_thread() - before
}

const CANVAS: Canvas = Canvas { source: Size { width: 120, height: 90 }, output: Size { width: 40, height: 32 } };

/// Plans that a pipeline draws and applies in a round.
const SAMPLES: u64 = 12;

fn photograph(size: Size) -> Image {
    let values = (0..size.width * size.height * 3).map(|at| (at.wrapping_mul(2_654_435_761) >> 9) as u8 / 2);
    Image::from_pixels(size.width, size.height, values.collect())
}

/// How often a second round of drawing asks for memory, and a second round of applying.
fn second_round(pipeline: &Pipeline) -> (usize, usize) {
    let full = photograph(CANVAS.source);
    let mut half = Image::default();
    shrink(&full, 2, 2, &mut half);
    let sources = [Source::from(&full), Source::new(&half, full.size(), Scale::Half)];
    let pixels = CANVAS.output.width * CANVAS.output.height;
    let planes = FloatFormat {
        layout: aumenta_imgproc::Layout::Chw,
        channels: Channels::Rgb,
        scale: [1.0; 3],
        offset: [0.0; 3],
    };
    let (mut values, mut bytes) = (vec![0.0; pixels * 3], vec![0; pixels * 3]);
    let (mut plan, mut scratch) = (Plan::identity(), Scratch::default());
    let (mut drawing, mut applying) = (0, 0);
    for _ in 0..2 {
        (drawing, applying) = (0, 0);
        for sample in 0..SAMPLES {
            let mut rng = Seed::new(7).rng("augment", 0, sample);
            drawing += allocations(|| pipeline.draw_into(CANVAS, &mut rng, &mut plan));
            applying += allocations(|| {
                for source in sources {
                    let slot = Slot::Floats { values: &mut values, format: &planes };
                    plan.apply_to_slot(source, CANVAS.output, &mut scratch, slot);
                    plan.apply_to_slot(source, CANVAS.output, &mut scratch, Slot::rgb(&mut bytes));
                    plan.apply_to_slot(source, CANVAS.output, &mut scratch, Slot::gray(&mut bytes[..pixels]));
                }
                plan.view(CANVAS);
            });
        }
    }
    (drawing, applying)
}

/// The transforms in the table of the page about augmentation, which has all of them, by their names.
fn transforms() -> Vec<(String, Box<dyn Transform>)> {
    #[derive(Deserialize)]
    struct Row {
        step: Step,
    }
    let page = include_str!("../../../docs/augmentation.md");
    let rows = page.lines().filter(|line| line.starts_with("| `{ ")).map(|line| line.split('`').nth(1).unwrap());
    let built = rows.map(|text| {
        let row: Row = toml::from_str(&format!("step = {text}")).unwrap();
        // Drawn for all pictures, so that every operation of the rounds is there.
        let step = Step { probability: Some(1.0), ..row.step };
        (text.split('"').nth(1).unwrap().to_owned(), step.build().unwrap())
    });
    built.collect()
}

#[test]
fn the_second_round_of_every_transform_takes_no_memory() {
    let mut drawing_takes_some = Vec::new();
    for (name, transform) in transforms() {
        let pipeline = Pipeline::new(vec![transform], Fill::Reflect, Interpolation::Bilinear);
        let (drawing, applying) = second_round(&pipeline);
        assert_eq!(applying, 0, "{name}");
        if drawing > 0 {
            drawing_takes_some.push(name);
        }
    }
    assert_eq!(drawing_takes_some, ["aug-mix"], "chains are lists within the list of operations");
}

#[test]
fn the_second_round_of_a_long_pipeline_takes_no_memory() {
    let transforms = transforms().into_iter().filter(|(name, _)| name != "aug-mix").map(|(_, transform)| transform);
    let pipeline = Pipeline::new(transforms.collect(), Fill::Constant([9; 3]), Interpolation::Bicubic);
    assert_eq!(second_round(&pipeline), (0, 0));
    assert_eq!(second_round(&AugmentConfig::book().build().unwrap().with_prefilter(Prefilter::None)), (0, 0));
    let keras = "dialect = 'keras-2.15'\nrotation_range = 40\nshear_range = 10\nwidth_shift_range = 0.2\n\
                 height_shift_range = 0.2\nzoom_range = 0.2\nbrightness_range = [0.5, 1.5]\nchannel_shift_range = 20\n\
                 horizontal_flip = true";
    assert_eq!(second_round(&toml::from_str::<KerasConfig>(keras).unwrap().build().unwrap()), (0, 0));
}

#[test]
fn operations_at_their_limits_take_no_memory_the_second_time() {
    for op in [
        Op::MotionBlur { length_pixels: 200.0, angle_degrees: 33.0 },
        Op::GaussianBlur { sigma_pixels: 100.0 },
        Op::Clahe { clip_limit: 3.0, tiles: 64 },
        Op::ShotNoise { photons_at_white: 60.0, seed: 3 },
        Op::Downscale { fraction: 0.9 },
        // Blocks of more than 127 pixels.
        Op::Zoom { x: 0.1, y: 0.1 },
    ] {
        let name = op.to_string();
        let pipeline = Pipeline::new(vec![Box::new(Always::new(op))], Fill::Nearest, Interpolation::Bilinear);
        assert_eq!(second_round(&pipeline), (0, 0), "{name}");
    }
}

//! [`Gallery`]: the pictures of an explanation, written one by one and timed.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use aumenta_explain::{Activations, ClassMap, ExplainError, HeatMap, PictureLayer, saliency, tiles};
use aumenta_imgproc::{Image, Size, encode_jpeg, encode_png, resize};
use aumenta_nn::NnError;
use aumenta_report::{
    Alignment, ColorMap, Overlay, PagePicture, PictureSection, Table, count, enlarged, without_scale,
};
use aumenta_runs::write_atomic_bytes;
use aumenta_seed::Seed;
use serde::Serialize;

use super::subject::{Seen, Subject};
use super::{Args, Recipe, Show, file_part};
use crate::failure::BadUse;

/// The folder that pictures are written to, and what was made.
pub struct Gallery {
    pub folder: PathBuf,
    pub made: Vec<Made>,
}

/// A picture that was made.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Made {
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
    file: String,
    /// To compute it, without writing it.
    seconds: f64,
}

/// Pictures of maps are at least so large.
const MAP_SIDE: usize = 256;

/// Channels of activations are enlarged to at least so many pixels, and reduced to at most so many.
const TILE_SIDES: [usize; 2] = [24, 72];

/// The side of a pattern where the network allows it.
const PATTERN_SIDE: usize = 96;

/// The JPEG quality of pictures on the page: those who need every pixel have the PNG files beside it.
const PAGE_QUALITY: u8 = 85;

/// Of the numbers of a saliency map so many percent are within the scale: a few pixels would darken all others.
const SHOWN_PERCENT: usize = 99;

impl Gallery {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, made: Vec::new() }
    }

    /// What was made, for a terminal.
    pub fn to_text(&self, page: &Path) -> String {
        let columns = [
            ("what", Alignment::Left),
            ("layer", Alignment::Left),
            ("seconds", Alignment::Right),
            ("file", Alignment::Left),
        ];
        let mut table = Table::new(columns);
        for Made { what, layer, file, seconds } in &self.made {
            table.push([what.clone(), layer.clone().unwrap_or_default(), format!("{seconds:.2}"), file.clone()]);
        }
        format!("{}wrote {}\n", table.to_text(), page.display())
    }

    /// The image as the network gets it.
    pub fn original(&mut self, image: &Image) -> Result<PagePicture> {
        let image = enlarged(image, MAP_SIDE);
        self.write("original.png", &image)?;
        on_page(&image, "as the network gets it".to_owned())
    }

    fn write(&self, file: &str, image: &Image) -> Result<()> {
        fs_err::create_dir_all(&self.folder)?;
        Ok(write_atomic_bytes(&self.folder.join(file), &encode_png(image)?)?)
    }

    /// Computes, draws and writes a picture.
    fn make<T>(
        &mut self,
        what: &str,
        layer: Option<&str>,
        compute: impl FnOnce() -> Result<T, ExplainError>,
        draw: impl FnOnce(T) -> (Image, String),
    ) -> Result<PagePicture> {
        let start = Instant::now();
        let computed = compute().map_err(of_use)?;
        let seconds = start.elapsed().as_secs_f64();
        let (image, caption) = draw(computed);
        let file = match layer {
            Some(layer) => format!("{what}-{}.png", file_part(layer)),
            None => format!("{what}.png"),
        };
        self.write(&file, &image)?;
        self.made.push(Made { what: what.to_owned(), layer: layer.map(str::to_owned), file, seconds });
        on_page(&image, caption)
    }

    /// The maps of what speaks for `class`, by layer, and those that need no layer.
    pub fn maps(&mut self, args: &Args, subject: &Subject, seen: &Seen, class: usize) -> Result<Vec<PictureSection>> {
        let (network, name) = (subject.network(), &subject.classes[class]);
        let colors = args.colors.into();
        let mut sections = Vec::new();
        let kinds = [
            (Show::GradCam, "grad-cam", "Grad-CAM", ClassMap::GradCam),
            (Show::GradCamPlusPlus, "grad-cam-plus-plus", "Grad-CAM++", ClassMap::GradCamPlusPlus),
        ];
        if kinds.iter().any(|(show, ..)| args.shows(*show)) {
            for layer in class_layers(args, subject)? {
                let mut pictures = Vec::new();
                for (_, what, title, kind) in kinds.iter().filter(|(show, ..)| args.shows(*show)) {
                    let compute = || kind.of(&network, &seen.tensor, &layer.name, class);
                    pictures.push(self.make(what, Some(&layer.name), compute, |map| {
                        (over(&seen.image, &map, of_largest(&map), colors), caption_of(title, &map))
                    })?);
                }
                let [height, width, _] = layer.shape;
                let heading = format!("What speaks for {name}, by layer {}", layer.name);
                let note = format!(
                    "Bright places speak for {name}. The map has {height}x{width} places and is enlarged to the image; its \
                     scale goes from 0 to its own largest number."
                );
                sections.push(PictureSection { heading, note, pictures });
            }
        }
        sections.extend(self.pixel_maps(args, subject, seen, class)?);
        Ok(sections)
    }

    /// Occlusion, saliency and `SmoothGrad`.
    fn pixel_maps(
        &mut self,
        args: &Args,
        subject: &Subject,
        seen: &Seen,
        class: usize,
    ) -> Result<Option<PictureSection>> {
        let (network, name) = (subject.network(), &subject.classes[class]);
        let colors = args.colors.into();
        let mut pictures = Vec::new();
        if args.shows(Show::Occlusion) {
            let occlusion = args.occlusion(seen.image.height(), seen.image.width());
            let compute = || occlusion.map(&network, &seen.tensor, class);
            pictures.push(self.make("occlusion", None, compute, |map| {
                let [low, high] = map.range();
                let most = low.abs().max(high.abs());
                let caption =
                    format!("occlusion by {0}x{0} pixels: the probability that hiding a place costs", occlusion.patch);
                (over(&seen.image, &map, [-most, most], ColorMap::Diverging), caption)
            })?);
        }
        let fine = |map: HeatMap, title: &str| {
            let range = [0.0, percentile(map.values(), SHOWN_PERCENT)];
            (alone(&map, range, colors), format!("{title}: how much each pixel would change the score"))
        };
        if args.shows(Show::Saliency) {
            let compute = || saliency(&network, &seen.tensor, class);
            pictures.push(self.make("saliency", None, compute, |map| fine(map, "saliency"))?);
        }
        if args.shows(Show::SmoothGrad) {
            let compute = || args.smooth_grad().saliency(&network, &seen.tensor, class);
            pictures.push(self.make("smooth-grad", None, compute, |map| fine(map, "SmoothGrad"))?);
        }
        let note = format!(
            "Occlusion hides a square and asks again: red places matter for {name}, blue ones stand in its way. Saliency is the \
             gradient of the class's score to each pixel; SmoothGrad is its mean over noisy copies. Its brightest pixels share \
             the end of the scale."
        );
        let heading = format!("What speaks for {name}, pixel by pixel");
        Ok((!pictures.is_empty()).then_some(PictureSection { heading, note, pictures }))
    }

    /// What layers make of the image.
    pub fn activations(&mut self, args: &Args, subject: &Subject, seen: &Seen) -> Result<Vec<PictureSection>> {
        if !args.shows(Show::Activations) {
            return Ok(Vec::new());
        }
        let layers = all_layers(args, subject)?;
        let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
        let start = Instant::now();
        let all = Activations::of(&subject.network(), &seen.tensor, &names).map_err(of_use)?;
        let seconds = start.elapsed().as_secs_f64() / all.len().max(1) as f64;
        let mut sections = Vec::new();
        for activations in all {
            let [height, width, channels] = subject.network().layer(&activations.layer).map_err(of_use)?.shape;
            let silent = activations.silent();
            let picture = self.make(
                "activations",
                Some(&activations.layer),
                || Ok(activations.pictures()),
                |pictures| {
                    let pictures: Vec<Image> = pictures.iter().take(args.channels).map(reduced).collect();
                    let caption = format!("{} of {height}x{width}", first_of(pictures.len(), channels, "channels"));
                    (tiles(&pictures, TILE_SIDES[0]), caption)
                },
            )?;
            if let Some(made) = self.made.last_mut() {
                made.seconds += seconds;
            }
            let heading = format!("What {} makes of the image", activations.layer);
            let saw_nothing = if silent > 0 { format!(" {silent} saw nothing and are black.") } else { String::new() };
            let note = format!("Each channel around its own mean, 16 a row.{saw_nothing}");
            sections.push(PictureSection { heading, note, pictures: vec![picture] });
        }
        Ok(sections)
    }

    /// What filters answer to most.
    pub fn patterns(&mut self, args: &Args, subject: &Subject) -> Result<Vec<PictureSection>> {
        let network = subject.network();
        let [height, width, _] = network.input();
        let side = args.pattern_side.unwrap_or(PATTERN_SIDE.min(height).min(width));
        let mut sections = Vec::new();
        for layer in
            all_layers(args, subject)?.into_iter().filter(|layer| args.layer.contains(&layer.name) || computes(layer))
        {
            let filters: Vec<usize> = (0..layer.shape[2].min(args.filters)).collect();
            let mut pictures = Vec::new();
            for recipe in &args.recipe {
                let (what, title) = match recipe {
                    Recipe::Book => ("patterns-book", "the book's recipe"),
                    Recipe::Regularized => ("patterns", "regularized"),
                };
                let pattern = recipe.pattern(side, Seed::new(args.seed));
                let compute = || pattern.of(&network, &subject.colors(), &layer.name, &filters);
                pictures.push(self.make(what, Some(&layer.name), compute, |found| {
                    let patterns: Vec<Image> = found.into_iter().map(|found| found.picture).collect();
                    let which = first_of(filters.len(), layer.shape[2], "filters");
                    (tiles(&patterns, 1), format!("{which}, {title}"))
                })?);
            }
            let heading = format!("What the filters of {} answer to", layer.name);
            let note = "Found by climbing the gradient of a filter's mean output from gray noise. A black one answers to nothing \
                        there."
                .to_owned();
            sections.push(PictureSection { heading, note, pictures });
        }
        Ok(sections)
    }

    /// Writes a picture that is put together of others.
    pub fn put(&mut self, what: &str, image: &Image, seconds: f64) -> Result<()> {
        let file = format!("{what}.png");
        self.write(&file, image)?;
        self.made.push(Made { what: what.to_owned(), layer: None, file, seconds });
        Ok(())
    }
}

/// A picture for the page.
pub fn on_page(image: &Image, caption: String) -> Result<PagePicture> {
    Ok(PagePicture { caption, jpeg: encode_jpeg(image, PAGE_QUALITY)? })
}

/// Which of all channels or filters are shown.
fn first_of(shown: usize, all: usize, what: &str) -> String {
    let all_of_them = count(all as u64);
    if shown < all { format!("the first {shown} of {all_of_them} {what}") } else { format!("{all_of_them} {what}") }
}

/// Names that do not exist, settings out of their range and patterns too small for a layer are bad use.
fn of_use(error: ExplainError) -> anyhow::Error {
    match error {
        ExplainError::Network(NnError::Layer { .. } | NnError::Shape { .. }) => BadUse::from_error(error),
        ExplainError::Network(_) => error.into(),
        _ => BadUse::from_error(error),
    }
}

/// The layers that class activation maps are made of.
pub fn class_layers(args: &Args, subject: &Subject) -> Result<Vec<PictureLayer>> {
    let network = subject.network();
    if args.layer.is_empty() {
        return Ok(vec![network.last_layer().map_err(of_use)?]);
    }
    args.layer.iter().map(|name| network.layer(name).map_err(of_use)).collect()
}

/// The layers that are shown whole: the named ones, or all outside of blocks.
fn all_layers(args: &Args, subject: &Subject) -> Result<Vec<PictureLayer>> {
    if !args.layer.is_empty() {
        return class_layers(args, subject);
    }
    let layers = subject.network().layers().into_iter();
    Ok(layers.filter(|layer| layer.depth == 0 && !layer.kind.contains("Dropout")).collect())
}

/// Whether a layer has filters of its own, or a block's.
fn computes(layer: &PictureLayer) -> bool {
    layer.kind.contains("Conv2d") || layer.kind == "Residual"
}

/// A map over an image, both enlarged.
fn over(image: &Image, map: &HeatMap, range: [f32; 2], colors: ColorMap) -> Image {
    let image = enlarged(image, MAP_SIDE);
    let map = map.resized(image.height(), image.width());
    Overlay { image: Some(&image), values: map.values(), size: image.size(), range, colors }.draw()
}

/// An image of several with what speaks for `class` in it, and what stands under it.
pub fn mapped(args: &Args, subject: &Subject, seen: &Seen, class: usize) -> Result<(Image, String)> {
    let layer = class_layers(args, subject)?.swap_remove(0);
    let map = ClassMap::GradCam.of(&subject.network(), &seen.tensor, &layer.name, class).map_err(of_use)?;
    let what = if map.range()[1] > 0.0 { "speaks for" } else { "nothing speaks for" };
    Ok((over(&seen.image, &map, of_largest(&map), args.colors.into()), format!("{what} {}", subject.classes[class])))
}

/// An image as large as it is under a map.
pub fn unmapped(image: &Image) -> Image {
    without_scale(&enlarged(image, MAP_SIDE))
}

/// A map that is a picture of its own.
fn alone(map: &HeatMap, range: [f32; 2], colors: ColorMap) -> Image {
    let size = enlarged(&Image::filled(map.width(), map.height(), [0; 3]), MAP_SIDE).size();
    let map = map.resized(size.height, size.width);
    Overlay { image: None, values: map.values(), size, range, colors }.draw()
}

/// From 0 to the largest number.
fn of_largest(map: &HeatMap) -> [f32; 2] {
    [0.0, map.range()[1]]
}

fn caption_of(title: &str, map: &HeatMap) -> String {
    if map.range()[1] > 0.0 { title.to_owned() } else { format!("{title}: nothing speaks for it") }
}

/// A channel that is not larger than its place.
fn reduced(picture: &Image) -> Image {
    let most = TILE_SIDES[1];
    let longer = picture.width().max(picture.height());
    if longer <= most {
        return picture.clone();
    }
    let scale = |length: usize| (length * most / longer).max(1);
    resize(picture, Size { width: scale(picture.width()), height: scale(picture.height()) })
}

/// The number that so many percent of `values` do not exceed.
fn percentile(values: &[f32], percent: usize) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_leaves_the_few_largest_out() {
        let values: Vec<f32> = (0..100).rev().map(|value| value as f32).collect();
        assert_eq!([percentile(&values, 99), percentile(&values, 50), percentile(&[], 99)], [99.0, 50.0, 0.0]);
    }

    #[test]
    fn what_is_left_out_of_a_picture_is_said() {
        assert_eq!(first_of(128, 1152, "channels"), "the first 128 of 1,152 channels");
        assert_eq!(first_of(32, 32, "channels"), "32 channels");
    }

    #[test]
    fn layers_become_names_of_files() {
        assert_eq!(file_part("blocks.1.0/conv dw"), "blocks.1.0_conv_dw");
    }
}

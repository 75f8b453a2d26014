//! The table of albumentations, in Python or as `A.save` writes them: names of 1.3 to 2.0, defaults of either end.

mod colors;
mod degradation;
mod geometry;
mod occlusion;

use super::TranslateError;
use super::call::{Arguments, Call, Value};
use super::draft::{Draft, Group};
use super::preprocessing::normalize;
use crate::{CountRange, Step, TransformConfig};

/// Whose defaults stand for arguments that are left out; their names are understood in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlbumentationsVersion {
    /// albumentations 1.3 and 1.4.0.
    Albumentations1,
    /// albumentations 2.0.
    Albumentations2,
}

/// Our steps for a `Compose`.
pub(super) fn translate(
    call: &Call,
    version: AlbumentationsVersion,
    draft: &mut Draft,
) -> Result<Group, TranslateError> {
    Table { version, draft }.one(call)
}

/// The way from a call to our steps.
struct Table<'a> {
    version: AlbumentationsVersion,
    draft: &'a mut Draft,
}

impl Table<'_> {
    fn one(&mut self, call: &Call) -> Result<Group, TranslateError> {
        match call.short_name() {
            "Compose" => self.sequence(call, 1.0),
            "Sequential" => self.sequence(call, 0.5),
            "OneOf" => self.one_of(call),
            "OneOrOther" => self.one_or_other(call),
            "SomeOf" | "RandomOrder" => self.some_of(call),
            "HorizontalFlip" => self.plain(call, TransformConfig::HorizontalFlip {}),
            "VerticalFlip" => self.plain(call, TransformConfig::VerticalFlip {}),
            "RandomRotate90" => self.plain(call, TransformConfig::QuarterTurns {}),
            "Rotate" => self.rotate(call),
            "ShiftScaleRotate" => self.shift_scale_rotate(call),
            "Affine" => self.affine(call),
            "ElasticTransform" => self.elastic(call),
            "RandomCrop" => self.crop(call),
            "RandomResizedCrop" => self.resized_crop(call),
            "Resize" => self.resize(call),
            "ColorJitter" => self.color_jitter(call),
            "RandomBrightnessContrast" => self.brightness_contrast(call),
            "RandomGamma" => self.gamma(call),
            "ToGray" => self.plain(call, TransformConfig::Grayscale {}),
            "InvertImg" => self.plain(call, TransformConfig::Invert {}),
            "CLAHE" => self.clahe(call),
            "GaussianBlur" => self.gaussian_blur(call),
            "MotionBlur" => self.motion_blur(call),
            "GaussNoise" => self.gauss_noise(call),
            "SaltAndPepper" => self.salt_and_pepper(call),
            "ShotNoise" => self.shot_noise(call),
            "ImageCompression" | "JpegCompression" => self.compression(call),
            "Downscale" => self.downscale(call),
            "CoarseDropout" => self.coarse_dropout(call),
            "Cutout" => self.cutout(call),
            "GridDropout" => self.grid_dropout(call),
            "Erasing" => self.erasing(call),
            _ => self.preprocessing(call),
        }
    }

    /// All transforms, in order.
    fn sequence(&mut self, call: &Call, usual: f64) -> Result<Group, TranslateError> {
        let parameters = ["transforms", "bbox_params", "keypoint_params", "additional_targets", "p", "is_check_shapes"];
        let later = ["strict", "mask_interpolation", "seed", "save_applied_params", "telemetry", "is_check_args"];
        let parameters = if call.short_name() == "Compose" { parameters.as_slice() } else { &["transforms", "p"] };
        let arguments = call.bind(&[parameters, &later].concat())?;
        let steps = self.each(&arguments)?.into_iter().flat_map(Group::into_steps).collect();
        Ok(Group::certain(steps).with_probability(arguments.number("p", usual)?))
    }

    /// A choice by the transforms' own probabilities; the chosen one is certain to be drawn.
    fn one_of(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let arguments = call.bind(&["transforms", "p"])?;
        let (weights, steps) = forced(self.each(&arguments)?);
        let weights = weights.iter().any(|weight| *weight != weights[0]).then_some(weights);
        self.draft.exact("OneOf");
        Ok(Group::one(TransformConfig::OneOf { steps, weights }, arguments.number("p", 0.5)?))
    }

    /// The first transform for a share `p` of pictures, and the last one for the others.
    fn one_or_other(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let arguments = call.bind(&["first", "second", "transforms", "p"])?;
        let groups = match (arguments.value("first"), arguments.value("second")) {
            (Some(first), Some(second)) => vec![self.value(first)?, self.value(second)?],
            _ => self.each(&arguments)?,
        };
        let (_, mut steps) = forced(groups);
        if steps.len() != 2 {
            return Err(arguments.unexpected("transforms", "two transforms"));
        }
        let first = arguments.number("p", 0.5)?;
        let weights = (first != 0.5).then(|| vec![first, 1.0 - first]);
        self.draft.exact("OneOrOther");
        Ok(Group::one(TransformConfig::OneOf { steps: std::mem::take(&mut steps), weights }, 1.0))
    }

    /// `n` of the transforms. In 2.0 each is then drawn by its own probability; in 1 the probability weighs the choice.
    fn some_of(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let name = call.short_name();
        let arguments = call.bind(&["transforms", "n", "replace", "p"])?;
        let groups = self.each(&arguments)?;
        let is_old = self.version == AlbumentationsVersion::Albumentations1;
        let even = groups.iter().all(|group| group.probability == groups[0].probability);
        let steps: Vec<Step> =
            if is_old { forced(groups).1 } else { groups.into_iter().map(Group::into_step).collect() };
        let count = arguments.number("n", 1.0)?.clamp(0.0, steps.len() as f64) as usize;
        if arguments.truth("replace", is_old)? && count > 1 {
            self.draft.approximate(name, "no transform is chosen twice");
        }
        if is_old && !even {
            self.draft.approximate(name, "all transforms are chosen as often");
        }
        if name == "RandomOrder" || is_old && count > 1 {
            self.draft.approximate(name, "the chosen transforms act in the order in which they are written");
        } else {
            self.draft.exact(name);
        }
        let some = TransformConfig::SomeOf { steps, count: CountRange::Exactly(count) };
        Ok(Group::one(some, arguments.number("p", 1.0)?))
    }

    /// The transforms in the argument `transforms`.
    fn each(&mut self, arguments: &Arguments<'_>) -> Result<Vec<Group>, TranslateError> {
        let Some(Value::Sequence(transforms)) = arguments.value("transforms") else {
            return Err(arguments.unexpected("transforms", "a list of transforms"));
        };
        transforms.iter().map(|transform| self.value(transform)).collect()
    }

    fn value(&mut self, transform: &Value) -> Result<Group, TranslateError> {
        match transform {
            Value::Call(call) => self.one(call),
            other => {
                self.draft.no_equal(&other.to_string(), "only calls are read");
                Ok(Group::none())
            }
        }
    }

    /// A transform of which only its probability is read.
    fn plain(&mut self, call: &Call, transform: TransformConfig) -> Result<Group, TranslateError> {
        let arguments = call.bind(&["p", "always_apply", "num_output_channels", "method"])?;
        self.draft.exact(call.short_name());
        Ok(Group::one(transform, share(&arguments, 0.5)?))
    }

    /// The arguments of a call by name, whose parameters stand in another order in each version.
    fn bind<'c>(
        &self,
        call: &'c Call,
        old: &[&'static str],
        new: &[&'static str],
    ) -> Result<Arguments<'c>, TranslateError> {
        let probability: &[&str] = &["always_apply", "p"];
        call.bind(&match self.version {
            AlbumentationsVersion::Albumentations1 => [old, probability, new].concat(),
            AlbumentationsVersion::Albumentations2 => [new, &["p"], old, probability].concat(),
        })
    }

    /// A default that both versions have differently.
    fn usual<T>(&self, old: T, new: T) -> T {
        match self.version {
            AlbumentationsVersion::Albumentations1 => old,
            AlbumentationsVersion::Albumentations2 => new,
        }
    }

    /// What our preprocessing does, or nothing here.
    fn preprocessing(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let name = call.short_name();
        match name {
            "ToFloat" => {
                let white = call.bind(&["max_value", "always_apply", "p"])?.number("max_value", 255.0)?;
                if white == 255.0 {
                    self.draft.done_anyway(name);
                } else {
                    let factor = white.recip();
                    self.draft
                        .preprocessing(name, &format!("normalization = {{ rescale = {{ factor = {factor:?} }} }}"));
                }
            }
            "ToTensorV2" => self.draft.done_anyway(name),
            "Normalize" => self.normalize(call)?,
            _ => self.draft.no_equal(name, "it is not translated; the page about augmentation lists what there is"),
        }
        Ok(Group::none().with_probability(call.named_number("p").unwrap_or(0.5)))
    }

    fn normalize(&mut self, call: &Call) -> Result<(), TranslateError> {
        let arguments =
            self.bind(call, &["mean", "std", "max_pixel_value"], &["mean", "std", "max_pixel_value", "normalization"])?;
        let scale = arguments.number("max_pixel_value", 255.0)? / 255.0;
        let scaled = |name, usual: [f64; 3]| -> Result<Vec<f64>, TranslateError> {
            let numbers = arguments.numbers(name)?.unwrap_or_else(|| usual.to_vec());
            Ok(numbers.iter().map(|number| number * scale).collect())
        };
        match arguments.word("normalization", "standard")?.as_str() {
            "standard" => {
                let (mean, std) = (scaled("mean", [0.485, 0.456, 0.406])?, scaled("std", [0.229, 0.224, 0.225])?);
                normalize(&mean, &std, self.draft);
            }
            "image" => {
                self.draft.preprocessing("Normalize", "normalization = { samplewise = { center = true, std = true } }");
            }
            other => self.draft.no_equal("Normalize", &format!("no normalization of [preprocessing] does {other}")),
        }
        Ok(())
    }
}

/// Own probabilities as weights, and the steps as they are drawn once they are chosen.
fn forced(groups: Vec<Group>) -> (Vec<f64>, Vec<Step>) {
    groups.into_iter().map(|group| (group.probability, group.with_probability(1.0).into_step())).unzip()
}

/// The share of pictures that a transform is drawn for.
fn share(arguments: &Arguments<'_>, usual: f64) -> Result<f64, TranslateError> {
    if arguments.truth("always_apply", false)? { Ok(1.0) } else { arguments.number("p", usual) }
}

/// Nothing, which is chosen as often as what it stands for.
fn nothing(arguments: &Arguments<'_>) -> Result<Group, TranslateError> {
    Ok(Group::none().with_probability(share(arguments, 0.5)?))
}

/// A range that one number gives to both sides: 30 is from -30 to 30.
fn limits(arguments: &Arguments<'_>, name: &str, usual: f64) -> Result<(f64, f64), TranslateError> {
    arguments.pair(name, (-usual, usual), |limit| (-limit, limit))
}

/// The first of several names of one argument that is given, or else the last.
fn given(arguments: &Arguments<'_>, names: &[&'static str]) -> &'static str {
    let name = names.iter().find(|name| arguments.value(name).is_some()).or(names.last());
    name.copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::Library;
    use super::super::tests::check;
    use super::*;

    const OLD: Library = Library::Albumentations(AlbumentationsVersion::Albumentations1);
    const NEW: Library = Library::Albumentations(AlbumentationsVersion::Albumentations2);

    #[test]
    fn a_choice_weighs_by_the_probabilities_and_draws_for_certain() {
        check(
            NEW,
            "OneOf([HorizontalFlip(), GaussNoise(p=0.25)])",
            &[
                r#"{"transform":"one-of","steps":[{"transform":"horizontal-flip","probability":1.0},{"transform":"gaussian-noise","sigma-levels":[51.0,112.2]}],"weights":[0.5,0.25],"probability":0.5}"#,
                "exact: HorizontalFlip",
                "exact: GaussNoise",
                "exact: OneOf",
            ],
        );
        check(
            NEW,
            "OneOf([MedianBlur(), InvertImg()], p=1)",
            &[
                r#"{"transform":"one-of","steps":[{"transform":"sequence","steps":[]},{"transform":"invert"}]}"#,
                "no equal: MedianBlur: it is not translated; the page about augmentation lists what there is",
                "exact: InvertImg",
                "exact: OneOf",
            ],
        );
        check(
            NEW,
            "OneOrOther(ToGray(), InvertImg(), p=0.3)",
            &[
                r#"{"transform":"one-of","steps":[{"transform":"grayscale"},{"transform":"invert"}],"weights":[0.3,0.7]}"#,
                "exact: ToGray",
                "exact: InvertImg",
                "exact: OneOrOther",
            ],
        );
    }

    #[test]
    fn some_transforms_keep_their_probabilities() {
        check(
            NEW,
            "SomeOf([ToGray(), InvertImg(p=0.1)], n=2)",
            &[
                r#"{"transform":"some-of","steps":[{"transform":"grayscale","probability":0.5},{"transform":"invert","probability":0.1}],"count":2}"#,
                "exact: ToGray",
                "exact: InvertImg",
                "exact: SomeOf",
            ],
        );
        check(
            NEW,
            "RandomOrder([ToGray(), InvertImg(p=0.1)], n=5)",
            &[
                r#"{"transform":"some-of","steps":[{"transform":"grayscale","probability":0.5},{"transform":"invert","probability":0.1}],"count":2}"#,
                "exact: ToGray",
                "exact: InvertImg",
                "approximate: RandomOrder: the chosen transforms act in the order in which they are written",
            ],
        );
        check(
            NEW,
            "Sequential([ToGray(p=1), InvertImg()])",
            &[
                r#"{"transform":"sequence","steps":[{"transform":"grayscale"},{"transform":"invert","probability":0.5}],"probability":0.5}"#,
                "exact: ToGray",
                "exact: InvertImg",
            ],
        );
    }

    #[test]
    fn defaults_of_motions_and_colors_are_those_of_the_new_version() {
        check(NEW, "Rotate()", &[r#"{"transform":"rotation","degrees":90.0,"probability":0.5}"#, "exact: Rotate"]);
        check(
            NEW,
            "ColorJitter()",
            &[
                r#"{"transform":"sequence","steps":[{"transform":"brightness","amount":0.2},{"transform":"contrast-about-mean","amount":0.2},{"transform":"saturation","amount":0.2},{"transform":"hue","turns":0.5}],"probability":0.5}"#,
                "exact: ColorJitter.brightness",
                "exact: ColorJitter.contrast",
                "exact: ColorJitter.saturation",
                "exact: ColorJitter.hue",
                "approximate: ColorJitter: its parts act in the order of its arguments, not in a random one",
            ],
        );
        check(
            NEW,
            "ElasticTransform()",
            &[
                r#"{"transform":"elastic","alpha-pixels":0.39,"sigma-pixels":50.0,"probability":0.5}"#,
                "approximate: ElasticTransform: uniform numbers, smoothed, of the strength that normal ones over their largest have at 224 pixels",
            ],
        );
        check(
            NEW,
            "ElasticTransform(alpha=34, sigma=4, noise_distribution='uniform', same_dxdy=True, p=1)",
            &[
                r#"{"transform":"elastic","alpha-pixels":34.0,"sigma-pixels":4.0}"#,
                "approximate: ElasticTransform.same_dxdy: both directions have fields of their own",
                "approximate: ElasticTransform: the field is as strong at the edges as in the middle",
            ],
        );
        check(
            NEW,
            "CLAHE()",
            &[
                r#"{"transform":"clahe","clip-limits":[1.0,4.0],"tiles":8,"probability":0.5}"#,
                "approximate: CLAHE: it equalizes the luma, albumentations the lightness of CIELAB",
            ],
        );
        check(
            NEW,
            "CLAHE(2, (4, 6))",
            &[
                r#"{"transform":"clahe","clip-limits":[1.0,2.0],"tiles":4,"probability":0.5}"#,
                "approximate: CLAHE.tile_grid_size: 4 tiles in both directions",
                "approximate: CLAHE: it equalizes the luma, albumentations the lightness of CIELAB",
            ],
        );
    }

    #[test]
    fn defaults_of_degradations_are_those_of_the_new_version() {
        check(
            NEW,
            "ImageCompression()",
            &[
                r#"{"transform":"jpeg","quality":[99,100],"probability":0.5}"#,
                "approximate: ImageCompression: colors keep their full resolution, in OpenCV's files half of it",
            ],
        );
        check(
            NEW,
            "ImageCompression(quality_lower=40, quality_upper=90, p=1)",
            &[
                r#"{"transform":"jpeg","quality":[40,90]}"#,
                "approximate: ImageCompression: colors keep their full resolution, in OpenCV's files half of it",
            ],
        );
        check(
            NEW,
            "ImageCompression(quality_range=(40, 90), compression_type='webp')",
            &["no equal: ImageCompression: pictures are stored as JPEG alone"],
        );
        check(
            NEW,
            "GaussNoise()",
            &[r#"{"transform":"gaussian-noise","sigma-levels":[51.0,112.2],"probability":0.5}"#, "exact: GaussNoise"],
        );
        check(
            NEW,
            "GaussNoise(var_limit=(16, 100))",
            &[
                r#"{"transform":"gaussian-noise","sigma-levels":[4.0,10.0],"probability":0.5}"#,
                "approximate: GaussNoise: the standard deviation is drawn evenly, not the variance",
            ],
        );
        check(
            NEW,
            "SaltAndPepper()",
            &[
                r#"{"transform":"salt-and-pepper","fraction":[0.01,0.06],"probability":0.5}"#,
                "approximate: SaltAndPepper: black and white are as likely, and every pixel is drawn by itself",
            ],
        );
        check(
            NEW,
            "ShotNoise()",
            &[
                r#"{"transform":"shot-noise","photons-at-white":[3.333333333,10.0],"probability":0.5}"#,
                "approximate: ShotNoise: photons are counted in levels, not in linear light, and their number is drawn evenly, not its inverse",
            ],
        );
        check(
            NEW,
            "MotionBlur()",
            &[
                r#"{"transform":"motion-blur","length-pixels":[3.0,7.0],"probability":0.5}"#,
                "approximate: MotionBlur: lines are centered on their pixel and as long as the window, of a length that is drawn evenly",
            ],
        );
        check(
            NEW,
            "GaussianBlur()",
            &[
                r#"{"transform":"gaussian-blur","sigma-pixels":[0.5,3.0],"probability":0.5}"#,
                "approximate: GaussianBlur: the window follows from sigma, whatever blur_limit says",
            ],
        );
        check(
            NEW,
            "GaussianBlur(blur_limit=(3, 5), sigma_limit=0)",
            &[
                r#"{"transform":"gaussian-blur","sigma-pixels":[0.8,1.1],"probability":0.5}"#,
                "approximate: GaussianBlur: sigma is drawn evenly from those of the windows",
            ],
        );
        check(
            NEW,
            "Downscale()",
            &[
                r#"{"transform":"downscale","fraction":[0.25,0.25],"probability":0.5}"#,
                "approximate: Downscale: areas are averaged, and enlarged by repeating pixels",
            ],
        );
    }

    #[test]
    fn holes_are_fractions_of_a_picture_whose_size_is_known() {
        check(
            NEW,
            "CoarseDropout()",
            &[
                r#"{"transform":"some-of","steps":[{"transform":"erasing","areas":[0.01,0.04],"aspect-ratios":[0.5,2.0],"cover":{"color":[0,0,0]}},{"transform":"erasing","areas":[0.01,0.04],"aspect-ratios":[0.5,2.0],"cover":{"color":[0,0,0]}}],"count":[1,2],"probability":0.5}"#,
                "approximate: CoarseDropout: areas and aspect ratios are drawn, not heights and widths",
            ],
        );
        check(
            NEW,
            "Resize(100, 200), CoarseDropout(num_holes_range=(3, 3), hole_height_range=(10, 10), hole_width_range=(20, 20), fill='random', p=1)",
            &[
                r#"{"transform":"erasing","areas":[0.01,0.01],"aspect-ratios":[1.0,1.0],"cover":"noise"}"#,
                r#"{"transform":"erasing","areas":[0.01,0.01],"aspect-ratios":[1.0,1.0],"cover":"noise"}"#,
                r#"{"transform":"erasing","areas":[0.01,0.01],"aspect-ratios":[1.0,1.0],"cover":"noise"}"#,
                "no equal: Resize: pictures are resized to the model's input, aspect ratio not kept",
                "exact: CoarseDropout",
            ],
        );
        check(
            NEW,
            "CoarseDropout(max_holes=2)",
            &[
                "no equal: CoarseDropout: it is in pixels, and nothing before says the picture's size; sizes are fractions here",
            ],
        );
        check(
            NEW,
            "CoarseDropout(fill='inpaint_ns')",
            &["no equal: CoarseDropout: holes are one color or noise, never inpainted"],
        );
        check(
            NEW,
            "Resize(64, 64), Cutout(num_holes=1, max_h_size=16, max_w_size=16)",
            &[
                r#"{"transform":"cutout","side-fraction":0.25,"cover":{"color":[0,0,0]},"probability":0.5}"#,
                "no equal: Resize: pictures are resized to the model's input, aspect ratio not kept",
                "exact: Cutout",
            ],
        );
        check(
            NEW,
            "GridDropout()",
            &[
                r#"{"transform":"grid-mask","unit-fractions":[0.1,0.1],"keep-fraction":0.5,"max-rotation-degrees":0.0,"cover":{"color":[0,0,0]},"probability":0.5}"#,
                "approximate: GridDropout: the grid is shifted as a whole, not each hole by itself",
            ],
        );
        check(
            NEW,
            "Erasing(fill=(1, 2, 3))",
            &[
                r#"{"transform":"erasing","areas":[0.02,0.33],"aspect-ratios":[0.303030303,3.333333333],"cover":{"color":[1,2,3]},"probability":0.5}"#,
                "approximate: Erasing: ratios of height to width are drawn evenly in their logarithm",
            ],
        );
        check(
            NEW,
            "RandomCrop(28, 28)",
            &[
                "no equal: RandomCrop: nothing before says what it is cut from; `crop` takes a size-fraction, 0.875 for 224 of 256 pixels",
            ],
        );
        check(
            NEW,
            "Resize(32, 32), RandomCrop(28, 28)",
            &[
                r#"{"transform":"crop","size-fraction":0.875,"padding-fraction":0.0}"#,
                "no equal: Resize: pictures are resized to the model's input, aspect ratio not kept",
                "exact: RandomCrop",
            ],
        );
    }

    #[test]
    fn normalizations_are_the_preprocessings() {
        check(
            NEW,
            "ToFloat(max_value=128)",
            &["exact: ToFloat: below [preprocessing], write normalization = { rescale = { factor = 0.0078125 } }"],
        );
        check(NEW, "Normalize()", &[r#"exact: Normalize: below [preprocessing], write normalization = "imagenet""#]);
        check(
            NEW,
            "Normalize(mean=(127.5,), std=(127.5,), max_pixel_value=1)",
            &[
                "exact: Normalize: below [preprocessing], write normalization = { mean-std = { mean = [0.5], std = [0.5] } }",
            ],
        );
        check(
            NEW,
            "Normalize(normalization='image'), ToTensorV2()",
            &[
                "exact: Normalize: below [preprocessing], write normalization = { samplewise = { center = true, std = true } }",
                "exact: ToTensorV2: batches are float32 from 0 to 1 unless [preprocessing] says otherwise",
            ],
        );
        check(
            NEW,
            "Normalize(normalization='min_max')",
            &["no equal: Normalize: no normalization of [preprocessing] does min_max"],
        );
    }

    #[test]
    fn arguments_without_a_name_are_those_of_their_version() {
        let jpeg = r#"{"transform":"jpeg","quality":[40,90],"probability":0.5}"#;
        let note = "approximate: ImageCompression: colors keep their full resolution, in OpenCV's files half of it";
        check(OLD, "ImageCompression(40, 90)", &[jpeg, note]);
        check(NEW, "ImageCompression('jpeg', (40, 90))", &[jpeg, note]);
        let crop = r#"{"transform":"resized-crop","areas":[0.5,1.0],"aspect-ratios":[0.75,1.3333333333333333]}"#;
        let note = "approximate: RandomResizedCrop: the size is that of the model's input";
        check(OLD, "RandomResizedCrop(224, 224, (0.5, 1))", &[crop, note]);
        check(NEW, "RandomResizedCrop((224, 224), (0.5, 1))", &[crop, note]);
        let turn = r#"{"transform":"rotation","degrees":30.0,"probability":0.5}"#;
        check(NEW, "Rotate(30)", &[turn, "exact: Rotate"]);
    }

    #[test]
    fn other_defaults_are_those_of_the_old_version() {
        check(
            OLD,
            "SomeOf([ToGray(), InvertImg(p=0.1)], n=2)",
            &[
                r#"{"transform":"some-of","steps":[{"transform":"grayscale"},{"transform":"invert"}],"count":2}"#,
                "exact: ToGray",
                "exact: InvertImg",
                "approximate: SomeOf: no transform is chosen twice",
                "approximate: SomeOf: all transforms are chosen as often",
                "approximate: SomeOf: the chosen transforms act in the order in which they are written",
            ],
        );
        check(
            OLD,
            "Rotate()",
            &[
                r#"{"transform":"rotation","degrees":90.0,"probability":0.5}"#,
                "approximate: border_mode: the pixel at the edge is repeated when the picture is reflected",
                "exact: Rotate",
            ],
        );
        check(
            OLD,
            "ColorJitter()",
            &[
                r#"{"transform":"sequence","steps":[{"transform":"brightness","amount":0.2},{"transform":"contrast-about-mean","amount":0.2},{"transform":"saturation","amount":0.2},{"transform":"hue","turns":0.2}],"probability":0.5}"#,
                "exact: ColorJitter.brightness",
                "exact: ColorJitter.contrast",
                "exact: ColorJitter.saturation",
                "exact: ColorJitter.hue",
                "approximate: ColorJitter: its parts act in the order of its arguments, not in a random one",
            ],
        );
        check(
            OLD,
            "ElasticTransform()",
            &[
                r#"{"transform":"elastic","alpha-pixels":1.0,"sigma-pixels":50.0,"probability":0.5}"#,
                "approximate: ElasticTransform.alpha_affine: no affine transform comes with it",
                "approximate: border_mode: the pixel at the edge is repeated when the picture is reflected",
                "approximate: ElasticTransform: the field is as strong at the edges as in the middle",
            ],
        );
        check(
            OLD,
            "GaussNoise()",
            &[
                r#"{"transform":"gaussian-noise","sigma-levels":[3.16227766,7.071067812],"probability":0.5}"#,
                "approximate: GaussNoise: the standard deviation is drawn evenly, not the variance",
            ],
        );
        check(
            OLD,
            "GaussianBlur()",
            &[
                r#"{"transform":"gaussian-blur","sigma-pixels":[0.8,1.4],"probability":0.5}"#,
                "approximate: GaussianBlur: sigma is drawn evenly from those of the windows",
            ],
        );
        check(
            OLD,
            "CoarseDropout()",
            &[
                "no equal: CoarseDropout: it is in pixels, and nothing before says the picture's size; sizes are fractions here",
            ],
        );
        check(
            OLD,
            "GridDropout()",
            &[
                r#"{"transform":"grid-mask","unit-fractions":[0.1,0.1],"keep-fraction":0.5,"max-rotation-degrees":0.0,"cover":{"color":[0,0,0]},"probability":0.5}"#,
                "approximate: GridDropout: the grid is shifted at random",
            ],
        );
    }
}

//! The table of torchvision: transforms of `torchvision.transforms` and `torchvision.transforms.v2`, with the names and
//! defaults of 0.20 to 0.29.

mod colors;
mod geometry;
mod policies;

use aumenta_imgproc::{Fill, Interpolation};

use super::TranslateError;
use super::call::{Arguments, Call, Value};
use super::draft::{Draft, Group};
use super::preprocessing::normalize;
use crate::{Cover, Step, TransformConfig};

/// Our steps for a `Compose`.
pub(super) fn translate(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let groups = each(&call.bind(&["transforms"])?, draft)?;
    Ok(Group::certain(groups.into_iter().flat_map(Group::into_steps).collect()))
}

/// The transforms in the argument `transforms`.
fn each(arguments: &Arguments<'_>, draft: &mut Draft) -> Result<Vec<Group>, TranslateError> {
    let Some(Value::Sequence(transforms)) = arguments.value("transforms") else {
        return Err(arguments.unexpected("transforms", "a list of transforms"));
    };
    let each = transforms.iter().map(|transform| match transform {
        Value::Call(call) => one(call, draft),
        other => {
            draft.no_equal(&other.to_string(), "only calls are read");
            Ok(Group::none())
        }
    });
    each.collect()
}

fn one(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let name = call.short_name();
    match name {
        "Compose" => translate(call, draft),
        "RandomApply" => random_apply(call, draft),
        "RandomChoice" => random_choice(call, draft),
        "RandomOrder" => {
            draft.approximate(name, "the transforms act in the order in which they are written");
            translate(call, draft)
        }
        "RandomHorizontalFlip" => sometimes(call, 0.5, TransformConfig::HorizontalFlip {}, draft),
        "RandomVerticalFlip" => sometimes(call, 0.5, TransformConfig::VerticalFlip {}, draft),
        "RandomRotation" => geometry::rotation(call, draft),
        "RandomAffine" => geometry::affine(call, draft),
        "RandomPerspective" => geometry::perspective(call, draft),
        "ElasticTransform" => geometry::elastic(call, draft),
        "RandomCrop" => geometry::crop(call, draft),
        "RandomResizedCrop" => geometry::resized_crop(call, draft),
        "Resize" => geometry::resize(call, draft),
        "ColorJitter" => colors::jitter(call, draft),
        "Grayscale" => colors::grayscale(call, draft),
        "RandomGrayscale" => sometimes(call, 0.1, TransformConfig::Grayscale {}, draft),
        "RandomInvert" => sometimes(call, 0.5, TransformConfig::Invert {}, draft),
        "RandomEqualize" => sometimes(call, 0.5, TransformConfig::Equalize {}, draft),
        "RandomAutocontrast" => sometimes(call, 0.5, TransformConfig::Autocontrast { cutoff_percent: 0.0 }, draft),
        "RandomPosterize" => colors::posterize(call, draft),
        "RandomSolarize" => colors::solarize(call, draft),
        "RandomAdjustSharpness" => colors::sharpness(call, draft),
        "GaussianBlur" => gaussian_blur(call, draft),
        "GaussianNoise" => gaussian_noise(call, draft),
        "JPEG" => jpeg(call, draft),
        "RandomErasing" => erasing(call, draft),
        "RandAugment" => policies::rand_augment(call, draft),
        "TrivialAugmentWide" => policies::trivial_augment_wide(call, draft),
        "AutoAugment" => policies::auto_augment(call, draft),
        "AugMix" => policies::aug_mix(call, draft),
        _ => preprocessing(call, draft),
    }
}

fn random_apply(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["transforms", "p"])?;
    let steps = each(&arguments, draft)?.into_iter().flat_map(Group::into_steps).collect();
    Ok(Group::certain(steps).with_probability(arguments.number("p", 0.5)?))
}

fn random_choice(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["transforms", "p"])?;
    let steps: Vec<Step> = each(&arguments, draft)?.into_iter().map(Group::into_step).collect();
    draft.exact("RandomChoice");
    Ok(Group::one(TransformConfig::OneOf { steps, weights: arguments.numbers("p")? }, 1.0))
}

/// A transform whose one argument is its probability.
fn sometimes(call: &Call, usual: f64, transform: TransformConfig, draft: &mut Draft) -> Result<Group, TranslateError> {
    draft.exact(call.short_name());
    Ok(Group::one(transform, call.bind(&["p"])?.number("p", usual)?))
}

fn gaussian_blur(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["kernel_size", "sigma"])?;
    let (low, high) = arguments.pair("sigma", (0.1, 2.0), |sigma| (sigma, sigma))?;
    draft.approximate("GaussianBlur", "the window follows from sigma, whatever the kernel's size");
    Ok(Group::one(TransformConfig::GaussianBlur { sigma_pixels: [low, high] }, 1.0))
}

fn gaussian_noise(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["mean", "sigma", "clip"])?;
    let sigma_levels = 255.0 * arguments.number("sigma", 0.1)?;
    if arguments.number("mean", 0.0)? == 0.0 && arguments.truth("clip", true)? {
        draft.approximate("GaussianNoise", "values are rounded to 8 bits");
    } else {
        draft.approximate("GaussianNoise", "its mean is 0, and values are clipped and rounded to 8 bits");
    }
    Ok(Group::one(TransformConfig::GaussianNoise { sigma_levels: [sigma_levels; 2] }, 1.0))
}

fn jpeg(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let (low, high) = call.bind(&["quality"])?.pair("quality", (75.0, 75.0), |quality| (quality, quality))?;
    draft.approximate("JPEG", "colors keep their full resolution, in torchvision's files half of it");
    Ok(Group::one(TransformConfig::Jpeg { quality: [low as u8, high as u8] }, 1.0))
}

fn erasing(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["p", "scale", "ratio", "value", "inplace"])?;
    let areas = arguments.pair("scale", (0.02, 0.33), |area| (area, area))?;
    let ratios = arguments.pair("ratio", (0.3, 3.3), |ratio| (ratio, ratio))?;
    let is_noise = matches!(arguments.value("value"), Some(Value::Text(_)));
    let cover = if is_noise {
        draft.approximate("RandomErasing", "its noise is uniform, and painted before the normalization");
        Cover::Noise
    } else {
        let color = arguments.color("value", 255.0)?.unwrap_or_default();
        draft.approximate("RandomErasing", "its value is painted before the normalization, as a part of white");
        Cover::Color(color)
    };
    let [areas, aspect_ratios] = [areas, ratios].map(<[f64; 2]>::from);
    Ok(Group::one(TransformConfig::Erasing { areas, aspect_ratios, cover }, arguments.number("p", 0.5)?))
}

/// What our preprocessing does, or nothing here.
fn preprocessing(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let name = call.short_name();
    match name {
        "ToDtype" if !call.bind(&["dtype", "scale"])?.truth("scale", false)? => {
            draft.preprocessing(name, "normalization = { rescale = { factor = 1.0 } }");
        }
        "ToTensor" | "PILToTensor" | "ToImage" | "ToImageTensor" | "ToDtype" | "ToPureTensor" | "ConvertImageDtype"
        | "ConvertDtype" => draft.done_anyway(name),
        "Normalize" => {
            let arguments = call.bind(&["mean", "std", "inplace"])?;
            match (arguments.numbers("mean")?, arguments.numbers("std")?) {
                (Some(mean), Some(std)) => normalize(&mean, &std, draft),
                _ => return Err(arguments.unexpected("mean", "a mean and a standard deviation")),
            }
        }
        _ => draft.no_equal(name, "it is not translated; the page about augmentation lists what there is"),
    }
    Ok(Group::none())
}

/// What an interpolation and a fill say; torchvision's fill is black where it is left out.
fn resampling(arguments: &Arguments<'_>, usual: &str, draft: &mut Draft) -> Result<(), TranslateError> {
    interpolation(arguments, usual, draft)?;
    draft.fill("fill", Fill::Constant(arguments.color("fill", 1.0)?.unwrap_or_default()));
    Ok(())
}

fn interpolation(arguments: &Arguments<'_>, usual: &str, draft: &mut Draft) -> Result<(), TranslateError> {
    let interpolation = match arguments.word("interpolation", usual)?.as_str() {
        "nearest" | "nearest_exact" => Interpolation::Nearest,
        "bilinear" => Interpolation::Bilinear,
        "bicubic" => Interpolation::Bicubic,
        _ => return Err(arguments.unexpected("interpolation", "nearest, bilinear or bicubic")),
    };
    draft.interpolation("interpolation", interpolation);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Library::Torchvision;
    use super::super::tests::check;

    #[test]
    fn choices_and_orders_become_steps_of_steps() {
        check(
            Torchvision,
            "RandomChoice([RandomHorizontalFlip(), RandomApply([RandomInvert(p=1), Grayscale(3)], p=0.3)], p=[0.8, 0.2])",
            &[
                r#"{"transform":"one-of","steps":[{"transform":"horizontal-flip"},{"transform":"sequence","steps":[{"transform":"invert"},{"transform":"grayscale"}],"probability":0.3}],"weights":[0.8,0.2]}"#,
                "exact: RandomHorizontalFlip",
                "exact: RandomInvert",
                "exact: Grayscale",
                "exact: RandomChoice",
            ],
        );
        check(
            Torchvision,
            "RandomOrder([RandomEqualize(), RandomAutocontrast(p=0.2)])",
            &[
                r#"{"transform":"equalize","probability":0.5}"#,
                r#"{"transform":"autocontrast","cutoff-percent":0.0,"probability":0.2}"#,
                "approximate: RandomOrder: the transforms act in the order in which they are written",
                "exact: RandomEqualize",
                "exact: RandomAutocontrast",
            ],
        );
    }

    #[test]
    fn a_crop_in_pixels_becomes_fractions_of_what_it_is_cut_from() {
        check(
            Torchvision,
            "RandomCrop(32, padding=4)",
            &[
                r#"{"transform":"crop","size-fraction":1.0,"padding-fraction":0.125}"#,
                "approximate: RandomCrop: the picture is taken to be as large as the window",
            ],
        );
        check(
            Torchvision,
            "Resize(256), RandomCrop(224)",
            &[
                r#"{"transform":"crop","size-fraction":0.875,"padding-fraction":0.0}"#,
                "no equal: Resize: pictures are resized to the model's input, aspect ratio not kept",
                "exact: RandomCrop",
            ],
        );
        check(
            Torchvision,
            "RandomCrop(224)",
            &[
                "no equal: RandomCrop: nothing before says what it is cut from; `crop` takes a size-fraction, 0.875 for 224 of 256 pixels",
            ],
        );
        check(
            Torchvision,
            "Resize(256), RandomCrop((224, 192), padding=(1, 2), padding_mode='reflect')",
            &[
                r#"{"transform":"crop","size-fraction":0.75,"padding-fraction":0.0078125}"#,
                "no equal: Resize: pictures are resized to the model's input, aspect ratio not kept",
                "approximate: RandomCrop: the padding is the largest one on each side",
                "approximate: padding_mode: the pixel at the edge is repeated when the picture is reflected",
                "approximate: RandomCrop: width and height have the same fractions, those of the width",
            ],
        );
    }

    #[test]
    fn an_elastic_transform_has_half_of_alpha_in_pixels() {
        check(
            Torchvision,
            "ElasticTransform()",
            &[
                r#"{"transform":"elastic","alpha-pixels":25.0,"sigma-pixels":5.0}"#,
                "approximate: ElasticTransform: the same field in pixels, half of alpha, but as strong at the edges",
            ],
        );
        check(
            Torchvision,
            "ElasticTransform(alpha=[40., 60.], sigma=3.0, fill=9)",
            &[
                r#"{"transform":"elastic","alpha-pixels":20.0,"sigma-pixels":3.0}"#,
                "approximate: ElasticTransform: the field is as strong and as smooth in both directions",
                "approximate: ElasticTransform: the same field in pixels, half of alpha, but as strong at the edges",
            ],
        );
    }

    #[test]
    fn what_degrades_and_hides_has_names_here() {
        check(
            Torchvision,
            "GaussianNoise()",
            &[
                r#"{"transform":"gaussian-noise","sigma-levels":[25.5,25.5]}"#,
                "approximate: GaussianNoise: values are rounded to 8 bits",
            ],
        );
        check(
            Torchvision,
            "GaussianNoise(mean=0.1, sigma=0.2)",
            &[
                r#"{"transform":"gaussian-noise","sigma-levels":[51.0,51.0]}"#,
                "approximate: GaussianNoise: its mean is 0, and values are clipped and rounded to 8 bits",
            ],
        );
        check(
            Torchvision,
            "JPEG((40, 90))",
            &[
                r#"{"transform":"jpeg","quality":[40,90]}"#,
                "approximate: JPEG: colors keep their full resolution, in torchvision's files half of it",
            ],
        );
        check(
            Torchvision,
            "JPEG(50)",
            &[
                r#"{"transform":"jpeg","quality":[50,50]}"#,
                "approximate: JPEG: colors keep their full resolution, in torchvision's files half of it",
            ],
        );
        check(
            Torchvision,
            "GaussianBlur(5)",
            &[
                r#"{"transform":"gaussian-blur","sigma-pixels":[0.1,2.0]}"#,
                "approximate: GaussianBlur: the window follows from sigma, whatever the kernel's size",
            ],
        );
        check(
            Torchvision,
            "RandomErasing()",
            &[
                r#"{"transform":"erasing","areas":[0.02,0.33],"aspect-ratios":[0.3,3.3],"cover":{"color":[0,0,0]},"probability":0.5}"#,
                "approximate: RandomErasing: its value is painted before the normalization, as a part of white",
            ],
        );
        check(
            Torchvision,
            "RandomErasing(value=(0.5, 0.25, 1))",
            &[
                r#"{"transform":"erasing","areas":[0.02,0.33],"aspect-ratios":[0.3,3.3],"cover":{"color":[128,64,255]},"probability":0.5}"#,
                "approximate: RandomErasing: its value is painted before the normalization, as a part of white",
            ],
        );
        check(
            Torchvision,
            "RandomErasing(value='random')",
            &[
                r#"{"transform":"erasing","areas":[0.02,0.33],"aspect-ratios":[0.3,3.3],"cover":"noise","probability":0.5}"#,
                "approximate: RandomErasing: its noise is uniform, and painted before the normalization",
            ],
        );
        check(
            Torchvision,
            "RandomAdjustSharpness(2)",
            &[
                r#"{"transform":"sharpness","amount":1.0,"probability":0.5}"#,
                "approximate: RandomAdjustSharpness: the factor is drawn from 0 to 2",
            ],
        );
    }

    #[test]
    fn policies_keep_their_strengths() {
        check(
            Torchvision,
            "RandAugment()",
            &[
                r#"{"transform":"rand-augment","operations":2,"magnitude":9}"#,
                "approximate: RandAugment: motions beside each other are resampled together, and shears lean about the center",
            ],
        );
        check(
            Torchvision,
            "RandAugment(3, 5, num_magnitude_bins=11)",
            &[
                r#"{"transform":"rand-augment","operations":3,"magnitude":15}"#,
                "approximate: RandAugment: motions beside each other are resampled together, and shears lean about the center",
            ],
        );
        check(
            Torchvision,
            "TrivialAugmentWide()",
            &[
                r#"{"transform":"trivial-augment-wide"}"#,
                "approximate: TrivialAugmentWide: motions beside each other are resampled together, and shears lean about the center",
            ],
        );
        check(
            Torchvision,
            "AutoAugment(AutoAugmentPolicy.CIFAR10)",
            &[
                r#"{"transform":"auto-augment","policy":"cifar10"}"#,
                "approximate: AutoAugment: motions beside each other are resampled together, and shears lean about the center",
            ],
        );
        check(
            Torchvision,
            "AugMix()",
            &[
                r#"{"transform":"aug-mix","severity":3,"width":3,"alpha":1.0}"#,
                "approximate: AugMix.all_ops: as in the paper without brightness, color, contrast and sharpness",
                "approximate: AugMix: motions beside each other are resampled together, and shears lean about the center",
            ],
        );
        check(
            Torchvision,
            "AugMix(severity=5, mixture_width=2, chain_depth=2, alpha=0.5, all_ops=False)",
            &[
                r#"{"transform":"aug-mix","severity":5,"width":2,"alpha":0.5}"#,
                "approximate: AugMix.chain_depth: chains have one to three operations",
                "approximate: AugMix: motions beside each other are resampled together, and shears lean about the center",
            ],
        );
    }

    #[test]
    fn conversions_and_normalizations_are_the_preprocessings() {
        check(
            Torchvision,
            "ToTensor(), Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])",
            &[
                "exact: ToTensor: batches are float32 from 0 to 1 unless [preprocessing] says otherwise",
                r#"exact: Normalize: below [preprocessing], write normalization = "imagenet""#,
            ],
        );
        check(
            Torchvision,
            "ToImage(), ToDtype(torch.float32, scale=True), Normalize(mean=[0.5], std=[0.25])",
            &[
                "exact: ToImage: batches are float32 from 0 to 1 unless [preprocessing] says otherwise",
                "exact: ToDtype: batches are float32 from 0 to 1 unless [preprocessing] says otherwise",
                "exact: Normalize: below [preprocessing], write normalization = { mean-std = { mean = [0.5], std = [0.25] } }",
            ],
        );
        check(
            Torchvision,
            "ToDtype(torch.float32)",
            &["exact: ToDtype: below [preprocessing], write normalization = { rescale = { factor = 1.0 } }"],
        );
        check(
            Torchvision,
            "ConvertImageDtype(torch.float32)",
            &["exact: ConvertImageDtype: batches are float32 from 0 to 1 unless [preprocessing] says otherwise"],
        );
    }
}

//! A data set in which a small square decides the class: maps must find it, and must not when the network knows nothing.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::sync::LazyLock;

use aumenta_explain::{
    ClassMap, ColorRange, FoundPattern, HeatMap, Network, Occlusion, Pattern, SmoothGrad, probabilities, saliency,
};
use aumenta_imgproc::Image;
use aumenta_models::{Architecture, Model, ModelConfig, SequentialConfig};
use aumenta_nn::{AdamConfig, NamedTensor, Optimizer, OptimizerConfig, binary_cross_entropy};
use aumenta_seed::Seed;
use candle_core::{Device, Tensor};
use rand::RngExt as _;

/// Sides of an image and of the square in it.
const SIDE: usize = 40;
const SQUARE: usize = 7;

/// So far from the square there are places whose windows, one layer over the other, reach it.
const REACH: usize = 4;

/// The class of the images with a square.
const WITH: usize = 1;

const NETWORK: &str = r#"{"input": [40, 40, 1], "layers": [
    {"name": "conv1", "type": "conv2d", "filters": 8, "kernel": 3, "padding": "same", "activation": "relu"},
    {"name": "conv2", "type": "conv2d", "filters": 12, "kernel": 3, "padding": "same", "activation": "relu"},
    {"name": "pool", "type": "max-pool2d", "window": 2},
    {"name": "conv3", "type": "conv2d", "filters": 12, "kernel": 3, "padding": "same", "activation": "relu"},
    {"name": "mean", "type": "global-avg-pool2d"},
    {"name": "dense", "type": "dense", "units": 1}
]}"#;

/// An image with its class and the place of its square.
struct Planted {
    values: Vec<f32>,
    class: usize,
    top: usize,
    left: usize,
}

impl Planted {
    /// Noise around gray, and in every other image a chessboard somewhere.
    fn draw(number: u64) -> Self {
        let mut rng = Seed::new(5).rng("planted", 0, number);
        let class = (number % 2) as usize;
        let mut values: Vec<f32> = (0..SIDE * SIDE).map(|_| 0.35 + 0.3 * rng.random::<f32>()).collect();
        let [top, left] = [0, 1].map(|_| rng.random_range(1..SIDE - SQUARE));
        if class == WITH {
            for (y, x) in (0..SQUARE).flat_map(|y| (0..SQUARE).map(move |x| (y, x))) {
                values[(top + y) * SIDE + left + x] = ((x + y) % 2) as f32;
            }
        }
        Self { values, class, top, left }
    }

    /// So many images with a square.
    fn with_square(count: u64) -> Vec<Self> {
        (0..count).map(|number| Self::draw(2 * number + 1)).collect()
    }

    fn tensor(&self) -> Tensor {
        Tensor::from_slice(&self.values, (1, SIDE, SIDE, 1), &Device::Cpu).unwrap()
    }

    /// The share of a map on the square and on what sees it.
    fn share(&self, map: &HeatMap) -> f64 {
        let [top, left] = [self.top, self.left].map(|start| start.saturating_sub(REACH));
        map.resized(SIDE, SIDE).share_within([top, self.top + SQUARE + REACH, left, self.left + SQUARE + REACH])
    }
}

fn untrained(seed: u64) -> (Architecture, Box<dyn Model>) {
    let config: SequentialConfig = serde_json::from_str(NETWORK).unwrap();
    let architecture = ModelConfig::Sequential(config).architecture().unwrap();
    let model = architecture.build(Seed::new(seed), &Device::Cpu).unwrap();
    (architecture, model)
}

/// The network that has learned the classes; it learns once for all tests.
fn trained() -> (Architecture, Box<dyn Model>) {
    static WEIGHTS: LazyLock<Vec<NamedTensor>> = LazyLock::new(learn);
    let (architecture, model) = untrained(7);
    model.parameters().set_tensors(&WEIGHTS).unwrap();
    (architecture, model)
}

fn learn() -> Vec<NamedTensor> {
    const BATCH: u64 = 24;
    let (_, mut model) = untrained(7);
    let parameters = model.parameters().clone();
    let config = AdamConfig { learning_rate: 5e-3, ..AdamConfig::default() };
    let mut optimizer = Optimizer::new(OptimizerConfig::Adam(config), &parameters).unwrap();
    for step in 0..200 {
        let images: Vec<Planted> = (0..BATCH).map(|at| Planted::draw(1000 + step * BATCH + at)).collect();
        let values = images.iter().flat_map(|image| image.values.clone()).collect();
        let x = Tensor::from_vec(values, (images.len(), SIDE, SIDE, 1), &Device::Cpu).unwrap();
        let classes: Vec<u32> = images.iter().map(|image| image.class as u32).collect();
        let classes = Tensor::new(classes, &Device::Cpu).unwrap();
        let step = model.gradients(&x, step, &mut |logits| binary_cross_entropy(logits, &classes)).unwrap();
        optimizer.step(&parameters, &step.gradients).unwrap();
    }
    parameters.tensors().unwrap()
}

/// Pearson's correlation.
fn correlation(a: &HeatMap, b: &HeatMap) -> f64 {
    let centered = |map: &HeatMap| {
        let mean = map.values().iter().map(|value| f64::from(*value)).sum::<f64>() / map.values().len() as f64;
        map.values().iter().map(|value| f64::from(*value) - mean).collect::<Vec<f64>>()
    };
    let (a, b) = (centered(a), centered(b));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt().max(1e-12)
}

#[test]
fn maps_lie_on_the_square_that_decides_the_class() {
    let (architecture, model) = trained();
    let network = Network::new(&architecture, &*model);
    let images = Planted::with_square(60);
    let right = images.iter().filter(|image| {
        let probabilities = probabilities(&network, &image.tensor()).unwrap();
        probabilities[0][WITH] > 0.5
    });
    assert!(right.count() >= 58, "the network has not learned it");
    // More than half of a map on a seventh of the image or less.
    let found = |map: &dyn Fn(&Tensor) -> HeatMap| {
        images.iter().filter(|image| image.share(&map(&image.tensor())) > 0.5).count()
    };
    let layer = network.last_layer().unwrap().name;
    let cam = found(&|image| ClassMap::GradCam.of(&network, image, &layer, WITH).unwrap());
    let occlusion = found(&|image| Occlusion { patch: 7, stride: 3 }.map(&network, image, WITH).unwrap());
    let most = images.len() * 9 / 10;
    assert!(cam >= most && occlusion >= most, "Grad-CAM {cam}, occlusion {occlusion} of {}", images.len());
}

#[test]
fn a_network_that_knows_nothing_has_other_maps() {
    let ((architecture, model), (_, other)) = (trained(), untrained(99));
    // All weights drawn anew; and those of the last layer alone (Adebayo et al. 2018).
    let head_alone = {
        let (_, network) = trained();
        for parameter in network.parameters().iter().filter(|parameter| parameter.name.starts_with("dense")) {
            parameter.var.set(other.parameters().get(&parameter.name).unwrap().as_tensor()).unwrap();
        }
        network
    };
    for (name, other, most) in [("all", &other, 0.5), ("the head's", &head_alone, 0.9)] {
        let mean = |kind: &dyn Fn(&Network<'_>, &Planted) -> HeatMap| {
            let of = |model: &dyn Model, image: &Planted| kind(&Network::new(&architecture, model), image);
            let images = Planted::with_square(20).into_iter();
            images.map(|image| correlation(&of(&*model, &image), &of(&**other, &image))).sum::<f64>() / 20.0
        };
        let cam = mean(&|network, image| ClassMap::GradCam.of(network, &image.tensor(), "conv3", WITH).unwrap());
        assert!(cam < most, "{name} weights are random, and Grad-CAM still correlates by {cam:.2}");
        let of_gradient = mean(&|network, image| saliency(network, &image.tensor(), WITH).unwrap());
        assert!(of_gradient < 0.9, "{name} weights are random, and saliency still correlates by {of_gradient:.2}");
    }
}

#[test]
fn noise_is_averaged_from_a_seed() {
    let (architecture, model) = trained();
    let network = Network::new(&architecture, &*model);
    let image = Planted::draw(1).tensor();
    let smooth = |copies, noise, seed| {
        SmoothGrad { copies, noise, seed: Seed::new(seed) }
            .saliency(&network, &image, 0)
            .map_err(|error| error.to_string())
    };
    assert_eq!(smooth(1, 0.0, 1).unwrap(), saliency(&network, &image, 0).unwrap());
    assert_eq!(smooth(9, 0.1, 1).unwrap(), smooth(9, 0.1, 1).unwrap());
    assert_ne!(smooth(9, 0.1, 1).unwrap(), smooth(9, 0.1, 2).unwrap());
    assert_eq!(smooth(0, 0.1, 1).unwrap_err(), "the number of copies is 0, expected at least 1");
    assert_eq!(smooth(1, f32::NAN, 1).unwrap_err(), "the noise is NaN, expected at least 0");
}

fn is_black(picture: &Image) -> bool {
    picture.pixels().iter().all(|level| *level == 0)
}

/// The mean difference between neighbors in a row.
fn roughness(picture: &Image) -> f64 {
    let (width, height) = (picture.width(), picture.height());
    let places = (0..height).flat_map(|y| (1..width).map(move |x| (x, y)));
    let differences = places.map(|(x, y)| f64::from(picture.get(x, y)[0].abs_diff(picture.get(x - 1, y)[0])));
    differences.sum::<f64>() / (height * (width - 1)) as f64
}

#[test]
fn filters_answer_more_and_more_to_their_patterns_and_regularized_ones_are_smoother() {
    let (architecture, model) = trained();
    let network = Network::new(&architecture, &*model);
    let colors = ColorRange { black: vec![0.0], white: vec![1.0] };
    let filters = [0, 1, 2, 3, 4, 5];
    let book = Pattern::book(24).of(&network, &colors, "conv3", &filters).unwrap();
    let regularized = Pattern::regularized(24).of(&network, &colors, "conv3", &filters).unwrap();
    assert_eq!(Pattern::book(24).of(&network, &colors, "conv3", &[1]).unwrap()[0], book[1], "a pattern is its own");
    let seen = |found: &[FoundPattern]| found.iter().filter(|found| !is_black(&found.picture)).count();
    assert!(seen(&book) >= 2 && seen(&regularized) >= seen(&book));
    for (found, smooth) in book.iter().zip(&regularized).filter(|(found, _)| !is_black(&found.picture)) {
        let FoundPattern { picture, first_answer, last_answer } = found;
        assert!(*last_answer > 1.2 * first_answer, "from {first_answer} to {last_answer}");
        let (rough, smooth) = (roughness(picture), roughness(&smooth.picture));
        assert!(smooth < rough, "regularized {smooth}, by the book {rough}");
    }
    let message = |pattern: Pattern, filter| pattern.of(&network, &colors, "conv3", &[filter]).unwrap_err().to_string();
    assert_eq!(message(Pattern::book(24), 12), "the filter is 12, expected less than 12");
    assert_eq!(message(Pattern { steps: 0, ..Pattern::book(24) }, 0), "the number of steps is 0, expected at least 1");
    assert_eq!(message(Pattern { step_levels: 0.0, ..Pattern::book(24) }, 0), "the step is 0, expected above 0");
}

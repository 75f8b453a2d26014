use aumenta_augment::MixConfig;
use aumenta_stream::{Color, EvalConfig, Preprocessing};

fn main() {
    let _ = EvalConfig {
        preprocessing: Preprocessing::new(150, 150, Color::Rgb),
        batch_size: 20,
        workers: 2,
        mix: MixConfig::default().build().unwrap(),
    };
}

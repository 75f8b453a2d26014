use aumenta_augment::MixConfig;
use aumenta_stream::{Color, EvalConfig, Preprocessing};

fn main() {
    let _ = EvalConfig {
        mix: MixConfig::default().build().unwrap(),
        ..EvalConfig::new(Preprocessing::new(150, 150, Color::Rgb), 20)
    };
}

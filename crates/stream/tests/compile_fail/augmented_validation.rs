use aumenta_augment::AugmentConfig;
use aumenta_stream::{Color, EvalConfig, Preprocessing};

fn main() {
    let _ = EvalConfig {
        augment: AugmentConfig::book().build().unwrap(),
        ..EvalConfig::new(Preprocessing::new(150, 150, Color::Rgb), 20)
    };
}

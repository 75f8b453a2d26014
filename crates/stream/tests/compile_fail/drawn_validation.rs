use aumenta_stream::{Color, EvalConfig, Preprocessing, Views};

fn main() {
    let _ = EvalConfig {
        views: Views::default(),
        ..EvalConfig::new(Preprocessing::new(150, 150, Color::Rgb), 20)
    };
}

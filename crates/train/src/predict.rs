//! Saying of images whose classes nobody knows how probable each class is.

use aumenta_metrics::push_probabilities;
use aumenta_models::Model;
use aumenta_stream::{Fault, ImageStream};
use candle_core::Device;

use crate::error::TrainError;
use crate::feed::Unlabeled;
use crate::tensors::Crossing;

/// Hands the path and the probabilities of each image of `stream` to `each`, in the order of the source, and says which
/// images could not be used. The stream delivers what [`batch_layout`](crate::batch_layout) says, or f32 NHWC. Where the stream has several views of an image, probabilities are their mean. No more is held
/// in memory than the batches under way.
///
/// # Errors
/// Those of `each`; [`TrainError::Stream`] where an image cannot be used and the stream does not go on without it,
/// [`TrainError::Network`] where the images do not fit the model.
pub fn predict<E: From<TrainError>>(
    model: &dyn Model,
    stream: &ImageStream,
    device: &Device,
    mut each: impl FnMut(&str, &[f32]) -> Result<(), E>,
) -> Result<Vec<Fault>, E> {
    let crossing = Crossing::to(device).map_err(TrainError::from)?;
    let mut unlabeled = Unlabeled::new(stream.pass(), stream.preprocessing(), &crossing)?;
    while let Some(batch) = unlabeled.next() {
        let (views, images) = batch?;
        let logits = model.predict(&views).map_err(TrainError::from)?;
        let rows = logits.to_vec2::<f32>().map_err(|error| TrainError::Network(error.into()))?;
        for (index, views) in images {
            each(stream.path(index), &mean_probabilities(&rows[views]))?;
        }
    }
    Ok(unlabeled.faults())
}

/// The mean over views of the probabilities that their logits mean.
fn mean_probabilities(views: &[Vec<f32>]) -> Vec<f32> {
    let mut probabilities = Vec::new();
    for logits in views {
        push_probabilities(logits, &mut probabilities);
    }
    let classes = probabilities.len() / views.len();
    let of_class = |class: usize| probabilities.iter().skip(class).step_by(classes).map(|p| f64::from(*p)).sum::<f64>();
    (0..classes).map(|class| (of_class(class) / views.len() as f64) as f32).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aumenta_augment::AugmentConfig;
    use aumenta_dataset::{OpenOptions, Source, open};
    use aumenta_models::ModelConfig;
    use aumenta_seed::Seed;
    use aumenta_stream::{Color, DrawnViews, ImageConfig, Loader, Preprocessing, Views};

    use super::*;

    fn predictions(
        source: &Arc<dyn Source>,
        views: Views,
        workers: usize,
        batch_size: usize,
    ) -> Vec<(String, Vec<f32>)> {
        let model = ModelConfig::CatsDogsConvnet { image_size: 46, dropout: 0.0 };
        let model = model.architecture().unwrap().build(Seed::new(7), &Device::Cpu).unwrap();
        let preprocessing = Preprocessing::new(46, 46, Color::Rgb);
        let loader = Loader::with_workers(workers);
        let config = ImageConfig { views, loader, ..ImageConfig::new(preprocessing, batch_size) };
        let stream = ImageStream::new(Arc::clone(source), config).unwrap();
        let mut said = Vec::new();
        let keep = |path: &str, probabilities: &[f32]| -> Result<(), TrainError> {
            said.push((path.to_owned(), probabilities.to_vec()));
            Ok(())
        };
        assert_eq!(predict(&*model, &stream, &Device::Cpu, keep).unwrap(), []);
        said
    }

    fn views() -> Views {
        let augment = AugmentConfig::book().build().unwrap();
        Views { mirrored: true, drawn: Some(DrawnViews { count: 3, augment, seed: Seed::new(7) }) }
    }

    #[test]
    fn the_same_is_said_for_any_number_of_workers_and_any_size_of_batches() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("drawn.zip");
        aumenta_drawn::write_zip(&zip, 3, 48, Seed::new(7)).unwrap();
        let source: Arc<dyn Source> = Arc::from(open(&zip, &OpenOptions::default()).unwrap());
        let plain = predictions(&source, Views::default(), 1, 1);
        assert_eq!(plain.len(), 6);
        assert!(plain.iter().all(|(_, row)| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
        assert_eq!(predictions(&source, Views::default(), 7, 4), plain);
        let averaged = predictions(&source, views(), 1, 1);
        assert_ne!(averaged, plain);
        assert_eq!(predictions(&source, views(), 7, 20), averaged);
    }

    #[test]
    fn views_are_averaged_as_probabilities() {
        assert_eq!(mean_probabilities(&[vec![0.0], vec![3_f32.ln()]]), [0.375, 0.625]);
        assert_eq!(mean_probabilities(&[vec![0.0; 4]]), [0.25; 4]);
    }
}

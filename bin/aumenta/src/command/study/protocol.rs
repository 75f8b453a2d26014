//! [`differences`]: what differs between a study and the protocol that the book's numbers come from.

use anyhow::Result;
use aumenta_dataset::{Manifest, Split};
use aumenta_nn::OptimizerConfig;
use aumenta_report::count;
use aumenta_study::StudyConfig;

use super::plan::ArmPlan;

/// What differs from section 5.2 of the book, a sentence each.
pub fn differences(config: &StudyConfig, plans: &[ArmPlan], manifest: &Manifest) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (split, what, book) in [(Split::Train, "training", 2000), (Split::Val, "validation", 1000)] {
        let images = manifest.records(split).len() as u64;
        if images != book {
            found.push(format!("{} {what} images, the book has {}", count(images), count(book)));
        }
    }
    if let Some(plan) = plans.first() {
        found.extend(of_training(plan, manifest)?);
    }
    found.extend([
        format!("{} seeds an arm, the book shows one run", config.seeds.len()),
        "one batch size for all arms, the book takes 32 with augmentation".to_string(),
        "each validation image is measured once, the book's augmented run draws 1,576 of 1,000".to_string(),
        format!(
            "the images are those of the manifest {}, the book's are the first cats and dogs of Kaggle's competition",
            &manifest.hash()[..12]
        ),
    ]);
    Ok(found)
}

fn of_training(plan: &ArmPlan, manifest: &Manifest) -> Result<Vec<String>> {
    let ArmPlan { config, .. } = plan;
    let model = config.model()?;
    let [height, width, _] = model.clone().for_classes(manifest.classes.len()).architecture()?.input();
    let rate = config.optimizer.learning_rate();
    let epochs = plan.epochs()?.map_or_else(|| "a number of steps".to_string(), |epochs| format!("{epochs} epochs"));
    let checks = [
        (
            model.name() != "cats-dogs-convnet",
            format!("the model is {}, the book's has the layers of cats-dogs-convnet", model.name()),
        ),
        ((height, width) != (150, 150), format!("images of {width}x{height} pixels, the book's are 150x150")),
        (config.batch_size != 20, format!("batches of {}, the book's are 20", config.batch_size)),
        (
            !matches!(config.optimizer, OptimizerConfig::Rmsprop(_)),
            "the optimizer is not rmsprop, which the book takes".to_string(),
        ),
        ((rate - 1e-4).abs() > 1e-9, format!("a learning rate of {rate}, the book's is 0.0001")),
        (true, format!("every arm trains for {epochs}, the book for 30 plainly and for 100 with augmentation")),
    ];
    Ok(checks.into_iter().filter(|(differs, _)| *differs).map(|(_, sentence)| sentence).collect())
}

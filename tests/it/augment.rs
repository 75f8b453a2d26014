//! `aumenta augment`.

use crate::command::Workspace;

#[test]
fn each_librarys_program_becomes_a_configuration_with_notes() {
    let workspace = Workspace::new();
    workspace
        .write(
            "keras.py",
            "from keras.preprocessing.image import ImageDataGenerator\n\ntrain = ImageDataGenerator(\n    \
             rescale=1./255, rotation_range=40, shear_range=0.2, zoom_range=0.2,\n    \
             horizontal_flip=True, fill_mode='reflect', samplewise_center=True)\n",
        )
        .write(
            "torchvision.py",
            "from torchvision.transforms import v2\n\ntrain = v2.Compose([\n    v2.RandomHorizontalFlip(p=0.3),\n    \
             v2.RandomRotation(30),\n    v2.Normalize([0.5], [0.5]),\n])\n",
        )
        .write(
            "albumentations.json",
            r#"{"transform": {"__class_fullname__": "Compose", "p": 1.0, "transforms": [
                {"__class_fullname__": "VerticalFlip", "p": 0.5},
                {"__class_fullname__": "ColorJitter", "brightness": [0.8, 1.2], "hue": [0, 0], "p": 0.5}]}}"#,
        );
    let all: Vec<String> = ["keras.py", "torchvision.py", "albumentations.json"]
        .iter()
        .map(|file| workspace.run(&["augment", "translate", file]).assert_code(0).whole())
        .collect();
    insta::assert_snapshot!("translated", all.join("\n"));
}

#[test]
fn the_version_of_keras_says_the_unit_of_its_shear() {
    let workspace = Workspace::new();
    workspace.write("keras.py", "ImageDataGenerator(shear_range=0.2)");
    for (from, expected) in [("keras", 0.2), ("keras-2.15", 0.2), ("keras-2.0.8", 11.459_155_903)] {
        let said = workspace.run(&["augment", "translate", "keras.py", "--from", from]).assert_code(0).stdout.clone();
        assert!(said.contains(&format!("shear-degrees = {expected}")), "{from}: {said}");
    }
}

#[test]
fn a_translated_configuration_is_read_by_training() {
    let workspace = Workspace::new();
    workspace.write("keras.py", "ImageDataGenerator(rotation_range=40, zoom_range=0.2, cval=3, fill_mode='constant')");
    let toml = workspace.run(&["augment", "translate", "keras.py"]).assert_code(0).stdout.clone();
    workspace.write("config.toml", &toml);
    let said = workspace.run(&["train", "--config", "config.toml"]);
    assert!(!said.stderr.contains("no valid configuration"), "{toml}{}", said.stderr);
}

#[test]
fn what_cannot_be_translated_is_bad_use() {
    let workspace = Workspace::new();
    workspace
        .write("nothing.py", "print('hello')\n")
        .write("unclear.py", "x = Compose([HorizontalFlip()])\n")
        .write("broken.py", "x = ImageDataGenerator(\n    rotation_range=DEGREES[0])\n")
        .write("broken.json", "{\"rotation_range\": }");
    let all: Vec<String> = [
        ["augment", "translate", "absent.py"].as_slice(),
        &["augment", "translate", "nothing.py"],
        &["augment", "translate", "unclear.py"],
        &["augment", "translate", "unclear.py", "--from", "keras"],
        &["augment", "translate", "broken.py"],
        &["augment", "translate", "broken.json"],
    ]
    .iter()
    .map(|args| workspace.run(args).assert_code(2).whole())
    .collect();
    insta::assert_snapshot!("refused", all.join("\n"));
}

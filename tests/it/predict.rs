//! `aumenta predict`.

use crate::command::Workspace;

/// A run in `run`, trained on drawn images with augmentation, and four other drawn images in `test.zip` and in the folder
/// `test`.
fn trained() -> Workspace {
    let workspace = Workspace::new();
    workspace.draw(6).split("4,1,1");
    let args = ["train", "--data", "split", "--run", "run", "--model", "cats-dogs-convnet", "--image-size", "46"];
    workspace.run(&[&args[..], &["--epochs", "1", "--batch-size", "4", "--augment", "book"]].concat()).assert_code(0);
    let image = |shade| aumenta_imgproc::encode_png(&aumenta_imgproc::Image::filled(40, 30, [shade, 90, 60])).unwrap();
    let files = [10_u8, 80, 150, 220].map(image).into_iter().enumerate();
    let files: Vec<(String, Vec<u8>)> = files.map(|(n, png)| (format!("test/{}.png", n + 1), png)).collect();
    fs_err::create_dir(workspace.path("test")).unwrap();
    for (path, png) in &files {
        fs_err::write(workspace.path(path), png).unwrap();
    }
    aumenta_dataset::write_zip(&workspace.path("test.zip"), files).unwrap();
    workspace
}

fn lines(csv: &str) -> Vec<Vec<&str>> {
    csv.lines().map(|line| line.split(',').collect()).collect()
}

#[test]
fn images_of_an_archive_a_folder_and_single_files_get_the_same_probabilities() {
    let workspace = trained();
    let archive = workspace.run(&["predict", "run", "test.zip"]).assert_code(0).stdout.clone();
    let rows = lines(&archive);
    assert_eq!(rows[0], ["path", "cat", "dog", "predicted"]);
    assert_eq!(
        rows.iter().skip(1).map(|row| row[0]).collect::<Vec<_>>(),
        ["test/1.png", "test/2.png", "test/3.png", "test/4.png"]
    );
    for row in &rows[1..] {
        let [cat, dog]: [f64; 2] = [row[1], row[2]].map(|cell| cell.parse().unwrap());
        assert!((cat + dog - 1.0).abs() < 1e-6 && row[3] == if dog > cat { "dog" } else { "cat" }, "{row:?}");
    }
    let files = ["predict", "run", "test/1.png", "test/2.png", "test/3.png", "test/4.png"];
    assert_eq!(workspace.run(&files).assert_code(0).stdout, archive);
    let folder = workspace.run(&["predict", "run", "test"]).assert_code(0).stdout.clone();
    assert_eq!(folder, archive.replace("test/", ""));
    let both = workspace.run(&["predict", "run", "test.zip", "test"]).assert_code(0).stdout.clone();
    assert!(both.starts_with(&archive.replace("test/", "test.zip/test/")), "{both}");
    assert!(both.ends_with(&archive.split_once('\n').unwrap().1), "{both}");
}

#[test]
fn the_bytes_are_the_same_for_any_number_of_workers_with_and_without_views() {
    let workspace = trained();
    let predict =
        |more: &[&str]| workspace.run(&[&["predict", "run", "test.zip"], more].concat()).assert_code(0).stdout.clone();
    let views: [&[&str]; 4] = [&[], &["--tta", "flip"], &["--tta", "3"], &["--tta", "flip", "--tta", "3"]];
    let plain = views.map(|views| predict(&[views, &["--workers", "1", "--batch-size", "1"]].concat()));
    let other = views.map(|views| predict(&[views, &["--workers", "3", "--batch-size", "5"]].concat()));
    assert_eq!(plain, other);
    // A picture of one color is its own mirror image, and what a motion brings in is of that color, too.
    assert_eq!(plain[0], plain[1]);
}

#[test]
fn a_file_is_written_as_standard_output_would_be() {
    let workspace = trained();
    let said = workspace.run(&["predict", "run", "test.zip"]).assert_code(0).stdout.clone();
    workspace.run(&["predict", "run", "test.zip", "--out", "new/predictions.csv"]).assert_code(0);
    assert_eq!(fs_err::read_to_string(workspace.path("new/predictions.csv")).unwrap(), said);
}

#[test]
fn a_submission_has_the_rows_of_its_form() {
    let workspace = trained();
    let probabilities = workspace.run(&["predict", "run", "test.zip"]).assert_code(0).stdout.clone();
    let dog: Vec<&str> = lines(&probabilities).iter().skip(1).map(|row| row[2]).collect();
    workspace.write("form.csv", "id,label\n3,0.5\n1,0.5\n4,0.5\n2,0.5\n");
    let fill = |more: &[&str]| {
        let args = ["predict", "run", "test.zip", "--submission", "form.csv"];
        workspace.run(&[&args[..], more].concat())
    };
    let expected = format!("id,label\n3,{}\n1,{}\n4,{}\n2,{}\n", dog[2], dog[0], dog[3], dog[1]);
    assert_eq!(fill(&[]).assert_code(0).stdout, expected);
    assert_eq!(fill(&["--positive", "dog"]).assert_code(0).stdout, expected);
    let cut = fill(&["--positive", "cat", "--clip", "0.49"]).assert_code(0).stdout.clone();
    let numbers: Vec<f64> = lines(&cut).iter().skip(1).map(|row| row[1].parse().unwrap()).collect();
    assert!(numbers.iter().all(|number| (0.49..=0.51).contains(number)), "{cut}");
    fill(&["--out", "submission.csv"]).assert_code(0);
    assert_eq!(fs_err::read_to_string(workspace.path("submission.csv")).unwrap(), expected);
}

#[test]
fn what_cannot_be_predicted_is_refused_by_name() {
    let workspace = trained();
    workspace.write("few.csv", "id,label\n1,0.5\n2,0.5\n").write("many.csv", "id,label\n1,0\n2,0\n3,0\n4,0\n5,0\n");
    let refusals: [&[&str]; 9] = [
        &["nowhere.png"],
        &["test.zip", "--submission", "few.csv"],
        &["test.zip", "--submission", "many.csv"],
        &["test.zip", "--submission", "many.csv", "--positive", "emu"],
        &["test.zip", "--submission", "nowhere.csv"],
        &["test.zip", "--fill", "0.5"],
        &["test.zip", "--clip", "0.5"],
        &["test.zip", "--tta", "3", "--tta", "4"],
        &["test.zip", "--batch-size", "0"],
    ];
    let said = refusals.map(|refusal| workspace.run(&[&["predict", "run"], refusal].concat()).assert_code(2).whole());
    insta::assert_snapshot!("refused", said.join("\n"));
}

#[test]
fn an_image_that_cannot_be_used_ends_it_or_is_left_out_and_listed() {
    let workspace = trained();
    fs_err::write(workspace.path("test/2.png"), "no image").unwrap();
    let failed = workspace.run(&["predict", "run", "test", "--out", "predictions.csv"]).assert_code(1).whole();
    assert!(failed.contains("cannot decode `2.png`"), "{failed}");
    assert!(!workspace.path("predictions.csv").exists());

    let skipping = ["predict", "run", "test", "--on-error", "skip", "--tta", "flip"];
    let said = workspace.run(&skipping);
    assert_eq!(
        lines(&said.assert_code(0).stdout).iter().map(|row| row[0]).collect::<Vec<_>>(),
        ["path", "1.png", "3.png", "4.png"]
    );
    insta::assert_snapshot!("left_out", said.stderr);

    workspace.write("form.csv", "id,label\n1,0\n2,0\n3,0\n4,0\n");
    let submission = [&skipping[..], &["--submission", "form.csv"]].concat();
    let unfilled = workspace.run(&submission).assert_code(2).whole();
    assert!(unfilled.contains("--fill VALUE stands in for them"), "{unfilled}");
    let filling = ["predict", "run", "test", "--submission", "form.csv", "--fill", "0.5"];
    let filled = workspace.run(&filling).assert_code(0).stdout.clone();
    assert_eq!(lines(&filled)[2], ["2", "0.5"]);
}

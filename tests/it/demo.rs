//! `aumenta demo`, in its short form: one end-to-end run on a tiny drawn set.

use crate::command::Workspace;

#[test]
fn the_short_demo_tells_the_whole_story() {
    let workspace = Workspace::new();
    let said = workspace.run(&["demo", "--smoke", "--out", "story"]);
    said.assert_code(0);
    assert!(said.stdout.contains("plain") && said.stdout.contains("augmented"), "{}", said.stdout);
    let files = workspace.files();
    for file in [
        "story/accuracy.svg",
        "story/augmented.toml",
        "story/cats-and-dogs.zip",
        "story/contact-sheet.png",
        "story/plain.toml",
        "story/report.html",
        "story/report.md",
        "story/runs/augmented/evaluation-test.json",
        "story/runs/plain/checkpoints/best.safetensors",
        "story/split/manifest.json",
    ] {
        assert!(files.contains(&file.to_string()), "{file} is missing");
    }
    let page = fs_err::read_to_string(workspace.path("story/report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("data:image/png;base64,"));
    assert!(!page.contains("http://") || page.matches("http://").count() == page.matches("http://www.w3.org").count());

    fs_err::create_dir(workspace.path("other")).unwrap();
    workspace.write("other/report.html", "somebody's own report");
    workspace.run(&["demo", "--smoke", "--out", "other", "--force"]).assert_code(2);
    assert!(workspace.path("other/report.html").is_file());

    fs_err::remove_file(workspace.path("story/report.html")).unwrap();
    let refused = workspace.run(&["demo", "--smoke", "--out", "story"]);
    assert!(refused.assert_code(2).stderr.contains("--force"));
    workspace.run(&["demo", "--smoke", "--out", "story", "--force"]).assert_code(0);
}

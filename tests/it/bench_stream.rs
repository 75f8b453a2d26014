//! `aumenta bench-stream`.

use crate::command::Workspace;

#[test]
fn every_setting_is_measured_and_the_best_one_named() {
    let workspace = Workspace::new();
    workspace.draw(8).split("6,1,1");
    let args = ["bench-stream", "split", "--augment", "book", "--size", "32", "--batch-size", "4", "--rounds", "2"];
    let settings = ["--seconds", "0.05", "--workers", "1,2", "--prefetch", "2,3"];
    let said = workspace.run(&[&args[..], &settings[..]].concat());
    let stdout = &said.assert_code(0).stdout;
    assert!(stdout.starts_with("workers  prefetch  images/s"), "{stdout}");
    assert!(stdout.contains("best: workers = "), "{stdout}");

    let said = workspace.run(&[&args[..], &settings[..], &["--json", "--cache", "off"]].concat());
    let outcome: serde_json::Value = serde_json::from_str(&said.assert_code(0).stdout).unwrap();
    assert_eq!(outcome["images"], 12);
    let settings = outcome["settings"].as_array().unwrap();
    assert_eq!(settings.len(), 4);
    for setting in settings {
        assert!(setting["images-per-second"].as_f64().unwrap() > 0.0, "{setting}");
        assert!(setting["megabytes-per-second"].as_f64().unwrap() > 0.0, "{setting}");
        assert!(setting["process-mib"].as_f64().unwrap() > 1.0, "{setting}");
        let stages: f64 = setting["stages"].as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).sum();
        assert!((stages - 1.0).abs() < 1e-6, "{setting}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let workspace = Workspace::new();
    workspace.draw(3).split("1,1,1");
    for (flag, value) in [("--seconds", "-1"), ("--workers", "0"), ("--prefetch", "0"), ("--batch-size", "0")] {
        workspace.run(&["bench-stream", "split", flag, value]).assert_code(2);
    }
}

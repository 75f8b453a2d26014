//! `aumenta convolve` and `aumenta pool`: grids by hand, and pictures.

use aumenta_imgproc::{Image, Limits, decode, encode_png};

use crate::command::Workspace;

const LECTURE: &str = "3 0 1 2 7 4\n1 5 8 9 3 1\n2 7 2 5 1 3\n0 1 3 1 7 8\n4 2 1 6 2 8\n2 4 5 2 3 9\n";

#[test]
fn a_convolution_shows_every_window() {
    let workspace = Workspace::new();
    workspace.write("grid.txt", LECTURE);
    let run = ["convolve", "grid.txt", "--kernel", "edge-v", "--out", "grid.svg"];
    insta::assert_snapshot!("grid", workspace.run(&run).assert_code(0).whole());
    let svg = fs_err::read_to_string(workspace.path("grid.svg")).unwrap();
    // The input, the kernel, the output, and the input once for each of its windows.
    assert_eq!(svg.matches(" stroke=\"currentColor\"/>").count(), 3 + 16);
    assert!(svg.contains(">-16</text>") && !svg.contains("http://www.w3.org/1999"));
}

#[test]
fn volumes_are_convolved_over_all_channels_with_padding_and_strides() {
    let workspace = Workspace::new();
    let step = "10 10 10 0 0 0\n".repeat(6);
    workspace.write("step.txt", &step).write("volume.txt", &format!("{step}\n{step}\n{step}"));
    workspace
        .write("kernel.txt", "# red alone\n1 0 -1\n1 0 -1\n1 0 -1\n\n0 0 0\n0 0 0\n0 0 0\n\n0 0 0\n0 0 0\n0 0 0\n");
    let output = |args: &[&str]| {
        let said = workspace.run(&[&["convolve"], args].concat()).assert_code(0).stdout.clone();
        said.split_once("output\n").unwrap().1.to_owned()
    };
    assert_eq!(output(&["step.txt", "--kernel", "edge-v"]), "   0 30 30  0\n".repeat(4));
    assert_eq!(output(&["volume.txt", "--kernel", "edge-v"]), "   0 90 90  0\n".repeat(4));
    assert_eq!(output(&["volume.txt", "--kernel", "kernel.txt"]), "   0 30 30  0\n".repeat(4));
    let same = ["step.txt", "--kernel", "edge-v", "--padding", "same", "--stride", "2"];
    assert_eq!(output(&same), "   0 30  0\n   0 30  0\n   0 20  0\n");
}

#[test]
fn a_pooling_shows_every_window() {
    let workspace = Workspace::new();
    workspace.write("grid.txt", "1 3 2 1\n2 9 1 1\n1 3 2 3\n5 6 1 2\n");
    let all = [
        workspace.run(&["pool", "grid.txt", "--out", "grid.svg"]).assert_code(0).whole(),
        workspace.run(&["pool", "grid.txt", "--kind", "average"]).assert_code(0).whole(),
    ];
    insta::assert_snapshot!("pool", all.join("\n"));
    assert!(fs_err::read_to_string(workspace.path("grid.svg")).unwrap().contains(">→</text>"));
}

#[test]
fn pictures_stand_before_and_after() {
    let workspace = Workspace::new();
    let step = Image::from_pixels(200, 160, [[200; 300], [40; 300]].concat().repeat(160));
    fs_err::write(workspace.path("step.png"), encode_png(&step).unwrap()).unwrap();
    let decoded = |name: &str| decode(&fs_err::read(workspace.path(name)).unwrap(), &Limits::default()).unwrap();
    workspace.run(&["convolve", "step.png", "--kernel", "sobel-v", "--out", "edges.png"]).assert_code(0);
    workspace.run(&["pool", "step.png", "--window", "4", "--out", "pooled.png"]).assert_code(0);
    // An edge is bright in the middle and dark elsewhere.
    let edges = decoded("edges.png");
    let (middle, top) = (14 + 200 + 14 + 100, 14 + 100);
    assert_eq!((edges.get(middle, top), edges.get(middle - 40, top)), ([255; 3], [0; 3]));
    assert!(decoded("pooled.png").width() > 400);
}

#[test]
fn what_cannot_be_convolved_is_bad_use() {
    let workspace = Workspace::new();
    workspace.write("grid.txt", LECTURE).write("odd.txt", "1 2\n3\n");
    fs_err::write(workspace.path("broken.png"), b"\x89PNG\xff").unwrap();
    fs_err::write(workspace.path("one.png"), encode_png(&Image::filled(9, 9, [7; 3])).unwrap()).unwrap();
    let said = |args: &[&str]| workspace.run(args).assert_code(2).whole();
    let all = [
        said(&["convolve", "grid.txt", "--kernel", "edgy"]),
        said(&["convolve", "odd.txt", "--kernel", "blur"]),
        said(&["convolve", "grid.txt", "--kernel", "odd.txt"]),
        said(&["convolve", "grid.txt", "--kernel", "blur", "--stride", "0"]),
        said(&["convolve", "one.png", "--kernel", "blur"]),
        said(&["convolve", "broken.png", "--kernel", "blur", "--out", "out.png"]),
        said(&["pool", "grid.txt", "--window", "7"]),
        said(&["pool", "nowhere.txt"]),
    ];
    insta::assert_snapshot!("refused", all.join("\n"));
}

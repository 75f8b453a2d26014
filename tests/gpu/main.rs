//! What a GPU computes, held to the CPU: the checks of `aumenta-bench gpu`, where the program was built with CUDA and there is a GPU,
//! be it a simulated one (`simulated/README.md`). Elsewhere they say that they checked nothing; with `AUMENTA_GPU=required` they fail.

use std::process::Command;

use aumenta_nn::DeviceChoice;

#[test]
fn operations_optimizers_and_networks_on_a_gpu_equal_those_on_the_cpu() {
    if let Err(reason) = DeviceChoice::Cuda(0).open() {
        assert!(std::env::var_os("AUMENTA_GPU").is_none(), "{reason}");
        eprintln!("NOT CHECKED on a GPU: {reason}");
        return;
    }
    let checked =
        Command::new(env!("CARGO_BIN_EXE_aumenta-bench")).args(["gpu", "--parts", "checks"]).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
}

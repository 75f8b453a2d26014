//! Passes the versions of the compiler and of the measured libraries on to the program, which names them beside its
//! numbers.

use std::env::var;
use std::process::Command;

const LOCK: &str = "../../Cargo.lock";

fn main() {
    println!("cargo:rerun-if-changed={LOCK}");
    let rustc = Command::new(var("RUSTC").expect("cargo names its compiler")).arg("--version").output();
    let rustc = String::from_utf8(rustc.expect("the compiler runs").stdout).expect("its version is text");
    println!("cargo:rustc-env=RUSTC_VERSION={}", rustc.trim().trim_start_matches("rustc "));
    let lock = fs_err::read_to_string(LOCK).expect("the workspace has a lock file");
    for (package, variable) in [("candle-core", "CANDLE_VERSION"), ("burn", "BURN_VERSION")] {
        let version = locked_version(&lock, package).expect("the lock file has every dependency");
        println!("cargo:rustc-env={variable}={version}");
    }
}

/// The version of `package` in the text of a lock file.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split('"').next()
}

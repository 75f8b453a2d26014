//! The environment variables that a contender's libraries read.

use std::process::Command;

/// Sets `command` so that libraries start no threads of their own, beside those that a contender asks for.
pub fn libraries_on_one_thread(command: &mut Command) {
    for variable in ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"] {
        command.env(variable, "1");
    }
    libraries_choose_kernels(command);
    // albumentations asks the network for a newer version of itself unless told otherwise.
    command.env("NO_ALBUMENTATIONS_UPDATE", "1");
}

/// Sets `command` so that libraries choose their kernels themselves: their own choice is what is measured.
pub fn libraries_choose_kernels(command: &mut Command) {
    command.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
}

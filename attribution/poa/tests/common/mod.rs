//! Running the program.

use std::{
    path::Path,
    process::{Command, Output},
};

/// What the program did with these arguments in this folder.
#[allow(dead_code, reason = "each test program uses a part of this module")]
pub(crate) fn poa(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_poa"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// The standard output of a command that must succeed.
#[allow(dead_code, reason = "each test program uses a part of this module")]
pub(crate) fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = poa(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "poa {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The message of a command that must be refused with this status.
#[allow(dead_code, reason = "each test program uses a part of this module")]
pub(crate) fn refused(folder: &Path, status: i32, arguments: &[&str]) -> String {
    let output = poa(folder, arguments);
    assert_eq!(output.status.code(), Some(status), "poa {arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

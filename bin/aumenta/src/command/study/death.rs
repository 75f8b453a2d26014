//! [`cause_of_death`]: why a training has ended, as far as its exit and its last words tell.

use std::path::Path;
use std::process::ExitStatus;

/// Why a process has failed, from its exit status and from what it wrote to `log` last.
pub fn cause_of_death(exit: ExitStatus, log: &Path) -> String {
    if let Some(signal) = signal(exit) {
        return match signal {
            6 => "it aborted (signal 6), as a program does that can get no more memory".to_string(),
            9 => "it was killed (signal 9): by hand, or by the system because memory ran out".to_string(),
            signal => format!("it was ended by signal {signal}"),
        };
    }
    let text = fs_err::read_to_string(log).unwrap_or_default();
    let code = exit.code().map_or_else(String::new, |code| format!(" with exit code {code}"));
    last_error(&text).unwrap_or_else(|| format!("it ended{code} and said nothing; see {}", log.display()))
}

/// The last error of a log with its causes, on one line.
fn last_error(log: &str) -> Option<String> {
    let begin = log.rfind("error: ").filter(|place| *place == 0 || log[..*place].ends_with('\n'))?;
    let lines: Vec<&str> = log[begin..].lines().take_while(|line| !line.starts_with("hint: ")).map(str::trim).collect();
    let text = lines.join(" ").replace(" caused by: ", ": ");
    Some(text.trim_start_matches("error: ").to_string())
}

#[cfg(unix)]
fn signal(exit: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&exit)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_told_with_its_causes() {
        let log = "training on 4 images\nerror: an old one\nresumed\nerror: could not write a file\n  caused by: no space\n\
                   hint: make room\n";
        assert_eq!(last_error(log).unwrap(), "could not write a file: no space");
        assert_eq!(last_error("epoch 1 validation loss error: none"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_signal_is_named() {
        use std::os::unix::process::ExitStatusExt as _;
        let cause = |status| cause_of_death(ExitStatus::from_raw(status), Path::new("log.txt"));
        assert!(cause(9).contains("because memory ran out"));
        assert!(cause(6).contains("no more memory"));
        assert_eq!(cause(15), "it was ended by signal 15");
        assert_eq!(cause(0x100), "it ended with exit code 1 and said nothing; see log.txt");
    }
}

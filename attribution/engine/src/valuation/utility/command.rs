//! A user's command as a utility.

use std::{
    fmt,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
        Mutex, PoisonError,
    },
    thread,
    time::Duration,
};

use super::{check_subset, Utility};
use crate::{valuation::samples::check_count, Error};

/// Bytes of the longest answer, far above what a number needs.
const MAX_ANSWER: u64 = 4_096;
/// Characters of an answer that is no number which the message shows.
const SHOWN: usize = 80;

/// A utility that a long-lived process computes.
///
/// The process reads requests from standard input, one JSON object on each line, and answers each with
/// one line on standard output before it reads the next. Standard error goes to the caller's.
///
/// ```text
/// → {"subset":[0,4,7]}       the numbers of the data, strictly ascending, possibly none
/// ← 0.8125                   a finite decimal number, at most 4,096 bytes
/// ```
///
/// The answer must depend on the subset alone, and must be flushed. One process is started for each
/// thread that evaluates at the same time, when it first does. All are killed when the utility is
/// dropped; one that fails is killed at once and replaced at the next evaluation.
pub struct CommandUtility {
    data: usize,
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
    idle: Mutex<Vec<Process>>,
}

impl CommandUtility {
    /// Takes the number of training data, the program with its arguments (no shell in between) and
    /// how long one answer may take, the process's start included in the first.
    ///
    /// # Errors
    /// When the number of data is not in 1..=2³¹ − 1 or the timeout is zero. The program is first
    /// started when a subset is evaluated.
    pub fn new(
        data: usize,
        program: impl Into<String>,
        arguments: impl IntoIterator<Item = impl Into<String>>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        check_count("number of training data", data)?;
        if timeout.is_zero() {
            return Err(Error::parameter("timeout", "0 s", "above zero"));
        }
        Ok(Self {
            data,
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            timeout,
            idle: Mutex::default(),
        })
    }

    fn start(&self) -> Result<Process, Error> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| self.failed(format!("cannot be started: {error}")))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(self.failed("was started without its pipes"));
        };
        let (requests, incoming) = mpsc::channel();
        let (outgoing, answers) = mpsc::channel();
        // Reading and writing both block on a process that hangs, so another thread does both and
        // this one only waits as long as the timeout.
        thread::spawn(move || exchange(input, output, &incoming, &outgoing));
        Ok(Process {
            child,
            requests,
            answers,
        })
    }

    fn ask(&self, process: &mut Process, subset: &[u32]) -> Result<f64, Error> {
        // A thread that is gone has closed the channel of answers too.
        let _ = process.requests.send(request(subset));
        let answer = match process.answers.recv_timeout(self.timeout) {
            Ok(Ok(answer)) if !answer.is_empty() => answer,
            Ok(Err(error)) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                return Err(self.failed(format!("could not be talked to: {error}")));
            }
            Err(RecvTimeoutError::Timeout) => {
                return Err(self.failed(format!(
                    "did not answer within {} s for a subset of {} data: allow it more time, or \
                     make sure that it flushes its output after each line",
                    self.timeout.as_secs_f64(),
                    subset.len()
                )));
            }
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                // It has closed its pipes and, unless it wants to stay without them, is about to end.
                let status = match process.child.try_wait() {
                    Ok(Some(status)) => status.to_string(),
                    Ok(None) => "still running, its pipes closed".to_owned(),
                    Err(error) => format!("status unknown: {error}"),
                };
                return Err(self.failed(format!(
                    "ended before it answered ({status}): it must answer every line until its \
                     standard input ends"
                )));
            }
        };
        let shown = || {
            let text = String::from_utf8_lossy(&answer);
            format!(
                "{:?}",
                text.trim_end().chars().take(SHOWN).collect::<String>()
            )
        };
        if answer.last() != Some(&b'\n') {
            return Err(self.failed(format!(
                "answered {} without an end of line within {MAX_ANSWER} bytes: it must answer one \
                 number and a newline",
                shown()
            )));
        }
        let number = std::str::from_utf8(&answer)
            .ok()
            .and_then(|text| text.trim().parse::<f64>().ok());
        match number {
            Some(value) if value.is_finite() => Ok(value),
            _ => Err(self.failed(format!(
                "answered {} where one line with one finite number was expected",
                shown()
            ))),
        }
    }

    fn failed(&self, problem: impl Into<String>) -> Error {
        let mut command = self.program.clone();
        for argument in &self.arguments {
            command.push(' ');
            command.push_str(argument);
        }
        Error::UtilityCommand {
            command,
            problem: problem.into(),
        }
    }
}

impl Utility for CommandUtility {
    fn data(&self) -> usize {
        self.data
    }

    fn evaluate(&self, subset: &[u32]) -> Result<f64, Error> {
        check_subset(subset, self.data)?;
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let mut process = match waiting {
            Some(process) => process,
            None => self.start()?,
        };
        let value = self.ask(&mut process, subset)?;
        idle().push(process);
        Ok(value)
    }
}

impl fmt::Debug for CommandUtility {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CommandUtility")
            .field("data", &self.data)
            .field("program", &self.program)
            .field("arguments", &self.arguments)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A running command, killed when dropped.
struct Process {
    child: Child,
    requests: Sender<Vec<u8>>,
    answers: Receiver<std::io::Result<Vec<u8>>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where the process has already been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes requests to the process and its answers back until either side is gone.
fn exchange(
    mut input: ChildStdin,
    output: ChildStdout,
    requests: &Receiver<Vec<u8>>,
    answers: &Sender<std::io::Result<Vec<u8>>>,
) {
    let mut output = BufReader::new(output);
    while let Ok(request) = requests.recv() {
        let mut answer = Vec::new();
        let exchanged = input
            .write_all(&request)
            .and_then(|()| input.flush())
            .and_then(|()| {
                output
                    .by_ref()
                    .take(MAX_ANSWER)
                    .read_until(b'\n', &mut answer)
            });
        if answers.send(exchanged.map(|_| answer)).is_err() {
            return;
        }
    }
}

fn request(subset: &[u32]) -> Vec<u8> {
    let numbers = subset.iter().map(u32::to_string).collect::<Vec<_>>();
    format!("{{\"subset\":[{}]}}\n", numbers.join(",")).into_bytes()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::valuation::semivalues::{exact, Semivalue};

    fn shell(script: &str, seconds: f64) -> CommandUtility {
        let timeout = Duration::from_secs_f64(seconds);
        CommandUtility::new(5, "sh", ["-c", script], timeout).unwrap()
    }

    fn problem(script: &str, seconds: f64) -> String {
        shell(script, seconds)
            .evaluate(&[0, 3])
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_long_lived_process_answers_line_by_line() {
        // The number of digits in the request, since the subset has only one-digit numbers.
        let script = r#"while read -r line; do
            digits=$(printf %s "$line" | tr -cd 0-9); echo ${#digits}; done"#;
        let utility = shell(script, 10.0);
        assert_eq!(utility.evaluate(&[]).unwrap(), 0.0);
        assert_eq!(utility.evaluate(&[0, 2, 4]).unwrap(), 3.0);
        assert_eq!(utility.idle.lock().unwrap().len(), 1);
        assert!(utility.evaluate(&[5]).is_err());
        for value in exact(&utility, Semivalue::Shapley).unwrap() {
            assert!((value - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn requests_are_json_lines() {
        assert_eq!(request(&[]), b"{\"subset\":[]}\n");
        assert_eq!(request(&[0, 4, 17]), b"{\"subset\":[0,4,17]}\n");
        let echo = problem("cat", 10.0);
        assert!(
            echo.contains(r#"answered "{\"subset\":[0,3]}" where one line"#),
            "{echo}"
        );
    }

    #[test]
    fn failures_are_named_and_the_process_is_replaced() {
        assert!(problem("exit 3", 10.0).contains("ended before it answered"));
        assert!(problem("read -r line; echo NaN", 10.0).contains("\"NaN\" where one line"));
        assert!(problem("read -r line; printf 0.5", 10.0).contains("without an end of line"));
        assert!(problem("yes | tr -d '\\n'", 10.0).contains("within 4096 bytes"));
        assert!(problem("exec sleep 60", 0.1).contains("did not answer within 0.1 s"));
        let missing =
            CommandUtility::new(5, "/nonexistent/utility", [""; 0], Duration::from_secs(1))
                .unwrap();
        let error = missing.evaluate(&[]).unwrap_err().to_string();
        assert!(error.contains("cannot be started"), "{error}");

        let once = shell("read -r line; echo 1; exec sleep 60", 0.3);
        assert_eq!(once.evaluate(&[1]).unwrap(), 1.0);
        assert!(once.evaluate(&[1]).is_err());
        assert_eq!(once.evaluate(&[1]).unwrap(), 1.0);
    }

    #[test]
    fn refuses_bad_parameters() {
        let timeout = Duration::from_secs(1);
        assert!(CommandUtility::new(0, "true", [""; 0], timeout).is_err());
        assert!(CommandUtility::new(1, "true", [""; 0], Duration::ZERO).is_err());
    }
}

//! Says why a file of a run is not read.

use nix::errno::Errno;
use std::io;

/// Why a file is not read.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is not there any more.
    Gone,
    /// It is not what a process of this library has written for this run.
    Damaged(String),
    /// This process has no file descriptor or memory left. The next read may succeed.
    Unreadable(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Gone,
            io::ErrorKind::UnexpectedEof => damaged("it ends too early"),
            _ => match error.raw_os_error().map(Errno::from_raw) {
                Some(Errno::ELOOP) => damaged("it is a link"),
                Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::EINTR) => Self::Unreadable(error),
                // For example EIO or EACCES: waiting for its end would hide the other processes.
                _ => Self::Damaged(error.to_string()),
            },
        }
    }
}

pub(super) fn damaged(what: &str) -> Refusal {
    Refusal::Damaged(what.to_owned())
}

//! Turns of a run: of the processes that do the same for all of them, one does it at a time. A lock on a file says whose turn
//! it is, and shared locks on another file say who takes part. Locks go with their process.

use super::folder::{TURN, is_there, lock_file};
use super::record::hash;
use crate::registry::Turn;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// The file of those that take part has this behind its name.
const TAKING_PART: &str = ".all";
/// A longer text is not one that was agreed on.
const TEXT_MAX: u64 = 1024;

/// A place among those that take turns.
pub(super) struct FileTurn {
    path: PathBuf,
    all: PathBuf,
    /// Locked by the one whose turn it is. Its text is what all have agreed on, its time is what was last kept.
    own: Option<Flock<File>>,
    /// Locked by each that takes part.
    place: Option<Flock<File>>,
    has_left: bool,
}

impl FileTurn {
    pub(super) fn new(folder: &Path, key: &str) -> Self {
        let name = format!("{TURN}{:016x}", hash(key.as_bytes()));
        let (path, all) = (folder.join(&name), folder.join(name + TAKING_PART));
        Self { path, all, own: None, place: None, has_left: false }
    }
}

/// True for a locked file that is not the run's any more, because its folder was removed.
fn is_lost(path: &Path, file: Option<&Flock<File>>) -> bool {
    file.is_none_or(|file| !is_there(path, file))
}

impl Turn for FileTurn {
    fn is_own(&mut self) -> io::Result<bool> {
        if !self.has_left && is_lost(&self.all, self.place.as_ref()) {
            self.place = lock_file(&self.all, FlockArg::LockSharedNonblock).ok().flatten();
        }
        if is_lost(&self.path, self.own.as_ref()) {
            match lock_file(&self.path, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => self.own = lock,
                // While there is no folder, the one whose turn it is goes on, and the others wait.
                Err(error) if self.own.is_none() && error.kind() != ErrorKind::NotFound => return Err(error),
                Err(_) => {}
            }
        }
        Ok(self.own.is_some())
    }

    fn agreed(&self, proposal: &str) -> String {
        let mut text = String::new();
        if let Some(mut file) = self.own.as_deref() {
            let read = file.rewind().and_then(|()| file.take(TEXT_MAX).read_to_string(&mut text));
            if read.is_ok_and(|length| length == 0) {
                // Without room for it, the next one proposes its own.
                let _ = file.write_all(proposal.as_bytes());
            }
        }
        if text.is_empty() { proposal.to_owned() } else { text }
    }

    fn kept(&self) -> Option<i64> {
        let time = self.own.as_ref()?.metadata().ok()?.modified().ok()?;
        i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    }

    fn keep(&self, time_ms: i64) {
        let time = u64::try_from(time_ms).map(|ms| UNIX_EPOCH + Duration::from_millis(ms));
        if let (Some(file), Ok(time)) = (&self.own, time) {
            let _ = file.set_modified(time);
        }
    }

    fn leave(&mut self) -> bool {
        self.has_left = true;
        match self.place.take() {
            Some(place) => place.relock(FlockArg::LockExclusiveNonblock).is_ok(),
            None => lock_file(&self.all, FlockArg::LockExclusiveNonblock).is_ok_and(|lock| lock.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, RandomState};

    #[test]
    fn one_has_the_turn_and_the_next_one_goes_on_where_it_was() -> io::Result<()> {
        let folder = std::env::temp_dir().join(format!("turn-{:x}", RandomState::new().hash_one(0)));
        std::fs::create_dir_all(&folder)?;
        let [mut one, mut two, mut other] = ["a", "a", "b"].map(|key| FileTurn::new(&folder, key));
        assert!(one.is_own()? && !two.is_own()? && one.is_own()?, "it stays");
        assert!(other.is_own()?, "it does something else");
        assert_eq!((one.agreed("one"), one.agreed("again")), ("one".to_owned(), "one".to_owned()));
        one.keep(1_234_567);
        assert!(!one.leave(), "another one takes part");
        assert!(!two.is_own()?, "it has left, and has the turn for the moment");
        drop(one);
        assert!(two.is_own()?);
        assert_eq!((two.agreed("two").as_str(), two.kept()), ("one", Some(1_234_567)));
        // The folder is removed, and made again.
        std::fs::remove_dir_all(&folder)?;
        assert!(two.is_own()?);
        std::fs::create_dir(&folder)?;
        let mut three = FileTurn::new(&folder, "a");
        assert!(three.is_own()? && !two.is_own()?);
        assert!(!three.leave() && two.leave() && three.leave());
        drop(three);
        assert!(two.is_own()?, "the last one waits for it");
        std::fs::remove_dir_all(&folder)
    }
}

//! The folder of a run: its lock, the files of its processes, and what ended processes leave behind.

use super::files::{has_ended, open};
use super::member::{file_name, identity_of, is_unfinished};
use super::place::prepare;
use super::totals;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// Locked by the process that joins, folds or removes.
const LOCK: &str = "lock";
/// Its presence says that the totals outlive the last process.
pub(super) const KEPT: &str = "keep";
/// How long a process that joins waits for the lock.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Its time is that of the last read of the run.
pub(super) const READ: &str = "read";
/// How the files of turns are named, with a number for what is done in turn.
pub(super) const TURN: &str = "turn-";

/// The names of the files in a folder. Those of a run are text.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        found.extend(entry?.file_name().into_string());
    }
    Ok(found)
}

/// The identities of the files of a run.
pub(super) fn identities(folder: &Path) -> io::Result<Vec<u64>> {
    Ok(names(folder)?.iter().filter_map(|name| identity_of(name)).collect())
}

/// The file of a live process; `None` if the process has ended, or has no file.
pub(super) fn of_live(folder: &Path, identity: u64) -> io::Result<Option<File>> {
    let file = match open(&folder.join(file_name(identity))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A link is no process's file.
        Err(error) if error.raw_os_error() == Some(Errno::ELOOP as i32) => return Ok(None),
        // Of a process for which this one has no file descriptor left, for example: it may live.
        opened => opened?,
    };
    Ok(if has_ended(&file)? { None } else { Some(file) })
}

/// Locks a run, if no other process has; `None` otherwise, and if the folder was removed meanwhile.
pub(super) fn lock(folder: &Path) -> io::Result<Option<Flock<File>>> {
    lock_file(&folder.join(LOCK), FlockArg::LockExclusiveNonblock)
}

/// The same for any file of a run.
pub(super) fn lock_file(path: &Path, how: FlockArg) -> io::Result<Option<Flock<File>>> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    let file = options.custom_flags(OFlag::O_NOFOLLOW.bits()).open(path)?;
    Ok(Flock::lock(file, how).ok().filter(|file| is_there(path, file)))
}

/// True if the path still leads to the file.
pub(super) fn is_there(path: &Path, file: &File) -> bool {
    let is_same = std::fs::metadata(path).and_then(|there| Ok(there.ino() == file.metadata()?.ino()));
    is_same.unwrap_or(false)
}

/// Locks the folder, with some patience. Makes the folder again if another process removes it.
pub(super) fn lock_patiently(folder: &Path, patience: Duration) -> io::Result<Flock<File>> {
    let begun = Instant::now();
    loop {
        match lock(folder) {
            Ok(Some(lock)) => return Ok(lock),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                prepare(folder).map_err(io::Error::other)?
            }
            Err(error) => return Err(error),
            Ok(None) => {}
        }
        if begun.elapsed() >= patience {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds its lock"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// True if a process of the run lives. The caller holds the run's lock.
pub(super) fn is_live(folder: &Path) -> io::Result<bool> {
    for identity in identities(folder)? {
        if of_live(folder, identity)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what processes left that were killed while they joined. The caller holds the run's lock, as they did.
pub(super) fn remove_unfinished(folder: &Path) -> io::Result<()> {
    remove(folder, is_unfinished)
}

/// Removes the files of a run without live processes. The caller holds its lock.
pub(super) fn empty(folder: &Path) -> io::Result<()> {
    remove(folder, |name| {
        identity_of(name).is_some()
            || is_unfinished(name)
            || [totals::NAME, TURN].iter().any(|prefix| name.starts_with(prefix))
            || name == READ
    })
}

fn remove(folder: &Path, is_wanted: fn(&str) -> bool) -> io::Result<()> {
    for name in names(folder)?.iter().filter(|name| is_wanted(name)) {
        std::fs::remove_file(folder.join(name))?;
    }
    Ok(())
}

/// Removes runs of the same user in which no process lives.
pub(super) fn remove_old_runs(base: &Path, own: &Path, owner: u32) {
    for name in names(base).unwrap_or_default() {
        let folder = base.join(&name);
        let number = name.strip_prefix(super::place::PREFIX);
        let is_run = number.is_some_and(|number| u64::from_str_radix(number, 16).is_ok());
        let is_own = std::fs::symlink_metadata(&folder).is_ok_and(|it| it.is_dir() && it.uid() == owner);
        if !is_run || !is_own || folder == own || folder.join(KEPT).exists() {
            continue;
        }
        if let Ok(Some(_lock)) = lock(&folder)
            && is_live(&folder).is_ok_and(|live| !live)
            && empty(&folder).is_ok()
        {
            let _ = std::fs::remove_file(folder.join(LOCK));
            let _ = std::fs::remove_dir(&folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, RandomState};
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    /// A run whose processes are taken for ended is emptied. A socket stands for a file that cannot be opened for now.
    #[test]
    fn a_file_that_cannot_be_opened_may_be_that_of_a_live_process() -> io::Result<()> {
        let base = std::env::temp_dir().join(format!("folder-{:x}", RandomState::new().hash_one(0)));
        let run = base.join(format!("{}{:016x}", crate::processes::place::PREFIX, 1));
        std::fs::create_dir_all(&run)?;
        symlink("/nowhere", run.join(file_name(1)))?;
        std::fs::write(run.join(file_name(2)), "of an ended process")?;
        assert!(!is_live(&run)?);
        let socket = run.join(file_name(3));
        let _listener = UnixListener::bind(&socket)?;
        assert!(is_live(&run).is_err());
        remove_old_runs(&base, &base, crate::processes::place::user());
        assert!(run.join(file_name(2)).exists(), "it was not emptied");
        std::fs::remove_file(&socket)?;
        remove_old_runs(&base, &base, crate::processes::place::user());
        assert!(!run.exists());
        std::fs::remove_dir_all(&base)
    }
}

//! Joins a process to the run of its service, and asks what the run knows of its processes.

use crate::error::Result;
use crate::registry::{Contributor, Process};
use std::path::PathBuf;

/// How a process takes part in the run of its service.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct JoinOptions {
    /// The folder of runs. Without one: `/dev/shm`, or the system's folder for temporary files.
    pub dir: Option<PathBuf>,
    /// The name of the service.
    pub name: String,
    /// The folder of the run itself, if the program knows it. `dir` and `name` are ignored then.
    pub run: Option<PathBuf>,
    /// The value of the process's label `worker`. Without one its series have no such label.
    pub worker: Option<String>,
    /// Whether the counts outlive the last process.
    pub keep: bool,
    /// Whether to fail at once if another process holds the run's lock, instead of after five seconds.
    pub at_once: bool,
}

setters!(JoinOptions {
    dir: Option<PathBuf>,
    name: String,
    run: Option<PathBuf>,
    worker: Option<String>,
    keep: bool,
    at_once: bool,
});

/// Joins the run of a service, with the contributor's values of now; returns the run's folder. Does nothing for a
/// contributor that has joined. Call it on the contributor's thread, before other threads record in its families: the values
/// move to a file, and what another thread adds to one at that moment may be lost.
///
/// # Errors
/// `InvalidConfig` for a folder that cannot be used, and on systems other than Linux.
pub fn join(process: &Process, contributor: &Contributor, options: &JoinOptions) -> Result<PathBuf> {
    imp::join(process, contributor, options)
}

/// The folder of the run that `join` would join, which it may make; `None` on systems other than Linux. Makes nothing.
#[must_use]
pub fn run_folder(options: &JoinOptions) -> Option<PathBuf> {
    imp::folder_of(options).ok()
}

/// Joins a contributor to the run of its process; does nothing without a run.
///
/// # Errors
/// `InvalidConfig` if the contributor cannot have a file.
pub fn join_run_of(process: &Process, contributor: &Contributor) -> Result<()> {
    match process.state().run {
        Some(_) => join(process, contributor, &JoinOptions::default()).map(drop),
        None => Ok(()),
    }
}

/// Looks after the contributor's file: makes another one if it is gone, because programs that clean up remove files of
/// others, and drops the records of removed series from its log. Returns whether the file is another one. Call it on the
/// contributor's thread, about once a second; a call takes a millisecond or two if there is much to do.
///
/// # Errors
/// `InvalidConfig` if the contributor cannot have a file.
pub fn look_after(process: &Process, contributor: &Contributor) -> Result<bool> {
    if imp::rejoin(process, contributor)? {
        return Ok(true);
    }
    process.state().run.iter().for_each(|run| run.tidy());
    if let Some(journal) = contributor.journal() {
        contributor.compact_journal();
        journal.tell_elsewhere(process.unshared_series());
    }
    Ok(false)
}

/// Keeps a warning until `take_warnings` is called; does nothing without a run.
pub fn warn(process: &Process, message: &str) {
    process.state().run.iter().for_each(|run| run.warn(message.to_owned()));
}

/// What the run has to warn of since the last call, for programs that do not log by `tracing`.
#[must_use]
pub fn take_warnings(process: &Process) -> Vec<String> {
    process.state().run.as_ref().map(|run| run.take_warnings()).unwrap_or_default()
}

/// The process numbers of the live processes of the run, this one included; empty without a run.
#[must_use]
pub fn live_processes(process: &Process) -> Vec<u32> {
    process.state().run.as_ref().map(|run| run.processes()).unwrap_or_default()
}

/// True if another process has read the run since the last call: its next reader expects newer values of collectors.
#[must_use]
pub fn was_read(process: &Process) -> bool {
    process.state().run.as_ref().is_some_and(|run| run.was_read())
}

/// Says which ports this contributor listens on, and which it is trying to.
pub fn announce_ports(contributor: &Contributor, listening: &[u32], tried: &[u32]) {
    contributor.journal().iter().for_each(|journal| journal.set_ports(listening, tried));
}

/// Whether another live contributor of the run listens on this port: `Some(false)` while it is trying to.
#[must_use]
pub fn port_use(process: &Process, contributor: &Contributor, port: u32) -> Option<bool> {
    process.state().run.as_ref()?.port_use(contributor.number(), port)
}

#[cfg(target_os = "linux")]
mod imp {
    use super::{Contributor, JoinOptions, PathBuf, Process, Result};
    use crate::processes::folder::{
        KEPT, PATIENCE, empty, is_live, lock, lock_patiently, remove_old_runs, remove_unfinished,
    };
    use crate::processes::layout::{Header, block_bytes};
    use crate::processes::member::Member;
    use crate::processes::place::{default_base, folder_of_run, prepare, refused, started, user};
    use crate::processes::run::SharedRun;
    use crate::registry::{Journal, Run};
    use crate::sync::Arc;
    use std::hash::{BuildHasher, RandomState};
    use std::io;
    use std::path::Path;
    use std::time::Duration;

    pub(super) fn join(
        process: &Process,
        contributor: &Contributor,
        options: &JoinOptions,
    ) -> Result<PathBuf> {
        if let Some(run) = &process.state().run {
            let folder = run.folder();
            if contributor.number().is_none() {
                enter_run(folder, contributor, run.worker()).map_err(|error| failed(folder, &error))?;
            }
            return Ok(folder.to_owned());
        }
        let folder = folder_of(options)?;
        prepare(&folder)?;
        let begins =
            begin(&folder, process, contributor, options).map_err(|error| failed(&folder, &error))?;
        if let (true, Some(base)) = (begins, folder.parent()) {
            remove_old_runs(base, &folder, user());
        }
        // If all processes end soon after they begin, none of them is there for a minute.
        process.state().run.iter().for_each(|run| run.tidy());
        Ok(folder)
    }

    pub(super) fn rejoin(process: &Process, contributor: &Contributor) -> Result<bool> {
        let state = process.state();
        let journal = contributor.journal();
        let (Some(run), true) = (&state.run, journal.as_ref().is_none_or(|journal| journal.is_lost())) else {
            return Ok(false);
        };
        let folder = run.folder();
        prepare(folder)?;
        let enter_again = || -> io::Result<bool> {
            // If another process has the lock, the next call tries again: the program does not wait.
            let Some(_lock) = lock(folder)? else { return Ok(false) };
            if let Some(journal) = journal {
                contributor.unshare();
                journal.end();
            }
            run.restore();
            enter(folder, contributor, run.worker())?.publish().inspect_err(|_| contributor.unshare())?;
            Ok(true)
        };
        enter_again().map_err(|error| failed(folder, &error))
    }

    /// An absolute path: the program may change its working directory, and processes may have different ones.
    pub(super) fn folder_of(options: &JoinOptions) -> Result<PathBuf> {
        let base = options.dir.clone().unwrap_or_else(default_base);
        let folder = options.run.clone().unwrap_or_else(|| folder_of_run(&base, &options.name, options.keep));
        std::path::absolute(&folder).map_err(|error| failed(&folder, &error))
    }

    fn failed(folder: &Path, error: &io::Error) -> crate::MetricsError {
        refused(format!("Expected to share metrics in {} but failed: {error}", folder.display()))
    }

    /// Joins a run with its process; returns true if the run begins.
    fn begin(
        folder: &Path,
        process: &Process,
        contributor: &Contributor,
        options: &JoinOptions,
    ) -> io::Result<bool> {
        let patience = if options.at_once { Duration::ZERO } else { PATIENCE };
        let _lock = lock_patiently(folder, patience)?;
        let begins = !is_live(folder)?;
        if begins && !options.keep && !folder.join(KEPT).exists() {
            empty(folder)?;
        }
        if options.keep {
            std::fs::write(folder.join(KEPT), [])?;
        }
        remove_unfinished(folder)?;
        let member = enter(folder, contributor, options.worker.as_deref().unwrap_or_default())?;
        let run = Arc::new(SharedRun::new(folder.to_owned(), user(), &member.header));
        let kept = Arc::clone(&run);
        let entered = process.enter_run(run as Arc<dyn Run>, |retired| {
            // If this fails, nothing must be in the totals: a second call would add it again.
            member.publish()?;
            kept.keep(retired).inspect_err(|_| member.withdraw())
        });
        entered.inspect_err(|_| contributor.unshare())?;
        Ok(begins)
    }

    /// Joins another contributor of a process to the run that the process is in.
    fn enter_run(folder: &Path, contributor: &Contributor, worker: &str) -> io::Result<()> {
        let _lock = lock_patiently(folder, PATIENCE)?;
        enter(folder, contributor, worker)?.publish().inspect_err(|_| contributor.unshare())
    }

    /// Gives a contributor a file that is not published yet, and moves its cells there.
    fn enter(folder: &Path, contributor: &Contributor, worker: &str) -> io::Result<Arc<Member>> {
        let pid = std::process::id();
        let identity = RandomState::new().hash_one(pid);
        let (started, began, block) = (started(pid), contributor.began(), block_bytes());
        let header = Header { identity, pid, started, began, block, worker: worker.to_owned() };
        let member = Arc::new(Member::create(folder, header)?);
        let adopter = Arc::clone(&member);
        contributor.cells().adopt_slabs(Box::new(move |number, slab| adopter.adopt(number, slab)));
        contributor.share(identity, Arc::clone(&member) as Arc<dyn Journal>);
        Ok(member)
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::{Contributor, JoinOptions, PathBuf, Process, Result};
    use crate::error::{ErrorKind, MetricsError};

    pub(super) fn rejoin(_: &Process, _: &Contributor) -> Result<bool> {
        Ok(false)
    }

    pub(super) fn join(_: &Process, _: &Contributor, options: &JoinOptions) -> Result<PathBuf> {
        folder_of(options)
    }

    /// Without locks that end with their process, and memory that a file can take the place of.
    pub(super) fn folder_of(_: &JoinOptions) -> Result<PathBuf> {
        Err(MetricsError::new(
            ErrorKind::InvalidConfig,
            "Expected Linux but received another system: it cannot share metrics between processes",
        ))
    }
}

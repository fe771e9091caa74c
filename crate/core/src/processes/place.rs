//! Where the files of a run are: finds the folder that all processes of one service choose, and no other service does.

use super::record::hash;
use crate::error::{ErrorKind, MetricsError, Result};
use nix::sys::statfs;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How the folders of runs are named.
pub(super) const PREFIX: &str = "prometheus-metrics-";
/// Memory that all processes of a system, or of a container, share.
const SHARED_MEMORY: &str = "/dev/shm";

/// Magic numbers (`statfs(2)`) of tmpfs, ext2 to ext4, XFS and overlay. They keep the room that was taken for a page, so that a
/// later write to it cannot fail. Those that write a page to another place each time, such as btrfs and ZFS, do not: on a
/// full disk the write ends the process. Network file systems may not share locks or mappings with every process.
const FILE_SYSTEMS: [i64; 4] = [0x0102_1994, 0xef53, 0x5846_5342, 0x794c_7630];

pub(super) fn refused(message: String) -> MetricsError {
    MetricsError::new(ErrorKind::InvalidConfig, message)
}

/// The user that this process runs as.
pub(super) fn user() -> u32 {
    // The system makes the folder for this process, as its user's.
    std::fs::metadata("/proc/self").map_or(u32::MAX, |metadata| metadata.uid())
}

/// The folder of the run of a service: another one for each name, user, container and parent process. Counts that are kept
/// outlive the parent and the container, so the folder of `keep` is the same for each.
pub(super) fn folder_of_run(base: &Path, name: &str, keep: bool) -> PathBuf {
    base.join(format!("{PREFIX}{:016x}", hash(run_of(name, keep).as_bytes())))
}

/// The folder for runs if the program names none.
pub(super) fn default_base() -> PathBuf {
    let memory = Path::new(SHARED_MEMORY);
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// What all processes of a run have in common, and no others.
fn run_of(name: &str, keep: bool) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let link = |path: &str| std::fs::read_link(path).map_or(String::new(), |it| it.display().to_string());
    let service = format!("{name}\n{}\n", user());
    if keep {
        return service;
    }
    // Containers of one pod may have their processes in common, and each sees its own control group as the root.
    let spaces = ["pid", "cgroup", "mnt"].map(|space| link(&format!("/proc/self/ns/{space}"))).join(" ");
    let group = read("/proc/self/cgroup");
    let parent = std::os::unix::process::parent_id();
    let boot = read("/proc/sys/kernel/random/boot_id");
    format!("{service}{group}{spaces}\n{boot}{parent} {}", started(parent))
}

/// When a process started, in ticks since the system's start; 0 for an unknown one.
pub(super) fn started(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The 22nd field. The second may have blanks and brackets.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_ascii_whitespace().nth(19).and_then(|ticks| ticks.parse().ok()).unwrap_or_default()
}

/// Makes the folder if it is missing, and checks that its files can be shared, and that no other user can change them.
pub(super) fn prepare(folder: &Path) -> Result<()> {
    let failed = |error: std::io::Error| {
        refused(format!(
            "Expected a folder for shared metrics but failed to use {}: {error}",
            folder.display()
        ))
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let metadata = std::fs::symlink_metadata(folder).map_err(failed)?;
    let is_private = metadata.permissions().mode() & 0o022 == 0;
    if !metadata.is_dir() || metadata.uid() != user() || !is_private {
        return Err(refused(format!(
            "Expected a folder that only this user can write for shared metrics but received {}",
            folder.display()
        )));
    }
    let system = statfs::statfs(folder).map_err(|error| failed(error.into()))?;
    let kind = system.filesystem_type().0 as i64;
    if !FILE_SYSTEMS.contains(&kind) {
        return Err(refused(format!(
            "Expected a folder on tmpfs, ext4, XFS or overlay for shared metrics but {} is on another file system ({kind:#x})",
            folder.display()
        )));
    }
    Ok(())
}

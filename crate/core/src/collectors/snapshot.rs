//! Reads all figures of this process from the operating system at once. The only file of the collectors with code for single
//! platforms. A figure that a platform does not have is `None`.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Figures of this process at one moment; bytes and seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Snapshot {
    pub(super) cpu_user: Option<f64>,
    pub(super) cpu_system: Option<f64>,
    pub(super) cpu: Option<f64>,
    /// Since the epoch.
    pub(super) start_time: Option<f64>,
    pub(super) resident: Option<f64>,
    pub(super) virtual_memory: Option<f64>,
    pub(super) heap: Option<f64>,
    pub(super) open_fds: Option<f64>,
    /// Infinite if there is no limit.
    pub(super) max_fds: Option<f64>,
    pub(super) threads: Option<f64>,
}

/// A scrape asks for all figures within some microseconds; reading them takes 20 to 70 µs.
const SHARED_FOR: Duration = Duration::from_millis(1);

impl Snapshot {
    /// The figures now. Calls of one thread within a millisecond share the values of the first call.
    pub(super) fn now() -> Self {
        // A scrape runs on one thread, so no lock is needed to share within it.
        thread_local!(static LAST: Cell<Option<(Instant, Snapshot)>> = const { Cell::new(None) });
        LAST.with(|last| match last.get() {
            Some((taken, snapshot)) if taken.elapsed() < SHARED_FOR => snapshot,
            _ => {
                let snapshot = Self::read();
                last.set(Some((Instant::now(), snapshot)));
                snapshot
            }
        })
    }

    #[cfg(target_os = "linux")]
    fn read() -> Self {
        let mut snapshot =
            Self { start_time: linux::start_time(), open_fds: linux::open_fds(), ..Self::default() };
        linux::add_status(&mut snapshot);
        unix::add_usage(&mut snapshot);
        unix::add_limits(&mut snapshot);
        snapshot
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::cast_precision_loss, reason = "samples are doubles")]
    fn read() -> Self {
        let told = metrics_process::collector::collect();
        let number = |figure: Option<u64>| figure.map(|figure| figure as f64);
        #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has more figures"))]
        let mut snapshot = Self {
            cpu: told.cpu_seconds_total,
            start_time: number(told.start_time_seconds),
            resident: number(told.resident_memory_bytes),
            virtual_memory: number(told.virtual_memory_bytes),
            open_fds: number(told.open_fds),
            max_fds: number(told.max_fds),
            threads: number(told.threads),
            ..Self::default()
        };
        #[cfg(unix)]
        unix::add_usage(&mut snapshot);
        #[cfg(unix)]
        unix::add_limits(&mut snapshot);
        snapshot
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::Snapshot;
    use nix::time::{ClockId, clock_gettime};
    use procfs::process::Process;
    use std::fs::File;
    use std::io::Read as _;
    use std::sync::LazyLock;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    const FDS: &str = "/proc/self/fd";

    /// Reads `VmSize`, `VmRSS`, `VmData` and `Threads` of `/proc/self/status`. `procfs` parses the sixty other lines too and
    /// takes 42 µs; finding these four takes 15.
    pub(super) fn add_status(snapshot: &mut Snapshot) {
        // One read is enough, except for very long lists of groups.
        let mut text = String::with_capacity(4096);
        let read = File::open("/proc/self/status").and_then(|mut file| file.read_to_string(&mut text));
        if read.is_err() {
            return;
        }
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            match name {
                "VmSize" => snapshot.virtual_memory = bytes(value),
                "VmRSS" => snapshot.resident = bytes(value),
                "VmData" => snapshot.heap = bytes(value),
                "Threads" => snapshot.threads = value.trim().parse().ok(),
                _ => {}
            }
        }
    }

    /// `\t   1708 kB`, in which a kB is 1,024 bytes.
    fn bytes(value: &str) -> Option<f64> {
        let kib: f64 = value.trim().strip_suffix(" kB")?.trim_end().parse().ok()?;
        Some(kib * 1024.0)
    }

    /// Read once: it never changes. The system's clock minus the process's age, and not the boot time of `/proc/stat`: in a
    /// container that file may be the host's, the container's, or missing.
    pub(super) fn start_time() -> Option<f64> {
        static START_TIME: LazyLock<Option<f64>> = LazyLock::new(|| {
            let stat = Process::myself().and_then(|process| process.stat()).ok()?;
            let started = number(stat.starttime) / number(procfs::ticks_per_second());
            let since_boot = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?).as_secs_f64();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
            Some(now - (since_boot - started).max(0.0))
        });
        *START_TIME
    }

    /// Since Linux 6.2 the directory's size is the count. Before, the size is 0: count the entries, minus the descriptor that
    /// reading the directory opens.
    pub(super) fn open_fds() -> Option<f64> {
        match std::fs::metadata(FDS).ok()?.len() {
            0 => std::fs::read_dir(FDS).ok().map(|entries| number(entries.count().saturating_sub(1) as u64)),
            count => Some(number(count)),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "samples are doubles")]
    fn number(figure: u64) -> f64 {
        figure as f64
    }
}

#[cfg(unix)]
mod unix {
    use super::Snapshot;
    use nix::sys::resource::{RLIM_INFINITY, Resource, UsageWho, getrlimit, getrusage};
    use nix::sys::time::{TimeVal, TimeValLike as _};

    /// `getrusage` counts microseconds; `/proc/self/stat` counts only hundredths of a second.
    pub(super) fn add_usage(snapshot: &mut Snapshot) {
        let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return };
        let (user, system) = (seconds(usage.user_time()), seconds(usage.system_time()));
        snapshot.cpu_user = Some(user);
        snapshot.cpu_system = Some(system);
        snapshot.cpu = Some(user + system);
    }

    pub(super) fn add_limits(snapshot: &mut Snapshot) {
        let Ok((soft, _)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
        #[expect(clippy::cast_precision_loss, reason = "samples are doubles")]
        let finite = soft as f64;
        snapshot.max_fds = Some(if soft == RLIM_INFINITY { f64::INFINITY } else { finite });
    }

    #[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
    fn seconds(time: TimeVal) -> f64 {
        time.num_microseconds() as f64 / 1e6
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::Snapshot;
    use std::fs::File;

    #[test]
    fn open_descriptors_are_counted_exactly() {
        let before = Snapshot::read().open_fds.expect("Linux has the figure");
        let files: Vec<File> =
            (0..50).map(|_| File::open("/proc/self/stat").expect("every process has it")).collect();
        let during = Snapshot::read().open_fds.expect("Linux has the figure");
        // Other tests of this process open files too, but not dozens.
        assert!((45.0..70.0).contains(&(during - before)), "{before} then {during}");
        drop(files);
    }

    #[test]
    fn calls_within_a_scrape_share_one_reading() {
        let (first, second) = (Snapshot::now(), Snapshot::now());
        assert_eq!(first.cpu, second.cpu);
        std::thread::sleep(2 * super::SHARED_FOR);
        let spun = std::time::Instant::now();
        while spun.elapsed() < super::SHARED_FOR {}
        assert!(Snapshot::now().cpu > first.cpu);
    }
}

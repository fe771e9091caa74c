//! The threads of the library. They are its own: on the embedding program's pool a scrape would wait behind that
//! program's work, and few of them leave the other cores of a machine to it.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;

/// Work for a thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Writes expositions: as many at once as there are threads; further ones wait.
pub(crate) static EXPOSITIONS: Workers = Workers::new("prometheus-scrape", 2, usize::MAX);

/// Hashes passwords: one at a time, because an attack must not take every core, and few that wait.
pub(crate) static HASHES: Workers = Workers::new("prometheus-hash", 1, 16);

/// Threads that are started when there is work for them, and then wait for more.
pub(crate) struct Workers {
    name: &'static str,
    max_threads: usize,
    max_waiting: usize,
    queue: Mutex<Queue>,
    work: Condvar,
}

struct Queue {
    jobs: VecDeque<Job>,
    idle: usize,
    threads: usize,
}

impl Workers {
    const fn new(name: &'static str, max_threads: usize, max_waiting: usize) -> Self {
        let queue = Queue { jobs: VecDeque::new(), idle: 0, threads: 0 };
        Self { name, max_threads, max_waiting, queue: Mutex::new(queue), work: Condvar::new() }
    }

    /// Has a job done by a thread, which is started for it if all are busy and there may be another. Where the system
    /// gives no thread at all, the job is done here. Returns whether it was taken: not if too many wait.
    pub(crate) fn submit(&'static self, job: Job) -> bool {
        let mut queue = self.queue.lock();
        if queue.jobs.len() >= self.max_waiting {
            return false;
        }
        queue.jobs.push_back(job);
        if queue.jobs.len() > queue.idle && queue.threads < self.max_threads {
            let started = std::thread::Builder::new().name(self.name.to_owned()).spawn(|| self.run());
            match started {
                Ok(_) => queue.threads += 1,
                Err(_) if queue.threads == 0 => {
                    let job = queue.jobs.pop_back();
                    drop(queue);
                    if let Some(job) = job {
                        job();
                    }
                    return true;
                }
                Err(_) => {}
            }
        }
        self.work.notify_one();
        true
    }

    fn run(&self) {
        let mut queue = self.queue.lock();
        loop {
            match queue.jobs.pop_front() {
                Some(job) => {
                    drop(queue);
                    // What a job may fail of, it catches: this keeps a thread from being lost to what it does not.
                    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
                    queue = self.queue.lock();
                }
                None => {
                    queue.idle += 1;
                    self.work.wait(&mut queue);
                    queue.idle -= 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_job_that_panics_costs_no_thread() {
        static WORKERS: Workers = Workers::new("test", 2, usize::MAX);
        let (sender, receiver) = mpsc::channel();
        for number in 0..6 {
            WORKERS.submit(Box::new(|| panic!("as it must")));
            let sender = sender.clone();
            WORKERS.submit(Box::new(move || sender.send(number).expect("the test waits")));
        }
        let mut done: Vec<usize> = (0..6).map(|_| receiver.recv().expect("all are done")).collect();
        done.sort_unstable();
        assert_eq!(done, (0..6).collect::<Vec<_>>());
    }

    #[test]
    fn what_waits_is_bounded() {
        static WORKERS: Workers = Workers::new("test", 1, 2);
        let (sender, receiver) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        assert!(WORKERS.submit(Box::new(move || {
            begun.send(()).expect("the test waits");
            let _ = receiver.recv();
        })));
        has_begun.recv().expect("the job begins");
        assert!(WORKERS.submit(Box::new(|| {})));
        assert!(WORKERS.submit(Box::new(|| {})));
        assert!(!WORKERS.submit(Box::new(|| {})));
        drop(sender);
    }
}

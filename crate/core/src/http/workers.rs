//! Runs jobs on the library's own threads. In the host program's pool a scrape would wait behind that program's work.
//! There are few threads, so that the other cores are free for the host program.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;

/// Work for a thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Makes expositions, two at once; others wait.
pub(crate) static EXPOSITIONS: Workers = Workers::new("prometheus-scrape", 2, usize::MAX);

/// Hashes passwords, one at a time, so that an attack cannot use all cores. Few can wait.
pub(crate) static HASHES: Workers = Workers::new("prometheus-hash", 1, 16);

/// Threads that are started on demand and then wait for more jobs.
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

    /// Gives a job to a thread. If all threads are busy and the maximum is not reached, a new one is started. If the
    /// system cannot start any thread, the job runs on the calling thread. Returns false if the queue is full.
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
                    // Jobs handle their own errors; this only keeps the thread alive if one panics unexpectedly.
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
    fn the_queue_is_bounded() {
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

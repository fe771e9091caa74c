//! Keeps the pushes that wait for the receiver: a ring with limits of number and bytes, in which the newest push always has a
//! place. Metrics are cumulative, so what it drops costs resolution and no counts. It must not know connections.

use std::collections::VecDeque;
use std::sync::Arc;

/// One request, ready to be sent.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) body: Vec<u8>,
    /// The samples or data points in it.
    pub(super) samples: u64,
    /// It is written in version 2.0 of remote write.
    pub(super) is_second: bool,
    /// Where it goes, if not to the receiver's own path.
    pub(super) path: Option<String>,
}

/// What one gathering has become.
#[derive(Debug)]
pub(super) struct Push {
    /// Ascending.
    pub(super) id: u64,
    pub(super) requests: VecDeque<Arc<Request>>,
}

impl Push {
    fn bytes(&self) -> usize {
        self.requests.iter().map(|request| request.body.len()).sum()
    }
}

/// The waiting pushes, the oldest first.
pub(super) struct Queue {
    pushes: VecDeque<Push>,
    /// The oldest is being sent: the receiver may have it already, so it is not displaced.
    is_sending: bool,
    max_pushes: usize,
    max_bytes: usize,
}

impl Queue {
    pub(super) fn new(max_pushes: usize, max_bytes: usize) -> Self {
        Self { pushes: VecDeque::new(), is_sending: false, max_pushes, max_bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.pushes.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.pushes.iter().map(Push::bytes).sum()
    }

    /// Adds the newest push; returns the ids of those that it displaces.
    pub(super) fn add(&mut self, push: Push) -> Vec<u64> {
        self.pushes.push_back(push);
        let mut displaced = Vec::new();
        let sending = usize::from(self.is_sending);
        while self.pushes.len() > 1 + sending
            && (self.pushes.len() > self.max_pushes + sending || self.bytes() > self.max_bytes)
            && let Some(oldest) = self.pushes.remove(sending)
        {
            displaced.push(oldest.id);
        }
        displaced
    }

    /// The request to send next, and the id of its push.
    pub(super) fn next(&mut self) -> Option<(u64, Arc<Request>)> {
        let push = self.pushes.front()?;
        let next = (push.id, Arc::clone(push.requests.front()?));
        self.is_sending = true;
        Some(next)
    }

    /// The request is sent again after a pause, in which its push may be displaced as any other.
    pub(super) fn pause(&mut self) {
        self.is_sending = false;
    }

    /// Removes a request that needs no further attempt; returns whether it was the last one of its push. Does nothing if the
    /// push was displaced.
    pub(super) fn finish(&mut self, id: u64) -> bool {
        let Some(push) = self.pushes.front_mut().filter(|push| push.id == id) else { return false };
        push.requests.pop_front();
        let is_last = push.requests.is_empty();
        if is_last {
            self.pushes.pop_front();
            self.is_sending = false;
        }
        is_last
    }

    /// Removes all pushes but the one that is being sent; returns their ids.
    pub(super) fn clear_waiting(&mut self) -> Vec<u64> {
        self.pushes.drain(usize::from(self.is_sending)..).map(|push| push.id).collect()
    }

    /// Removes all pushes, or all but the newest; returns their ids.
    pub(super) fn clear(&mut self, keep_newest: bool) -> Vec<u64> {
        let removed = self.pushes.len().saturating_sub(usize::from(keep_newest));
        self.is_sending &= removed == 0;
        self.pushes.drain(..removed).map(|push| push.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn push(id: u64, sizes: &[usize]) -> Push {
        let request = |size: &usize| {
            Arc::new(Request { body: vec![0; *size], samples: 1, is_second: false, path: None })
        };
        Push { id, requests: sizes.iter().map(request).collect() }
    }

    #[test]
    fn a_push_is_finished_with_its_last_request() {
        let mut queue = Queue::new(3, 100);
        queue.add(push(1, &[10, 20]));
        assert_eq!(queue.next().map(|(id, request)| (id, request.body.len())), Some((1, 10)));
        assert!(!queue.finish(1));
        assert_eq!(queue.next().map(|(_, request)| request.body.len()), Some(20));
        assert!(!queue.finish(7), "another push");
        assert!(queue.finish(1));
        assert!(queue.next().is_none());
    }

    #[test]
    fn a_push_over_the_limit_waits_alone() {
        let mut queue = Queue::new(3, 100);
        assert_eq!(queue.add(push(1, &[10])), [] as [u64; 0]);
        assert_eq!(queue.add(push(2, &[60, 90])), [1]);
        assert_eq!(queue.add(push(3, &[1])), [2]);
    }

    #[test]
    fn a_push_that_is_being_sent_is_not_displaced() {
        let mut queue = Queue::new(1, 100);
        queue.add(push(1, &[10, 20]));
        queue.next();
        assert_eq!(queue.add(push(2, &[95])), [] as [u64; 0]);
        assert_eq!(queue.add(push(3, &[5])), [2]);
        assert!(!queue.finish(1));
        assert_eq!(queue.add(push(4, &[5])), [3], "its other requests are still to be sent");
        assert!(queue.finish(1));
        assert_eq!(queue.next().map(|(id, _)| id), Some(4));
        queue.pause();
        assert_eq!(queue.add(push(5, &[5])), [4], "it failed, and is sent again later");
        queue.next();
        queue.add(push(6, &[5]));
        assert_eq!(queue.clear_waiting(), [6]);
        queue.pause();
        assert_eq!(queue.clear_waiting(), [5]);
    }

    proptest! {
        #[test]
        fn the_newest_stay_in_order(sizes in prop::collection::vec(1..60_usize, 1..30), max in 1..6_usize) {
            let mut queue = Queue::new(max, 100);
            let mut waiting = Vec::new();
            for (id, size) in (0_u64..).zip(&sizes) {
                let displaced = queue.add(push(id, &[*size]));
                waiting.push(id);
                let from = waiting.len() - queue.len();
                prop_assert_eq!(&waiting[..from], &displaced);
                waiting.drain(..from);
                prop_assert!(queue.len() <= max && (queue.bytes() <= 100 || queue.len() == 1));
            }
            prop_assert_eq!(queue.clear(true).len(), waiting.len() - 1);
            prop_assert_eq!(queue.next().map(|(id, _)| id), waiting.last().copied());
        }
    }
}

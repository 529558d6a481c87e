//! The bound on what one connection has in flight.
//!
//! Owns: the count of requests and bytes in flight, and the line of requests that wait for room.
//! Lives on: the core of the connection. Never: lets a request overtake one that waits, keeps a
//! place for one that has gone, gives more than there is (but for one request that is too large,
//! alone).

use ring::sync::oneshot;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

pub(crate) struct Room {
    requests_max: usize,
    bytes_max: usize,
    requests: Cell<usize>,
    bytes: Cell<usize>,
    waiting: RefCell<VecDeque<Waiting>>,
    next_ticket: Cell<u64>,
    is_closed: Cell<bool>,
}

struct Waiting {
    ticket: u64,
    bytes: usize,
    giver: oneshot::Sender<Permit>,
}

/// Room for one request. Dropping it gives the room back.
pub(crate) struct Permit {
    room: Rc<Room>,
    bytes: usize,
}

impl Room {
    pub fn new(requests_max: usize, bytes_max: usize) -> Rc<Room> {
        Rc::new(Room {
            requests_max: requests_max.max(1),
            bytes_max,
            requests: Cell::new(0),
            bytes: Cell::new(0),
            waiting: RefCell::default(),
            next_ticket: Cell::new(0),
            is_closed: Cell::new(false),
        })
    }

    pub fn requests(&self) -> usize {
        self.requests.get()
    }

    /// `None` where there is no room, or others wait for it.
    pub fn try_take(self: &Rc<Self>, bytes: usize) -> Option<Permit> {
        let is_free =
            !self.is_closed.get() && self.waiting.borrow().is_empty() && self.has_room(bytes);
        is_free.then(|| self.permit(bytes))
    }

    /// Waits in line. `None` once the room is closed.
    pub async fn take(self: &Rc<Self>, bytes: usize) -> Option<Permit> {
        if let Some(permit) = self.try_take(bytes) {
            return Some(permit);
        }
        if self.is_closed.get() {
            return None;
        }
        let (giver, taker) = oneshot::channel();
        let ticket = self.next_ticket.replace(self.next_ticket.get() + 1);
        self.waiting.borrow_mut().push_back(Waiting { ticket, bytes, giver });
        let _place = Place { room: self, ticket };
        taker.await
    }

    /// Sends away all that wait, now and from now on.
    pub fn close(&self) {
        self.is_closed.set(true);
        let waiting = self.waiting.take();
        drop(waiting);
    }

    fn has_room(&self, bytes: usize) -> bool {
        let fits = self.bytes.get().checked_add(bytes).is_some_and(|sum| sum <= self.bytes_max);
        self.requests.get() < self.requests_max && (fits || self.requests.get() == 0)
    }

    fn permit(self: &Rc<Self>, bytes: usize) -> Permit {
        self.requests.set(self.requests.get() + 1);
        self.bytes.set(self.bytes.get() + bytes);
        Permit { room: self.clone(), bytes }
    }

    /// Serves the line as far as there is room. Who stands in it still waits: see [`Place`].
    fn grant(self: &Rc<Self>) {
        loop {
            let next = {
                let mut waiting = self.waiting.borrow_mut();
                let has_room = waiting.front().is_some_and(|first| self.has_room(first.bytes));
                if has_room { waiting.pop_front() } else { None }
            };
            let Some(Waiting { bytes, giver, .. }) = next else { return };
            giver.send(self.permit(bytes));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.room.requests.set(self.room.requests.get() - 1);
        self.room.bytes.set(self.room.bytes.get() - self.bytes);
        self.room.grant();
    }
}

/// A place in the line, given up when the task that waits goes.
struct Place<'a> {
    room: &'a Rc<Room>,
    ticket: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let gone = {
            let mut waiting = self.room.waiting.borrow_mut();
            let at = waiting.iter().position(|one| one.ticket == self.ticket);
            at.and_then(|at| waiting.remove(at))
        };
        if gone.is_some() {
            drop(gone);
            // The next one may need less.
            self.room.grant();
        }
    }
}

//! What an uploader's calls, its driver and the reader of its events share.
//!
//! They are tasks of one component that run one at a time: every borrow ends before the next
//! `await`. A call changes the queue and rings the driver; the driver offers events to the reader.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;
use std::time::Duration;

use vod_uploader::queue::{Event, Output, Queue, TurnId};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::Want;
use vod_uploader::{Error, ErrorKind, Result};
use vod_uploader_relay::ports::Ports;

use super::bell::Bell;
use super::supply::Supply;

pub(super) struct Shared {
    queue: RefCell<Queue>,
    ports: Ports,
    /// How long the store or VOD may take to answer.
    timeout: Duration,
    driver: Rc<Bell>,
    /// What was supplied and not handed over yet.
    supplies: RefCell<Vec<(TurnId, Supply)>>,
    reader: RefCell<Reader>,
    closed: Cell<bool>,
}

/// Who reads the events.
enum Reader {
    /// Nobody yet: they are kept.
    Expected,
    Reading {
        bell: Rc<Bell>,
        /// It waits for the next event.
        waits: bool,
        /// The event that it was woken for.
        next: Option<Box<Event>>,
    },
    /// Nobody any more.
    Gone,
}

impl Shared {
    pub(super) fn new(ports: Ports, queue: Queue, timeout: Duration, driver: Rc<Bell>) -> Self {
        Self {
            queue: RefCell::new(queue),
            ports,
            timeout,
            driver,
            supplies: RefCell::default(),
            reader: RefCell::new(Reader::Expected),
            closed: Cell::new(false),
        }
    }

    /// The queue, for as long as a statement takes.
    pub(super) fn queue(&self) -> RefMut<'_, Queue> {
        self.queue.borrow_mut()
    }

    pub(super) fn next_output(&self) -> Option<Output> {
        self.queue().poll()
    }

    pub(super) fn next_wakeup(&self) -> Option<UnixMillis> {
        self.queue.borrow().next_wakeup()
    }

    pub(super) fn wants(&self, turn: TurnId) -> Option<Want> {
        self.queue.borrow().wants(turn)
    }

    pub(super) fn ports(&self) -> Ports {
        self.ports.clone()
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Wakes the driver: the queue was changed.
    pub(super) fn ring_driver(&self) {
        self.driver.ring();
    }

    pub(super) fn supply(&self, turn: TurnId, supply: Supply) {
        self.supplies.borrow_mut().push((turn, supply));
    }

    pub(super) fn take_supplies(&self) -> Vec<(TurnId, Supply)> {
        self.supplies.take()
    }

    /// Ends the work and the events.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.ring_driver();
        if let Reader::Reading { bell, .. } = &*self.reader.borrow() {
            bell.ring();
        }
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Lets `bell` be rung for events, once an uploader.
    ///
    /// # Errors
    /// [`ErrorKind::EventsTaken`].
    pub(super) fn begin_reading(&self, bell: Rc<Bell>) -> Result<()> {
        let mut reader = self.reader.borrow_mut();
        if !matches!(*reader, Reader::Expected) {
            let message = "the events have been taken before";
            return Err(Error::new(ErrorKind::EventsTaken, message));
        }
        *reader = Reader::Reading { bell, waits: false, next: None };
        Ok(())
    }

    /// The events are read no more, and not kept either.
    pub(super) fn end_reading(&self) {
        self.reader.replace(Reader::Gone);
    }

    /// The next event for the reader, who waits for one where there is none.
    pub(super) fn take_event(&self) -> Option<Event> {
        let Reader::Reading { waits, next, .. } = &mut *self.reader.borrow_mut() else {
            return None;
        };
        let event = next.take().map(|event| *event).or_else(|| self.queue().poll_event());
        *waits = event.is_none();
        event
    }

    /// Wakes a reader that waits, if there is an event for it. Others stay in the queue, where
    /// newer progress takes the place of older.
    pub(super) fn offer_event(&self) {
        match &mut *self.reader.borrow_mut() {
            Reader::Expected => {}
            Reader::Reading { bell, waits, next } => {
                if *waits && let Some(event) = self.queue().poll_event() {
                    *next = Some(Box::new(event));
                    *waits = false;
                    bell.ring();
                }
            }
            Reader::Gone => while self.queue().poll_event().is_some() {},
        }
    }
}

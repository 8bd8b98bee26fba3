//! The state that an uploader's calls, its driver and the reader of its events share.
//!
//! They are tasks of one component that run one at a time: every borrow ends before the next
//! `await`. A call changes the queue and notifies the driver; the driver notifies the reader.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;
use std::time::Duration;

use vod_uploader::queue::{Event, Output, Queue, SessionId};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::FillRequest;
use vod_uploader::{Error, ErrorKind, Result};
use vod_uploader_relay::ports::Ports;

use super::notifier::Notifier;
use super::supply::SuppliedStream;

pub(super) struct UploaderInner {
    queue: RefCell<Queue>,
    ports: Ports,
    /// Time limit of one request to OSS or VOD.
    timeout: Duration,
    driver: Rc<Notifier>,
    /// Supplied streams that have not been passed to their sessions.
    supplies: RefCell<Vec<(SessionId, SuppliedStream)>>,
    reader: RefCell<EventReader>,
    closed: Cell<bool>,
}

/// The reader of the events.
enum EventReader {
    /// Not attached yet: events are retained.
    NotAttached,
    Reading {
        notifier: Rc<Notifier>,
        /// Whether it waits for the next event.
        is_waiting: bool,
        /// The event that it was woken for.
        next: Option<Box<Event>>,
    },
    /// Dropped: events are discarded.
    Detached,
}

impl UploaderInner {
    pub(super) fn new(ports: Ports, queue: Queue, timeout: Duration, driver: Rc<Notifier>) -> Self {
        Self {
            queue: RefCell::new(queue),
            ports,
            timeout,
            driver,
            supplies: RefCell::default(),
            reader: RefCell::new(EventReader::NotAttached),
            closed: Cell::new(false),
        }
    }

    /// Borrows the queue. The borrow must end with the statement.
    pub(super) fn queue(&self) -> RefMut<'_, Queue> {
        self.queue.borrow_mut()
    }

    pub(super) fn next_output(&self) -> Option<Output> {
        self.queue().poll()
    }

    pub(super) fn next_wakeup(&self) -> Option<UnixMillis> {
        self.queue.borrow().next_wakeup()
    }

    pub(super) fn pending_fill(&self, session: SessionId) -> Option<FillRequest> {
        self.queue.borrow().pending_fill(session)
    }

    pub(super) fn ports(&self) -> Ports {
        self.ports.clone()
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Wakes the driver after a change of the queue.
    pub(super) fn wake_driver(&self) {
        self.driver.notify_one();
    }

    pub(super) fn supply(&self, session: SessionId, supply: SuppliedStream) {
        self.supplies.borrow_mut().push((session, supply));
    }

    pub(super) fn take_supplies(&self) -> Vec<(SessionId, SuppliedStream)> {
        self.supplies.take()
    }

    /// Stops the driver and ends the events.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.wake_driver();
        if let EventReader::Reading { notifier, .. } = &*self.reader.borrow() {
            notifier.notify_one();
        }
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Attaches the reader of the events, which `notifier` wakes. Succeeds once.
    ///
    /// # Errors
    /// Returns [`ErrorKind::EventsTaken`] if a reader was attached before.
    pub(super) fn attach_reader(&self, notifier: Rc<Notifier>) -> Result<()> {
        let mut reader = self.reader.borrow_mut();
        if !matches!(*reader, EventReader::NotAttached) {
            let message = "the events have been taken before";
            return Err(Error::new(ErrorKind::EventsTaken, message));
        }
        *reader = EventReader::Reading { notifier, is_waiting: false, next: None };
        Ok(())
    }

    /// Detaches the reader: further events are discarded.
    pub(super) fn detach_reader(&self) {
        self.reader.replace(EventReader::Detached);
    }

    /// The next event for the reader. If there is none, the reader counts as waiting.
    pub(super) fn take_event(&self) -> Option<Event> {
        let EventReader::Reading { is_waiting, next, .. } = &mut *self.reader.borrow_mut() else {
            return None;
        };
        let event = next.take().map(|event| *event).or_else(|| self.queue().poll_event());
        *is_waiting = event.is_none();
        event
    }

    /// Wakes a waiting reader if there is an event for it. Other events stay in the queue, where
    /// newer progress replaces older progress.
    pub(super) fn notify_reader(&self) {
        match &mut *self.reader.borrow_mut() {
            EventReader::NotAttached => {}
            EventReader::Reading { notifier, is_waiting, next } => {
                if *is_waiting && let Some(event) = self.queue().poll_event() {
                    *next = Some(Box::new(event));
                    *is_waiting = false;
                    notifier.notify_one();
                }
            }
            EventReader::Detached => while self.queue().poll_event().is_some() {},
        }
    }
}

//! What an uploader's calls, its driver and the reader of its events share.
//!
//! They are tasks of one component that run one at a time: every borrow ends before the next
//! `await`. A call changes the queue and rings the driver; the driver offers events to the reader.

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
    /// How long the store or VOD may take to answer.
    timeout: Duration,
    driver: Rc<Notifier>,
    /// What was supplied and not handed over yet.
    supplies: RefCell<Vec<(SessionId, SuppliedStream)>>,
    reader: RefCell<EventReader>,
    closed: Cell<bool>,
}

/// Who reads the events.
enum EventReader {
    /// Nobody yet: they are kept.
    NotAttached,
    Reading {
        notifier: Rc<Notifier>,
        /// It waits for the next event.
        waits: bool,
        /// The event that it was woken for.
        next: Option<Box<Event>>,
    },
    /// Nobody any more.
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

    pub(super) fn wants(&self, session: SessionId) -> Option<FillRequest> {
        self.queue.borrow().pending_fill(session)
    }

    pub(super) fn ports(&self) -> Ports {
        self.ports.clone()
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Wakes the driver: the queue was changed.
    pub(super) fn wake_driver(&self) {
        self.driver.notify_one();
    }

    pub(super) fn supply(&self, session: SessionId, supply: SuppliedStream) {
        self.supplies.borrow_mut().push((session, supply));
    }

    pub(super) fn take_supplies(&self) -> Vec<(SessionId, SuppliedStream)> {
        self.supplies.take()
    }

    /// Ends the work and the events.
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

    /// Lets `notifier` be rung for events, once an uploader.
    ///
    /// # Errors
    /// [`ErrorKind::EventsTaken`].
    pub(super) fn attach_reader(&self, notifier: Rc<Notifier>) -> Result<()> {
        let mut reader = self.reader.borrow_mut();
        if !matches!(*reader, EventReader::NotAttached) {
            let message = "the events have been taken before";
            return Err(Error::new(ErrorKind::EventsTaken, message));
        }
        *reader = EventReader::Reading { notifier, waits: false, next: None };
        Ok(())
    }

    /// The events are read no more, and not kept either.
    pub(super) fn detach_reader(&self) {
        self.reader.replace(EventReader::Detached);
    }

    /// The next event for the reader, who waits for one where there is none.
    pub(super) fn take_event(&self) -> Option<Event> {
        let EventReader::Reading { waits, next, .. } = &mut *self.reader.borrow_mut() else {
            return None;
        };
        let event = next.take().map(|event| *event).or_else(|| self.queue().poll_event());
        *waits = event.is_none();
        event
    }

    /// Wakes a reader that waits, if there is an event for it. Others stay in the queue, where
    /// newer progress takes the place of older.
    pub(super) fn notify_reader(&self) {
        match &mut *self.reader.borrow_mut() {
            EventReader::NotAttached => {}
            EventReader::Reading { notifier, waits, next } => {
                if *waits && let Some(event) = self.queue().poll_event() {
                    *next = Some(Box::new(event));
                    *waits = false;
                    notifier.notify_one();
                }
            }
            EventReader::Detached => while self.queue().poll_event().is_some() {},
        }
    }
}

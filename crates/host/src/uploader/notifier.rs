//! Wakes a task of this component from a call of another: a waker of one task does not work in
//! another, but a stream does.
//!
//! The task that waits has one read of a byte pending; ringing writes that byte. A notifier is rung
//! only while it is listened to, so that the write ends at once.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamResult, StreamWriter};
use spin_sdk::wasip3::wit_stream;

/// The end that is rung.
pub(super) struct Notifier {
    writer: RefCell<StreamWriter<u8>>,
    state: Cell<State>,
}

/// Where a notifier stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No read is pending.
    Idle,
    /// A read is pending, and ends with the next notify_one.
    Waiting,
    /// The read has ended, which its task has not been told yet: another write would not end.
    Notified,
}

/// The end that waits: of one task, that polls and drops it.
pub(super) struct NotifyListener {
    notifier: Rc<Notifier>,
    reading: LocalBoxFuture<'static, Option<StreamReader<u8>>>,
}

impl Notifier {
    /// A notifier and its listener.
    pub(super) fn new() -> (Rc<Self>, NotifyListener) {
        let (writer, reader) = wit_stream::new();
        let notifier =
            Rc::new(Self { writer: RefCell::new(writer), state: Cell::new(State::Idle) });
        (Rc::clone(&notifier), NotifyListener { notifier, reading: read(reader) })
    }

    /// Wakes the listener, if it waits. One that does not will look for itself before it waits.
    pub(super) fn notify_one(&self) {
        if self.state.get() == State::Waiting
            && let Ok(mut writer) = self.writer.try_borrow_mut()
        {
            self.state.set(State::Notified);
            let _ = writer.write(vec![0]).now_or_never();
        }
    }
}

impl NotifyListener {
    /// Ready where it was rung. Whoever gets `Pending` is woken by the next notify_one.
    pub(super) fn poll_notified(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.reading.poll_unpin(cx) {
            Poll::Ready(Some(reader)) => {
                self.reading = read(reader);
                self.notifier.state.set(State::Idle);
                Poll::Ready(())
            }
            // The notifier is held here: its writer is never dropped before.
            Poll::Ready(None) => Poll::Pending,
            Poll::Pending => {
                if self.notifier.state.get() == State::Idle {
                    self.notifier.state.set(State::Waiting);
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for NotifyListener {
    fn drop(&mut self) {
        self.notifier.state.set(State::Idle);
    }
}

fn read(mut reader: StreamReader<u8>) -> LocalBoxFuture<'static, Option<StreamReader<u8>>> {
    async move {
        match reader.read(Vec::with_capacity(1)).await.0 {
            StreamResult::Complete(_) => Some(reader),
            StreamResult::Dropped | StreamResult::Cancelled => None,
        }
    }
    .boxed_local()
}

//! Wakes a task of this component from another: a waker of one task does not work in another, but a
//! stream does.
//!
//! The waiting task has a read of one byte pending, and a notification writes that byte. It is
//! written only while the read is pending, so that the write completes immediately.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamResult, StreamWriter};
use spin_sdk::wasip3::wit_stream;

/// The notifying end.
pub(super) struct Notifier {
    writer: RefCell<StreamWriter<u8>>,
    state: Cell<State>,
}

/// The state of a notifier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No read is pending.
    Idle,
    /// A read is pending, which the next notification completes.
    Waiting,
    /// The read has completed, but its task has not been polled yet: another write would block.
    Notified,
}

/// The waiting end. Only one task may poll and drop it.
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

    /// Wakes the listener if it is waiting. Otherwise it re-reads the state before it waits.
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
    /// Ready once after a notification. A task that gets `Pending` is woken by the next one.
    pub(super) fn poll_notified(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.reading.poll_unpin(cx) {
            Poll::Ready(Some(reader)) => {
                self.reading = read(reader);
                self.notifier.state.set(State::Idle);
                Poll::Ready(())
            }
            // Unreachable: this listener keeps the notifier, and so the writer, alive.
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

//! Wakes a task of this component from a call of another: a waker of one task does not work in
//! another, but a stream does.
//!
//! The task that waits has one read of a byte pending; ringing writes that byte. A bell is rung
//! only while it is listened to, so that the write ends at once.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamResult, StreamWriter};
use spin_sdk::wasip3::wit_stream;

/// The end that is rung.
pub(super) struct Bell {
    writer: RefCell<StreamWriter<u8>>,
    state: Cell<State>,
}

/// Where a bell stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No read is pending.
    Deaf,
    /// A read is pending, and ends with the next ring.
    Listening,
    /// The read has ended, which its task has not been told yet: another write would not end.
    Rung,
}

/// The end that waits: of one task, that polls and drops it.
pub(super) struct Listener {
    bell: Rc<Bell>,
    reading: LocalBoxFuture<'static, Option<StreamReader<u8>>>,
}

impl Bell {
    /// A bell and its listener.
    pub(super) fn new() -> (Rc<Self>, Listener) {
        let (writer, reader) = wit_stream::new();
        let bell = Rc::new(Self { writer: RefCell::new(writer), state: Cell::new(State::Deaf) });
        (Rc::clone(&bell), Listener { bell, reading: read(reader) })
    }

    /// Wakes the listener, if it waits. One that does not will look for itself before it waits.
    pub(super) fn ring(&self) {
        if self.state.get() == State::Listening
            && let Ok(mut writer) = self.writer.try_borrow_mut()
        {
            self.state.set(State::Rung);
            let _ = writer.write(vec![0]).now_or_never();
        }
    }
}

impl Listener {
    /// Ready where it was rung. Whoever gets `Pending` is woken by the next ring.
    pub(super) fn poll_rung(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.reading.poll_unpin(cx) {
            Poll::Ready(Some(reader)) => {
                self.reading = read(reader);
                self.bell.state.set(State::Deaf);
                Poll::Ready(())
            }
            // The bell is held here: its writer is never dropped before.
            Poll::Ready(None) => Poll::Pending,
            Poll::Pending => {
                if self.bell.state.get() == State::Deaf {
                    self.bell.state.set(State::Listening);
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.bell.state.set(State::Deaf);
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

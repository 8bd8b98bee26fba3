//! The body of an inbound request: what a client sends over time.

use std::rc::Rc;

use futures::channel::mpsc;
use futures::future::{Either, LocalBoxFuture, select};
use futures::{FutureExt as _, StreamExt as _};
use vod_uploader_relay::ports::{Body, BodyStatus};

use super::environment::Environment;

/// What arrives of a body.
#[derive(Debug)]
pub(super) enum BodyEvent {
    /// Bytes.
    Bytes(Vec<u8>),
    /// The end of the body, as declared.
    End,
}

/// A body that an instance reads, which can crash after each read.
pub(super) struct InstanceBody {
    body: ChannelBody,
    environment: Rc<Environment>,
    instance: usize,
}

impl InstanceBody {
    pub(super) const fn new(
        body: ChannelBody,
        environment: Rc<Environment>,
        instance: usize,
    ) -> Self {
        Self { body, environment, instance }
    }
}

impl Body for InstanceBody {
    fn read<'a>(
        &'a mut self,
        buffer: Vec<u8>,
        cancel: LocalBoxFuture<'a, ()>,
    ) -> LocalBoxFuture<'a, (Vec<u8>, BodyStatus)> {
        async move {
            let read = self.body.read(buffer, cancel).await;
            self.environment.survive(self.instance).await;
            read
        }
        .boxed_local()
    }
}

/// A body that a client sends. It is interrupted if the sender is dropped before the end.
pub(super) struct ChannelBody {
    events: mpsc::Receiver<BodyEvent>,
    unread: Vec<u8>,
}

impl ChannelBody {
    /// A body, and its sender.
    pub(super) fn new() -> (mpsc::Sender<BodyEvent>, Self) {
        let (sender, events) = mpsc::channel(1);
        (sender, Self { events, unread: Vec::new() })
    }
}

impl Body for ChannelBody {
    fn read<'a>(
        &'a mut self,
        mut buffer: Vec<u8>,
        cancel: LocalBoxFuture<'a, ()>,
    ) -> LocalBoxFuture<'a, (Vec<u8>, BodyStatus)> {
        async move {
            if self.unread.is_empty() {
                match select(self.events.next(), cancel).await {
                    Either::Left((Some(BodyEvent::Bytes(bytes)), _)) => self.unread = bytes,
                    Either::Left((Some(BodyEvent::End), _)) => {
                        return (buffer, BodyStatus::Complete(Vec::new()));
                    }
                    Either::Left((None, _)) => return (buffer, BodyStatus::Interrupted),
                    Either::Right(((), _)) => return (buffer, BodyStatus::Canceled),
                }
            }
            let room = buffer.capacity() - buffer.len();
            let read = self.unread.len().min(room);
            buffer.extend(self.unread.drain(..read));
            (buffer, BodyStatus::Open)
        }
        .boxed_local()
    }
}

//! The events of an uploader.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::future::{Either, select};
use spin_sdk::wasip3::wit_bindgen::StreamWriter;
use vod_uploader::Result;
use vod_uploader::queue::Event;

use super::notifier::{Notifier, NotifyListener};
use super::uploader_inner::UploaderInner;

/// The events of an uploader, starting with the first one.
pub struct Events {
    inner: Rc<UploaderInner>,
    listener: NotifyListener,
}

impl Events {
    pub(super) fn new(inner: Rc<UploaderInner>) -> Result<Self> {
        let (notifier, listener) = Notifier::new();
        inner.attach_reader(notifier)?;
        Ok(Self { inner, listener })
    }

    /// Writes the events one by one, converted by `convert`, until the reader or the uploader is
    /// dropped. Must run in a single task, which may differ from that of the call that created
    /// `self`.
    pub async fn write_to<T: 'static>(
        mut self,
        mut writer: StreamWriter<T>,
        convert: impl Fn(Event) -> T,
    ) {
        while let Some(event) = self.next().await {
            let written = pin!(writer.write_one(convert(event)));
            match select(written, pin!(self.closed())).await {
                Either::Left((None, _)) => {}
                Either::Left((Some(_), _)) | Either::Right(_) => break,
            }
        }
    }

    /// The next event; `None` once the uploader is dropped.
    async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| {
            self.poll_until(cx, |inner| match inner.take_event() {
                Some(event) => Some(Some(event)),
                None => inner.is_closed().then_some(None),
            })
        })
        .await
    }

    async fn closed(&mut self) {
        poll_fn(|cx| self.poll_until(cx, |inner| inner.is_closed().then_some(()))).await;
    }

    /// Repeats `check` before the first wait and after each notification.
    fn poll_until<T>(
        &mut self,
        cx: &mut Context<'_>,
        check: impl Fn(&UploaderInner) -> Option<T>,
    ) -> Poll<T> {
        loop {
            if let Some(found) = check(&self.inner) {
                return Poll::Ready(found);
            }
            if self.listener.poll_notified(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.inner.detach_reader();
    }
}

//! The events of an uploader, for the one who reads them.

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

/// The events of an uploader, from the first one on.
pub struct Events {
    shared: Rc<UploaderInner>,
    listener: NotifyListener,
}

impl Events {
    pub(super) fn begin(shared: Rc<UploaderInner>) -> Result<Self> {
        let (notifier, listener) = Notifier::new();
        shared.attach_reader(notifier)?;
        Ok(Self { shared, listener })
    }

    /// Writes each event, as `convert` makes it, once the reader has taken the one before, until
    /// the reader or the uploader is dropped. All of it in one task, which need not be the one of
    /// the call that took the events.
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
            self.poll_until(cx, |shared| match shared.take_event() {
                Some(event) => Some(Some(event)),
                None => shared.is_closed().then_some(None),
            })
        })
        .await
    }

    async fn closed(&mut self) {
        poll_fn(|cx| self.poll_until(cx, |shared| shared.is_closed().then_some(()))).await;
    }

    /// Looks at each notify_one, and before the first wait.
    fn poll_until<T>(
        &mut self,
        cx: &mut Context<'_>,
        look: impl Fn(&UploaderInner) -> Option<T>,
    ) -> Poll<T> {
        loop {
            if let Some(found) = look(&self.shared) {
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
        self.shared.detach_reader();
    }
}

//! TCP connections that a fault can end with an RST.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::Response;

/// The handle by which a request's handler resets its connection.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    resetting: AtomicBool,
    wake: Notify,
}

impl Connection {
    /// Ends the connection with an RST. Never returns: the caller is dropped with the connection.
    pub(crate) async fn reset(&self) -> Infallible {
        self.resetting.store(true, Ordering::Release);
        self.wake.notify_one();
        std::future::pending().await
    }
}

/// Serves HTTP/1.1 on `stream` until the client disconnects or a handler resets the connection.
pub(crate) async fn serve_connection<Handler, Output>(stream: TcpStream, handler: Handler)
where
    Handler: Fn(Arc<Connection>, Request<Incoming>) -> Output,
    Output: Future<Output = Response>,
{
    let connection = Arc::new(Connection::default());
    let io = TokioIo::new(ResettableStream { stream, connection: Arc::clone(&connection) });
    let serving = http1::Builder::new().max_buf_size(READ_BUFFER_BYTES).serve_connection(
        io,
        service_fn(|request| {
            let response = handler(Arc::clone(&connection), request);
            async move { Ok::<_, Infallible>(response.await) }
        }),
    );
    tokio::select! {
        // After a protocol error or a disconnect, the connection is closed either way.
        _ended = serving => {}
        () = connection.wake.notified() => {}
    }
}

/// A stream that is closed by RST instead of FIN if its connection is resetting.
struct ResettableStream {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl Drop for ResettableStream {
    fn drop(&mut self) {
        if self.connection.resetting.load(Ordering::Acquire) {
            // With a zero linger time, closing drops unsent bytes and sends RST. On an error the
            // socket is already closed.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for ResettableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ResettableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Large enough to read a part of several MiB in few reads.
const READ_BUFFER_BYTES: usize = 512 * 1024;

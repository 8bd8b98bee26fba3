//! One TCP connection, which a fault can end with a real RST.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::ReplyBody;

/// The handle by which a request's handler ends its own connection.
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

/// Serves HTTP/1.1 on `stream` until the client leaves or a handler resets the connection.
pub(crate) async fn serve_connection<Handler, Answer>(stream: TcpStream, handler: Handler)
where
    Handler: Fn(Arc<Connection>, Request<Incoming>) -> Answer,
    Answer: Future<Output = Response<ReplyBody>>,
{
    let connection = Arc::new(Connection::default());
    let io = TokioIo::new(ResettableStream { stream, connection: Arc::clone(&connection) });
    let serving = http1::Builder::new().max_buf_size(READ_BUFFER_BYTES).serve_connection(
        io,
        service_fn(|request| {
            let answer = handler(Arc::clone(&connection), request);
            async move { Ok::<_, Infallible>(answer.await) }
        }),
    );
    tokio::select! {
        // A protocol error or a client that left: the connection is over either way.
        _ended = serving => {}
        () = connection.wake.notified() => {}
    }
}

/// A stream that is closed by RST instead of FIN when its connection says so.
struct ResettableStream {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl Drop for ResettableStream {
    fn drop(&mut self) {
        if self.connection.resetting.load(Ordering::Acquire) {
            // With a zero linger time, closing drops unsent bytes and sends RST. If the socket
            // is already dead, the client sees an abrupt close all the same.
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

/// Large enough that a part of some MiB arrives in few reads.
const READ_BUFFER_BYTES: usize = 512 * 1024;

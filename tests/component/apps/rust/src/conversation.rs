//! A session: reads commands and sends results and events.

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use serde_json::json;
use spin_sdk::wit_bindgen::{StreamReader, StreamResult, StreamWriter};

use crate::commands::Tester;
use crate::output::Output;

/// Executes the commands until they end.
pub(crate) async fn serve_session(commands: StreamReader<u8>, output: StreamWriter<u8>) {
    let (sender, lines) = unbounded();
    futures::join!(execute(commands, Output(sender)), write(output, lines));
}

async fn execute(mut commands: StreamReader<u8>, output: Output) {
    let mut tester = Tester::new(output.clone());
    let mut unread = Vec::new();
    loop {
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            let result = match serde_json::from_slice(&line) {
                Ok(command) => tester.execute(command).await,
                Err(cause) => Err(json!({ "message": format!("not a command: {cause}") })),
            };
            output.send(&match result {
                Ok(value) => json!({ "ok": value }),
                Err(error) => json!({ "error": error }),
            });
        }
        let (status, read) = commands.read(Vec::with_capacity(READ_BYTES)).await;
        unread.extend_from_slice(&read);
        if status == StreamResult::Dropped {
            return;
        }
    }
}

async fn write(mut output: StreamWriter<u8>, mut lines: UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.next().await {
        if !output.write_all(line).await.is_empty() {
            return;
        }
    }
}

const READ_BYTES: usize = 64 << 10;

//! Commands in, answers and events out.

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use serde_json::json;
use spin_sdk::wit_bindgen::{StreamReader, StreamResult, StreamWriter};

use crate::commands::Tester;
use crate::output::Output;

/// Does what the commands say until they end.
pub(crate) async fn serve_session(commands: StreamReader<u8>, answers: StreamWriter<u8>) {
    let (sender, lines) = unbounded();
    futures::join!(execute(commands, Output(sender)), write(answers, lines));
}

async fn execute(mut commands: StreamReader<u8>, answers: Output) {
    let mut tester = Tester::new(answers.clone());
    let mut unread = Vec::new();
    loop {
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            let answer = match serde_json::from_slice(&line) {
                Ok(command) => tester.execute(command).await,
                Err(cause) => Err(json!({ "message": format!("not a command: {cause}") })),
            };
            answers.send(&match answer {
                Ok(value) => json!({ "ok": value }),
                Err(error) => json!({ "error": error }),
            });
        }
        let (result, read) = commands.read(Vec::with_capacity(READ_BYTES)).await;
        unread.extend_from_slice(&read);
        if result == StreamResult::Dropped {
            return;
        }
    }
}

async fn write(mut answers: StreamWriter<u8>, mut lines: UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.next().await {
        if !answers.write_all(line).await.is_empty() {
            return;
        }
    }
}

const READ_BYTES: usize = 64 << 10;

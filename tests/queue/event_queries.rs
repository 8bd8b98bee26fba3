//! Queries of the events in a simulation.

use vod_uploader::queue::{Event, FileId};
use vod_uploader_sim::queue::Simulation;

/// The names of the events of one file; progress with its offset.
pub(crate) fn events_of(sim: &Simulation, file: FileId) -> Vec<String> {
    sim.events.iter().filter(|event| event.file() == Some(file)).map(name).collect()
}

/// The names of all events, with their files.
pub(crate) fn all_events(sim: &Simulation) -> Vec<String> {
    let named = |event: &Event| match event.file() {
        Some(FileId(file)) => format!("{file} {}", name(event)),
        None => name(event),
    };
    sim.events.iter().map(named).collect()
}

/// The number of events with this name.
pub(crate) fn count(sim: &Simulation, expected: &str) -> usize {
    sim.events.iter().filter(|event| name(event).split(' ').next() == Some(expected)).count()
}

/// The offset from which a file resumed when it last started; `None` if it had no upload.
pub(crate) fn resumed_from(sim: &Simulation, file: FileId) -> Option<u64> {
    sim.events.iter().rev().find_map(|event| match event {
        Event::UploadStarted { file: of, media_id, durable, .. } if *of == file => {
            Some(media_id.as_ref().map(|_| durable.bytes()))
        }
        _ => None,
    })?
}

/// The name of the event in the WIT interface, and what distinguishes two of a kind.
pub(crate) fn name(event: &Event) -> String {
    match event {
        Event::FileAdded(_) => "file-added".into(),
        Event::UploadStarted { media_id, durable, .. } => match media_id {
            Some(_) => format!("upload-started again at {}", durable.bytes()),
            None => "upload-started".into(),
        },
        Event::SourceRequested { offset, .. } => format!("source-requested {}", offset.bytes()),
        Event::Progress { progress, .. } => match progress.fraction {
            Some(1.0) => "progress complete".into(),
            _ => format!("progress {}", progress.durable.bytes()),
        },
        Event::TokenExpiring(_) => "token-expiring".into(),
        Event::TokenExpired(_) => "token-expired".into(),
        Event::Succeeded(_) => "succeeded".into(),
        Event::Failed { error, .. } => format!("failed {}", error.kind().code()),
        Event::Canceled { leftover_error, .. } => match leftover_error {
            Some(error) => format!("canceled left {}", error.kind().code()),
            None => "canceled".into(),
        },
        Event::Stopped { durable, .. } => format!("stopped {}", durable.bytes()),
        Event::UploadEnd => "upload-end".into(),
    }
}

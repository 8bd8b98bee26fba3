//! An app that reads no events: uploads continue, and few events are kept.

use vod_uploader::queue::{Event, FileState, Input, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::Simulation;

use crate::actions::{half_way, run_to, supply};
use crate::event_queries::all_events;

#[test]
fn unread_progress_is_merged_and_other_events_are_kept() {
    let mut sim = Simulation::new();
    sim.app.reads = false;
    let mut files = Vec::new();
    for name in ["a.mp4", "b.mp4"] {
        let file = sim.add(Simulation::file(name, 3_000_000)).unwrap();
        let grant = sim.world.create_media(MediaKind::Video);
        sim.set_credential(file, &grant).unwrap();
        files.push(file);
    }
    sim.start();
    for file in files {
        run_to(&mut sim, file, UploadingPhase::AwaitingSource);
        supply(&mut sim, file, 0).unwrap();
        sim.run_until(|sim| sim.state(file) == FileState::Success);
    }
    sim.run();
    sim.app.reads = true;
    sim.handle(Input::Tick);
    assert_eq!(
        all_events(&sim),
        [
            "1 file-added",
            "2 file-added",
            "1 upload-started",
            "1 source-requested 0",
            "1 progress complete",
            "1 succeeded",
            "2 upload-started",
            "2 source-requested 0",
            "2 progress complete",
            "2 succeeded",
            "upload-end",
        ]
    );
}

#[test]
fn progress_counts_bytes_that_were_sent_and_are_not_durable_yet() {
    let (mut sim, file) = half_way();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
    let ahead = sim.events.iter().any(|event| match event {
        Event::Progress { progress, .. } => progress.sent > progress.durable,
        _ => false,
    });
    assert!(ahead, "{:?}", all_events(&sim));
}

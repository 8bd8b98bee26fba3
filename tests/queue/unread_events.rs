//! An app that reads no events: uploads continue, and few events are kept.

use vod_uploader::queue::{FileState, Input, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::Simulation;

use crate::actions::{run_to, supply};
use crate::event_queries::all_events;

#[test]
fn unread_progress_is_merged_and_other_events_are_kept() {
    let mut world = Simulation::new();
    world.app.reads = false;
    let mut files = Vec::new();
    for name in ["a.mp4", "b.mp4"] {
        let file = world.add(Simulation::file(name, 3_000_000)).unwrap();
        let grant = world.created(MediaKind::Video);
        world.hand_in(file, &grant).unwrap();
        files.push(file);
    }
    world.start();
    for file in files {
        run_to(&mut world, file, UploadingPhase::AwaitingSource);
        supply(&mut world, file, 0).unwrap();
        world.run_until(|world| world.state(file) == FileState::Success);
    }
    world.run();
    world.app.reads = true;
    let now = world.now;
    world.tell(now, Input::Tick);
    assert_eq!(
        all_events(&world),
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

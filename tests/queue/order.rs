//! The order of events in a run.

use vod_uploader::queue::{FileState, QueueState};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{App, Credentials, Simulation};

use crate::actions::{assert_no_records, in_own_bucket};
use crate::event_queries::{all_events, count, events_of};

#[test]
fn files_are_uploaded_sequentially_in_the_order_of_the_sdk() {
    let mut sim = Simulation::new();
    let first = sim.add(Simulation::file("a.mp4", 250_000)).unwrap();
    let second = sim.add(Simulation::file("b.mp4", 50_000)).unwrap();
    sim.start();
    sim.run();
    assert_eq!(
        all_events(&sim),
        [
            "1 file-added",
            "2 file-added",
            "1 upload-started",
            "1 source-requested 0",
            "1 progress 0",
            "1 progress 102400",
            "1 progress 250000",
            "1 progress complete",
            "1 succeeded",
            "2 upload-started",
            "2 source-requested 0",
            "2 progress 0",
            "2 progress complete",
            "2 succeeded",
            "upload-end",
        ]
    );
    assert_eq!(sim.state(first), FileState::Success);
    assert_eq!(sim.state(second), FileState::Success);
    assert_eq!(sim.queue_state(), QueueState::End);
    assert_no_records(&sim);
}

#[test]
fn every_media_kind_and_credential_mode_produces_a_complete_object() {
    for credentials in [Credentials::Server, Credentials::Sts, Credentials::Direct] {
        let mut sim = Simulation::new();
        sim.app = App { credentials: Some(credentials), ..App::default() };
        for (name, kind) in [
            ("a.mp4", MediaKind::Video),
            ("b.mp3", MediaKind::Audio),
            ("c.png", MediaKind::Image),
            ("d.srt", MediaKind::Auxiliary),
        ] {
            let mut file = Simulation::file(name, 150_000);
            file.new.kind = Some(kind);
            if credentials == Credentials::Direct {
                in_own_bucket(&mut file, &format!("mine/{name}"));
            }
            sim.add(file).unwrap();
        }
        sim.start();
        sim.run();
        assert_eq!(count(&sim, "succeeded"), 4, "{credentials:?}: {:?}", all_events(&sim));
        assert_eq!(count(&sim, "upload-end"), 1);
        assert_eq!(sim.world.store.objects.len(), 4);
    }
}

#[test]
fn parallel_files_limits_the_number_of_active_files() {
    let mut sim = Simulation::new().with_options(|options| options.parallel_files = Some(2));
    for name in ["a.mp4", "b.mp4", "c.mp4"] {
        sim.add(Simulation::file(name, 300_000)).unwrap();
    }
    sim.start();
    let started = |sim: &Simulation| count(sim, "upload-started");
    sim.run_until(|sim| started(sim) == 2);
    assert_eq!(count(&sim, "succeeded"), 0);
    sim.run_until(|sim| started(sim) == 3);
    assert!(count(&sim, "succeeded") >= 1);
    sim.run();
    assert_eq!(count(&sim, "succeeded"), 3);
    assert_eq!(count(&sim, "upload-end"), 1);
}

#[test]
fn a_file_of_unknown_size_completes_at_the_end_of_its_stream() {
    let mut sim = Simulation::new();
    let mut file = Simulation::file("a.mp4", 250_000);
    file.new.size = None;
    let file = sim.add(file).unwrap();
    sim.start();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
    assert_no_records(&sim);
}

#[test]
fn a_file_supplied_in_several_streams_has_parts_of_the_usual_size() {
    let mut sim = Simulation::new();
    sim.app.chunk_bytes = Some(30_000);
    let file = sim.add(Simulation::file("a.mp4", 250_000)).unwrap();
    sim.start();
    sim.run();
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(sim.world.store.count(vod_uploader_sim::Operation::UploadPart), 3);
    assert_eq!(count(&sim, "source-requested"), 9);
}

#[test]
fn a_run_without_files_ends_immediately() {
    let mut sim = Simulation::new();
    sim.start();
    assert_eq!(all_events(&sim), ["upload-end"]);
    assert_eq!(sim.queue_state(), QueueState::End);
}

#[test]
fn files_added_during_a_run_are_uploaded() {
    let mut sim = Simulation::new();
    sim.add(Simulation::file("a.mp4", 150_000)).unwrap();
    sim.start();
    sim.run_until(|sim| count(sim, "progress") > 1);
    sim.add(Simulation::file("b.mp4", 150_000)).unwrap();
    sim.run();
    assert_eq!(count(&sim, "succeeded"), 2);
    assert_eq!(count(&sim, "upload-end"), 1);
}

//! The order of events in a run.

use vod_uploader::queue::{FileState, QueueState};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{App, Credentials, Simulation};

use crate::event_queries::{all_events, count, events_of};

#[test]
fn files_are_uploaded_sequentially_in_the_order_of_the_sdk() {
    let mut simulation = Simulation::new();
    let first = simulation.add(Simulation::file("a.mp4", 250_000)).unwrap();
    let second = simulation.add(Simulation::file("b.mp4", 50_000)).unwrap();
    simulation.start();
    simulation.run();
    assert_eq!(
        all_events(&simulation),
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
    assert_eq!(simulation.state(first), FileState::Success);
    assert_eq!(simulation.state(second), FileState::Success);
    assert_eq!(simulation.queue_state(), QueueState::End);
    assert!(simulation.world.kv.values.is_empty(), "{:?}", simulation.world.kv.values.keys());
}

#[test]
fn every_media_kind_and_credential_mode_produces_a_complete_object() {
    for credentials in [Credentials::Server, Credentials::Sts, Credentials::Direct] {
        let mut simulation = Simulation::new();
        simulation.app = App { credentials: Some(credentials), ..App::default() };
        for (name, kind) in [
            ("a.mp4", MediaKind::Video),
            ("b.mp3", MediaKind::Audio),
            ("c.png", MediaKind::Image),
            ("d.srt", MediaKind::Auxiliary),
        ] {
            let mut file = Simulation::file(name, 150_000);
            file.new.kind = Some(kind);
            if credentials == Credentials::Direct {
                file.new.endpoint = Some("https://oss-cn-shanghai.aliyuncs.com".into());
                file.new.bucket = Some("my-bucket".into());
                file.new.object = Some(format!("mine/{name}"));
            }
            simulation.add(file).unwrap();
        }
        simulation.start();
        simulation.run();
        assert_eq!(
            count(&simulation, "succeeded"),
            4,
            "{credentials:?}: {:?}",
            all_events(&simulation)
        );
        assert_eq!(count(&simulation, "upload-end"), 1);
        assert_eq!(simulation.world.store.objects.len(), 4);
    }
}

#[test]
fn parallel_files_limits_the_number_of_active_files() {
    let mut simulation = Simulation::new().with_options(|options| options.parallel_files = Some(2));
    for name in ["a.mp4", "b.mp4", "c.mp4"] {
        simulation.add(Simulation::file(name, 300_000)).unwrap();
    }
    simulation.start();
    let started = |simulation: &Simulation| count(simulation, "upload-started");
    simulation.run_until(|simulation| started(simulation) == 2);
    assert_eq!(count(&simulation, "succeeded"), 0);
    simulation.run_until(|simulation| started(simulation) == 3);
    assert!(count(&simulation, "succeeded") >= 1);
    simulation.run();
    assert_eq!(count(&simulation, "succeeded"), 3);
    assert_eq!(count(&simulation, "upload-end"), 1);
}

#[test]
fn a_file_of_unknown_size_completes_at_the_end_of_its_stream() {
    let mut simulation = Simulation::new();
    let mut file = Simulation::file("a.mp4", 250_000);
    file.new.size = None;
    let file = simulation.add(file).unwrap();
    simulation.start();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success, "{:?}", events_of(&simulation, file));
    assert!(simulation.world.kv.values.is_empty(), "{:?}", simulation.world.kv.values.keys());
}

#[test]
fn a_file_supplied_in_pieces_has_parts_of_the_usual_size() {
    let mut simulation = Simulation::new();
    simulation.app.chunk_bytes = Some(30_000);
    let file = simulation.add(Simulation::file("a.mp4", 250_000)).unwrap();
    simulation.start();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(simulation.world.store.count(vod_uploader_sim::Operation::UploadPart), 3);
    assert_eq!(count(&simulation, "source-requested"), 9);
}

#[test]
fn a_run_without_files_ends_immediately() {
    let mut simulation = Simulation::new();
    simulation.start();
    assert_eq!(all_events(&simulation), ["upload-end"]);
    assert_eq!(simulation.queue_state(), QueueState::End);
}

#[test]
fn files_added_during_a_run_are_uploaded() {
    let mut simulation = Simulation::new();
    simulation.add(Simulation::file("a.mp4", 150_000)).unwrap();
    simulation.start();
    simulation.run_until(|simulation| count(simulation, "progress") > 1);
    simulation.add(Simulation::file("b.mp4", 150_000)).unwrap();
    simulation.run();
    assert_eq!(count(&simulation, "succeeded"), 2);
    assert_eq!(count(&simulation, "upload-end"), 1);
}

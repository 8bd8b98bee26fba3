//! The order of the events of a run.

use vod_uploader::queue::{FileState, QueueState};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{App, Credentials, World};

use crate::event_queries::{all_events, count, events_of};

#[test]
fn files_are_uploaded_one_after_another_in_the_order_of_the_sdk() {
    let mut world = World::new();
    let first = world.add(World::file("a.mp4", 250_000)).unwrap();
    let second = world.add(World::file("b.mp4", 50_000)).unwrap();
    world.start();
    world.run();
    assert_eq!(
        all_events(&world),
        [
            "1 file-added",
            "2 file-added",
            "1 upload-started",
            "1 source-wanted 0",
            "1 progress 0",
            "1 progress 102400",
            "1 progress 250000",
            "1 progress whole",
            "1 succeeded",
            "2 upload-started",
            "2 source-wanted 0",
            "2 progress 0",
            "2 progress whole",
            "2 succeeded",
            "upload-end",
        ]
    );
    assert_eq!(world.state(first), FileState::Success);
    assert_eq!(world.state(second), FileState::Success);
    assert_eq!(world.queue_state(), QueueState::End);
    assert!(world.kv.values.is_empty(), "{:?}", world.kv.values.keys());
}

#[test]
fn every_kind_of_media_and_every_mode_ends_with_a_whole_object() {
    for credentials in [Credentials::Server, Credentials::Sts, Credentials::Direct] {
        let mut world = World::new();
        world.app = App { credentials: Some(credentials), ..App::default() };
        for (name, kind) in [
            ("a.mp4", MediaKind::Video),
            ("b.mp3", MediaKind::Audio),
            ("c.png", MediaKind::Image),
            ("d.srt", MediaKind::Auxiliary),
        ] {
            let mut file = World::file(name, 150_000);
            file.new.kind = Some(kind);
            if credentials == Credentials::Direct {
                file.new.endpoint = Some("https://oss-cn-shanghai.aliyuncs.com".into());
                file.new.bucket = Some("my-bucket".into());
                file.new.object = Some(format!("mine/{name}"));
            }
            world.add(file).unwrap();
        }
        world.start();
        world.run();
        assert_eq!(count(&world, "succeeded"), 4, "{credentials:?}: {:?}", all_events(&world));
        assert_eq!(count(&world, "upload-end"), 1);
        assert_eq!(world.store.objects.len(), 4);
    }
}

#[test]
fn several_files_have_their_turn_at_once_where_that_is_wanted() {
    let mut world = World::new().with_options(|options| options.parallel_files = Some(2));
    for name in ["a.mp4", "b.mp4", "c.mp4"] {
        world.add(World::file(name, 300_000)).unwrap();
    }
    world.start();
    let started = |world: &World| count(world, "upload-started");
    world.run_until(|world| started(world) == 2);
    assert_eq!(count(&world, "succeeded"), 0);
    world.run_until(|world| started(world) == 3);
    assert!(count(&world, "succeeded") >= 1);
    world.run();
    assert_eq!(count(&world, "succeeded"), 3);
    assert_eq!(count(&world, "upload-end"), 1);
}

#[test]
fn a_file_of_unknown_size_ends_with_its_stream() {
    let mut world = World::new();
    let mut file = World::file("a.mp4", 250_000);
    file.new.size = None;
    let file = world.add(file).unwrap();
    world.start();
    world.run();
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
    assert!(world.kv.values.is_empty(), "{:?}", world.kv.values.keys());
}

#[test]
fn a_file_may_be_handed_in_piece_by_piece_and_its_parts_are_as_large_as_ever() {
    let mut world = World::new();
    world.app.piece = Some(30_000);
    let file = world.add(World::file("a.mp4", 250_000)).unwrap();
    world.start();
    world.run();
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(world.store.count(vod_uploader_sim::Operation::UploadPart), 3);
    assert_eq!(count(&world, "source-wanted"), 9);
}

#[test]
fn a_run_without_files_ends_at_once() {
    let mut world = World::new();
    world.start();
    assert_eq!(all_events(&world), ["upload-end"]);
    assert_eq!(world.queue_state(), QueueState::End);
}

#[test]
fn files_that_are_added_to_a_run_are_taken_up() {
    let mut world = World::new();
    world.add(World::file("a.mp4", 150_000)).unwrap();
    world.start();
    world.run_until(|world| count(world, "progress") > 1);
    world.add(World::file("b.mp4", 150_000)).unwrap();
    world.run();
    assert_eq!(count(&world, "succeeded"), 2);
    assert_eq!(count(&world, "upload-end"), 1);
}

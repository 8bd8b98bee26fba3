//! Several concurrent uploaders.

use std::thread;

use serde_json::json;
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Mode, OfferedFile};

use crate::support::assert_complete;

#[test]
fn a_takeover_continues_in_the_new_uploader_and_fails_in_the_previous_one() {
    let host = AppHost::start();
    let file = OfferedFile::new("film.mp4", 1, 12 * PART_BYTES).last_modified();
    let mut first = host.application(Mode::Credential, &json!({}));
    let first_id = first.add(file.clone().pause_at(4 * PART_BYTES + 9));
    first.start();
    first.run_until_durable(first_id, 4 * PART_BYTES);

    let mut second = host.application(Mode::Credential, &json!({}));
    let second_id = second.add(file.clone());
    second.start();
    second.run_until(|event| event.is("SourceRequested", second_id));
    assert_eq!(second.last("SourceRequested", second_id).payload["offset"], 4 * PART_BYTES);
    first.release(first_id);
    first.finish();
    let failed = first.last("Failed", first_id);
    assert_eq!(failed.error().code(), "TakenOver", "{failed}");
    second.finish();
    assert_complete(&host, &second, second_id, &file);
    assert_eq!(host.sandbox.objects().len(), 1);
    assert_eq!(host.sandbox.media().len(), 1);
}

#[test]
fn uploaders_of_one_instance_are_independent() {
    let host = AppHost::start();
    let applications: Vec<_> =
        (0..4).map(|_| host.application(Mode::Credential, &json!({}))).collect();
    let applications: Vec<_> = thread::scope(|scope| {
        let running = applications.into_iter().zip(1_u64..).map(|(mut application, number)| {
            let file = OfferedFile::new("film.mp4", number, (10 + number) * PART_BYTES + number);
            scope.spawn(move || {
                let id = application.add(file.clone());
                application.start();
                application.finish();
                (application, id, file)
            })
        });
        let running: Vec<_> = running.collect();
        running.into_iter().map(|application| application.join().unwrap()).collect()
    });
    for (application, id, file) in &applications {
        assert_complete(&host, application, *id, file);
    }
    assert_eq!(host.stats().count("instances_started"), 1);
}

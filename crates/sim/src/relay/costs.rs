//! The operations of the key-value store that one request costs.

use vod_uploader::units::UnixMillis;

use crate::world::ServiceCall;

/// One operation that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyValueCost {
    kind: Kind,
    started_at: UnixMillis,
    ended_at: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    Deletion,
}

/// The operations of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Costs {
    pub(super) reads: usize,
    pub(super) writes: usize,
    pub(super) deletions: usize,
    /// The largest number of operations of which each started after the previous one had ended.
    pub(super) round_trips: usize,
}

impl KeyValueCost {
    pub(super) const fn new(
        call: &ServiceCall,
        started_at: UnixMillis,
        ended_at: UnixMillis,
    ) -> Self {
        let kind = match call {
            ServiceCall::KvSet { .. } => Kind::Write,
            ServiceCall::KvDelete { .. } => Kind::Deletion,
            _ => Kind::Read,
        };
        Self { kind, started_at, ended_at }
    }
}

impl Costs {
    pub(super) fn of(mut operations: Vec<KeyValueCost>) -> Self {
        let count = |kind| operations.iter().filter(|operation| operation.kind == kind).count();
        let (reads, writes, deletions) =
            (count(Kind::Read), count(Kind::Write), count(Kind::Deletion));
        operations.sort_by_key(|operation| operation.ended_at);
        let (mut round_trips, mut free_at) = (0, UnixMillis(0));
        for operation in operations {
            if operation.started_at >= free_at {
                round_trips += 1;
                free_at = operation.ended_at;
            }
        }
        Self { reads, writes, deletions, round_trips }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use futures::FutureExt as _;

    use super::*;
    use crate::relay::client::Client;
    use crate::relay::message::{Reply, Request};
    use crate::relay::setting::Setting;
    use crate::relay::simulation::Simulation;
    use crate::world::{Content, Owner};

    const PART_BYTES: usize = 102_400;

    /// Sends a request, and returns its response and its costs.
    fn measure(simulation: &Rc<Simulation>, request: Request) -> (Reply, Costs) {
        let environment = &simulation.environment;
        *environment.costs.borrow_mut() = Some(Vec::new());
        let received = Rc::new(RefCell::new(None));
        let (client, result) = (Client::new(simulation, 0), Rc::clone(&received));
        let send = async move { *result.borrow_mut() = client.send(request).await };
        environment.executor.spawn(Owner::Client(0), send.boxed_local());
        simulation.run_until(|| received.borrow().is_some());
        let operations = environment.costs.take().unwrap();
        (received.take().unwrap(), Costs::of(operations))
    }

    /// Creates an upload of five parts that has two of them. Returns its path.
    fn upload_at_rest(simulation: &Rc<Simulation>) -> (String, Content) {
        let content = Content::of_len(5 * PART_BYTES as u64);
        simulation.environment.checker.borrow_mut().expect_content(&content);
        let length = content.bytes().len().to_string();
        let creation = Request::tus("POST", "/v1/files")
            .with("upload-length", length)
            .with_metadata(&[("filename", "film.mp4")])
            .with("content-length", "0");
        let (reply, _) = measure(simulation, creation);
        let path = reply.header("location").unwrap().to_owned();
        for part in 0..2 {
            append(simulation, &path, &content, part);
        }
        (path, content)
    }

    fn append(simulation: &Rc<Simulation>, path: &str, content: &Content, part: usize) -> Costs {
        let offset = part * PART_BYTES;
        let patch = Request::tus("PATCH", path)
            .with("upload-offset", offset.to_string())
            .with("content-type", "application/offset+octet-stream")
            .with_body(&content.bytes()[offset..offset + PART_BYTES]);
        let (reply, costs) = measure(simulation, patch);
        assert_eq!(reply.status, 204);
        costs
    }

    #[test]
    fn a_part_that_is_appended_to_an_upload_at_rest_costs_a_limited_number_of_operations() {
        let simulation = Simulation::new(Setting::default());
        let (path, content) = upload_at_rest(&simulation);
        for part in 2..4 {
            let costs = append(&simulation, &path, &content, part);
            let counts = (costs.reads, costs.writes, costs.deletions);
            assert_eq!(counts, (12, 5, 1), "{part}");
            assert!(costs.round_trips <= 13, "{costs:?}");
        }
    }

    #[test]
    fn the_offset_of_an_upload_at_rest_costs_a_limited_number_of_reads() {
        let simulation = Simulation::new(Setting::default());
        let (path, _) = upload_at_rest(&simulation);
        let (reply, costs) = measure(&simulation, Request::tus("HEAD", path));
        assert_eq!(reply.header("upload-offset"), Some("204800"));
        assert_eq!(costs, Costs { reads: 5, writes: 0, deletions: 0, round_trips: 3 });
    }
}

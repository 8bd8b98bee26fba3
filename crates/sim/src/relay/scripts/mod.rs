//! The scripts of clients, one module per protocol.

mod filepond;
mod form;
mod ietf;
mod own_credential;
mod plain;
mod tus;

use std::cell::RefCell;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use self::own_credential::OwnCredential;
pub use self::tus::TusOptions;
use self::tus::{TusFile, terminate};
use super::client::Client;
use super::simulation::Simulation;
use crate::world::Content;

/// What one or two clients do with one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// A tus upload.
    Tus(TusOptions),
    /// A tus upload of two clients at the same time.
    SharedTus,
    /// A tus upload that is watched by another client.
    WatchedTus,
    /// A tus upload whose events are read by another client.
    TusWithEvents,
    /// A tus upload that another client pauses and resumes.
    PausedTus,
    /// A tus upload with credentials of an application server.
    TusWithCredential(TusOptions),
    /// A tus upload that its client terminates.
    TerminatedTus,
    /// A tus upload in requests that are sent about when the upload expires, or take longer.
    SlowTus,
    /// A tus upload that its client abandons.
    AbandonedTus,
    /// Two partial tus uploads and a final one.
    Concatenation {
        /// Whether the final upload is created before the partial ones are complete.
        is_early: bool,
    },
    /// An upload of the IETF draft, interop version 8.
    Ietf,
    /// An upload of the IETF draft in one request.
    IetfAtOnce,
    /// `PUT` of a file.
    Plain {
        /// Whether the length of the body is declared.
        has_length: bool,
    },
    /// A form with two files.
    Form,
    /// A file of FilePond in one form.
    FilePondForm,
    /// Chunks of FilePond, the first of which is sent twice at the same time.
    FilePond,
}

impl Script {
    /// The clients of this script, whose file has `len` bytes.
    pub(super) fn clients(
        self,
        simulation: &Rc<Simulation>,
        first_index: usize,
        len: u64,
    ) -> Vec<LocalBoxFuture<'static, ()>> {
        let client = |index| Client::new(simulation, first_index + index);
        // Each script has four salts: its files and its partial uploads differ from all others.
        let salt = |index: usize| (first_index * 4 + index) as u8 * 5 + 1;
        let first = client(0);
        let expect = |content: &Content| {
            simulation.environment.checker.borrow_mut().expect_content(content);
        };
        let new_content = |index| {
            let content = Content::salted(len, salt(index));
            expect(&content);
            content
        };
        match self {
            Self::Tus(options) => {
                let file = TusFile::new(new_content(0), options);
                vec![async move { file.upload(&first).await }.boxed_local()]
            }
            Self::SharedTus => {
                let file = Rc::new(TusFile::new(new_content(0), TusOptions::default()));
                let second = client(1);
                let both = async move { file.upload_twice(&first, &second).await };
                vec![both.boxed_local()]
            }
            Self::WatchedTus => {
                let file = TusFile::new(new_content(0), TusOptions::default());
                let path = Rc::new(RefCell::new(String::new()));
                let (watched, second) = (Rc::clone(&path), client(1));
                let upload = async move { drop(file.upload_at(&first, Some(&path)).await) };
                let watch = async move { tus::watch(&second, &watched).await };
                vec![upload.boxed_local(), watch.boxed_local()]
            }
            Self::TusWithEvents => {
                let file = TusFile::new(new_content(0), TusOptions::default());
                let path = Rc::new(RefCell::new(String::new()));
                let (watched, second) = (Rc::clone(&path), client(1));
                let upload = async move { drop(file.upload_at(&first, Some(&path)).await) };
                let read = async move { tus::read_events(&second, &watched).await };
                vec![upload.boxed_local(), read.boxed_local()]
            }
            Self::PausedTus => {
                let file = TusFile::new(new_content(0), TusOptions::default());
                let path = Rc::new(RefCell::new(String::new()));
                let (paused, second) = (Rc::clone(&path), client(1));
                let upload = async move { drop(file.upload_at(&first, Some(&path)).await) };
                let pause = async move { tus::pause_and_resume(&second, &paused).await };
                vec![upload.boxed_local(), pause.boxed_local()]
            }
            Self::TusWithCredential(options) => {
                let file = TusFile::new(new_content(0), options);
                let upload = async move {
                    let credential = OwnCredential::request(&first).await;
                    file.with_credential(credential).upload(&first).await;
                };
                vec![upload.boxed_local()]
            }
            Self::TerminatedTus => {
                let file = TusFile::new(new_content(0), TusOptions::default());
                vec![async move { terminate(&first, &file).await }.boxed_local()]
            }
            Self::SlowTus => {
                let file = TusFile::new(new_content(0), SLOW).slow();
                vec![async move { file.upload(&first).await }.boxed_local()]
            }
            Self::AbandonedTus => {
                let file = TusFile::new(new_content(0), TusOptions::default());
                vec![async move { drop(file.send_half(&first).await) }.boxed_local()]
            }
            Self::Concatenation { is_early } => {
                let pieces = [new_content(0), new_content(1)];
                let joined = pieces[0].followed_by(&pieces[1]);
                expect(&joined);
                let joined = async move {
                    tus::concatenate(&first, &pieces, &joined, is_early).await;
                };
                vec![joined.boxed_local()]
            }
            Self::Ietf => {
                let content = new_content(0);
                vec![async move { ietf::upload(&first, &content).await }.boxed_local()]
            }
            Self::IetfAtOnce => {
                let content = new_content(0);
                vec![async move { ietf::upload_at_once(&first, &content).await }.boxed_local()]
            }
            Self::Plain { has_length } => {
                let content = new_content(0);
                vec![async move { plain::put(&first, &content, has_length).await }.boxed_local()]
            }
            Self::Form => {
                let contents = [new_content(0), new_content(1)];
                vec![async move { form::post(&first, &contents).await }.boxed_local()]
            }
            Self::FilePondForm => {
                let content = new_content(0);
                vec![async move { filepond::process(&first, &content).await }.boxed_local()]
            }
            Self::FilePond => {
                let content = new_content(0);
                vec![async move { filepond::upload(&first, &content).await }.boxed_local()]
            }
        }
    }
}

/// The requests of a slow client.
const SLOW: TusOptions =
    TusOptions { patch_bytes: 40_000, creation_bytes: 0, is_deferred: false, has_checksum: false };

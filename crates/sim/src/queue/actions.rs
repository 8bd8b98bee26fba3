//! What a user, an app and its environment do to a queue between its steps.

use super::app::{BadCredential, BadSource};

/// An action between two steps.
#[derive(Clone, Copy, Debug)]
pub(crate) enum UserAction {
    Crash,
    Stop,
    Start,
    StopAndStart,
    Cancel,
    Delete,
    Clean,
    Resume,
    ClearCheckpoint,
    AddFile,
    BadSource,
    BadCredential,
    RenewUnrequested,
    AdvanceTime,
    DeleteMedia,
    ChangeClock,
    ToggleSupply,
}

/// The actions, each as often as it is chosen.
pub(crate) const USER_ACTIONS: [UserAction; 27] = [
    UserAction::Crash,
    UserAction::Crash,
    UserAction::Crash,
    UserAction::Crash,
    UserAction::Stop,
    UserAction::Start,
    UserAction::Start,
    UserAction::StopAndStart,
    UserAction::StopAndStart,
    UserAction::Cancel,
    UserAction::Cancel,
    UserAction::Delete,
    UserAction::Clean,
    UserAction::Resume,
    UserAction::Resume,
    UserAction::ClearCheckpoint,
    UserAction::AddFile,
    UserAction::AddFile,
    UserAction::BadSource,
    UserAction::BadCredential,
    UserAction::BadCredential,
    UserAction::RenewUnrequested,
    UserAction::AdvanceTime,
    UserAction::AdvanceTime,
    UserAction::DeleteMedia,
    UserAction::ChangeClock,
    UserAction::ToggleSupply,
];

pub(crate) const BAD_SOURCES: [BadSource; 4] =
    [BadSource::WrongOffset, BadSource::Broken, BadSource::TooLong, BadSource::TooShort];

pub(crate) const BAD_CREDENTIALS: [BadCredential; 5] = [
    BadCredential::Garbage,
    BadCredential::Swapped,
    BadCredential::ForOtherObject,
    BadCredential::WithoutMediaId,
    BadCredential::Unknown,
];

//! A single-threaded executor with virtual time.
//!
//! Each task has an [`Owner`]. One ready task at a time is polled, chosen by the seed. If no task
//! is ready, the time jumps to the next timer. A crash of an instance drops all tasks of that
//! owner, in the middle of whatever they await.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::future::LocalBoxFuture;
use vod_uploader::units::UnixMillis;

use super::clock::Clock;
use super::random::Random;

/// What a task belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The network, the services, and everything else that survives a crash.
    Environment,
    /// A client, by its index.
    Client(usize),
    /// An instance of the worker, by its index.
    Instance(usize),
}

/// Identifies a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId(u64);

/// The executor.
pub(crate) struct Executor {
    clock: Clock,
    next_id: Cell<u64>,
    tasks: RefCell<BTreeMap<TaskId, Task>>,
    /// Tasks that were woken, each at most once.
    ready: RefCell<Vec<TaskId>>,
    woken: Arc<Mutex<Vec<TaskId>>>,
    timers: RefCell<BTreeMap<TimerKey, Waker>>,
    random: RefCell<Random>,
}

struct Task {
    owner: Owner,
    /// `None` while the task is polled.
    future: Option<LocalBoxFuture<'static, ()>>,
    waker: Waker,
    is_ready: bool,
}

/// When a timer is due, and a number that makes the key unique.
type TimerKey = (UnixMillis, u64);

impl Executor {
    /// An executor that advances `clock`, and whose choices follow from `seed`.
    pub(crate) fn new(clock: Clock, seed: u64) -> Self {
        Self {
            clock,
            next_id: Cell::new(0),
            tasks: RefCell::default(),
            ready: RefCell::default(),
            woken: Arc::default(),
            timers: RefCell::default(),
            random: RefCell::new(Random::seeded(seed)),
        }
    }

    /// The virtual time.
    pub(crate) fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// Adds a task, which is ready at once.
    pub(crate) fn spawn(&self, owner: Owner, future: LocalBoxFuture<'static, ()>) -> TaskId {
        let id = TaskId(self.next_number());
        let waker = Waker::from(Arc::new(TaskWaker { id, woken: Arc::clone(&self.woken) }));
        let task = Task { owner, future: Some(future), waker, is_ready: true };
        self.tasks.borrow_mut().insert(id, task);
        self.ready.borrow_mut().push(id);
        id
    }

    /// Drops a task.
    pub(crate) fn cancel(&self, id: TaskId) {
        // The task is dropped after the borrow ends: its destructors may spawn tasks.
        let canceled = self.tasks.borrow_mut().remove(&id);
        drop(canceled);
    }

    /// Drops all tasks of `owner`.
    pub(crate) fn cancel_all(&self, owner: Owner) {
        let ids: Vec<_> = {
            let tasks = self.tasks.borrow();
            tasks.iter().filter(|(_, task)| task.owner == owner).map(|(id, _)| *id).collect()
        };
        ids.into_iter().for_each(|id| self.cancel(id));
    }

    /// Drops all tasks.
    pub(crate) fn clear(&self) {
        loop {
            let task = self.tasks.borrow_mut().pop_first();
            if task.is_none() {
                return;
            }
        }
    }

    /// Number of tasks of `owner`.
    pub(crate) fn task_count(&self, owner: Owner) -> usize {
        self.tasks.borrow().values().filter(|task| task.owner == owner).count()
    }

    /// Resolves after `duration`.
    pub(crate) fn sleep(self: &Rc<Self>, duration: Duration) -> Sleep {
        let key = (self.now() + duration, self.next_number());
        Sleep { executor: Rc::clone(self), key, is_registered: false }
    }

    /// Polls one ready task, or advances the time to the next timer. Returns false if there is
    /// neither.
    pub(crate) fn step(&self) -> bool {
        self.collect_woken();
        match self.next_ready() {
            Some(id) => self.poll(id),
            None => return self.advance(),
        }
        true
    }

    fn next_ready(&self) -> Option<TaskId> {
        let mut ready = self.ready.borrow_mut();
        if ready.is_empty() {
            return None;
        }
        let index = self.random.borrow_mut().index(ready.len());
        Some(ready.swap_remove(index))
    }

    fn poll(&self, id: TaskId) {
        let (mut future, waker) = {
            let mut tasks = self.tasks.borrow_mut();
            // A task that was canceled while it was ready.
            let Some(task) = tasks.get_mut(&id) else { return };
            task.is_ready = false;
            let Some(future) = task.future.take() else { return };
            (future, task.waker.clone())
        };
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        let ended = match (poll, self.tasks.borrow_mut().get_mut(&id)) {
            (Poll::Pending, Some(task)) => {
                task.future = Some(future);
                return;
            }
            _ => future,
        };
        drop(ended);
        self.cancel(id);
    }

    fn advance(&self) -> bool {
        let Some((key, waker)) = self.timers.borrow_mut().pop_first() else { return false };
        self.clock.advance_to(key.0);
        waker.wake();
        true
    }

    fn collect_woken(&self) {
        let woken = std::mem::take(&mut *self.woken.lock().unwrap());
        let mut tasks = self.tasks.borrow_mut();
        for id in woken {
            if let Some(task) = tasks.get_mut(&id).filter(|task| !task.is_ready) {
                task.is_ready = true;
                self.ready.borrow_mut().push(id);
            }
        }
    }

    fn next_number(&self) -> u64 {
        self.next_id.replace(self.next_id.get() + 1)
    }
}

/// A pending sleep.
pub(crate) struct Sleep {
    executor: Rc<Executor>,
    key: TimerKey,
    is_registered: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.executor.now() >= self.key.0 {
            return Poll::Ready(());
        }
        self.is_registered = true;
        self.executor.timers.borrow_mut().insert(self.key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if self.is_registered {
            self.executor.timers.borrow_mut().remove(&self.key);
        }
    }
}

struct TaskWaker {
    id: TaskId,
    woken: Arc<Mutex<Vec<TaskId>>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.id);
    }
}

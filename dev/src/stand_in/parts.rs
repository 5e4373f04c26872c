//! The parts that every stand-in has, how it runs and is saved with them, and the control that is the same for all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Clock, RequestLog, StateFile, lock, merge, serve};

/// The parts of one stand-in.
pub(crate) struct Parts<'a, Switches, State> {
    pub(crate) clock: &'a Clock,
    pub(crate) switches: &'a Mutex<Switches>,
    pub(crate) log: &'a RequestLog,
    pub(crate) state: &'a Mutex<State>,
    pub(crate) state_file: Option<&'a StateFile>,
    pub(crate) closed: &'a AtomicBool,
}

/// A stand-in, seen by what all of them have.
pub(crate) trait Service: Send + Sync + Sized + 'static {
    /// The failures it can be told to have.
    type Switches: Serialize + DeserializeOwned + Send + 'static;
    /// What it remembers.
    type State: Serialize + Send + 'static;
    /// For whom it stands in.
    const NAME: &'static str;

    /// Its parts.
    fn parts(&self) -> Parts<'_, Self::Switches, Self::State>;

    /// The clock was moved: time for what is due by then.
    fn clock_moved(self: &Arc<Self>) {}

    /// True once it is being stopped.
    fn is_closed(&self) -> bool {
        self.parts().closed.load(Ordering::SeqCst)
    }

    /// The state is not what is in the file any more.
    fn changed(&self) {
        if let Some(file) = self.parts().state_file {
            file.mark_dirty();
        }
    }

    /// Writes the state, if it has changed and is kept at all.
    fn save(&self) {
        let Parts { state, state_file: Some(file), .. } = self.parts() else { return };
        if !file.take_dirty() {
            return;
        }
        let bytes = serde_json::to_vec(&*lock(state)).expect("the state is plain data");
        if let Err(error) = file.write(&bytes) {
            tracing::error!(%error, "the {} stand-in could not save its state", Self::NAME);
        }
    }
}

/// The tasks of a stand-in; dropped, they end and its state is saved.
pub(crate) struct Running<I: Service> {
    inner: Arc<I>,
    tasks: Vec<JoinHandle<()>>,
}

impl<I: Service> Running<I> {
    /// Serves, and saves the state whenever it changes.
    pub(crate) fn begin(inner: &Arc<I>, listener: TcpListener, router: Router<Arc<I>>) -> Self {
        let mut tasks = vec![serve(listener, router.with_state(Arc::clone(inner)))];
        if inner.parts().state_file.is_some() {
            tasks.push(tokio::spawn(saving(Arc::clone(inner))));
        }
        Self { inner: Arc::clone(inner), tasks }
    }

    /// One more task that ends with it.
    pub(crate) fn also(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }
}

impl<I: Service> Drop for Running<I> {
    fn drop(&mut self) {
        self.inner.parts().closed.store(true, Ordering::SeqCst);
        for task in &self.tasks {
            task.abort();
        }
        self.inner.save();
    }
}

async fn saving<I: Service>(inner: Arc<I>) {
    loop {
        let Some(file) = inner.parts().state_file else { return };
        file.changed().await;
        inner.save();
    }
}

/// Switches, clock and requests over HTTP.
pub(crate) fn control<I: Service>() -> Router<Arc<I>> {
    Router::new()
        .route("/switches", get(switches::<I>).post(set_switches::<I>))
        .route("/clock", post(clock::<I>))
        .route("/requests", get(requests::<I>))
}

async fn switches<I: Service>(State(inner): State<Arc<I>>) -> Json<Value> {
    Json(json!(*lock(inner.parts().switches)))
}

async fn set_switches<I: Service>(State(inner): State<Arc<I>>, Json(patch): Json<Value>) -> Response {
    let mut switches = lock(inner.parts().switches);
    match merge(&*switches, &patch) {
        Ok(merged) => {
            *switches = merged;
            Json(json!(*switches)).into_response()
        }
        Err(why) => (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response(),
    }
}

#[derive(Deserialize)]
struct ClockChange {
    shift_seconds: Option<i64>,
    advance_seconds: Option<u64>,
}

async fn clock<I: Service>(State(inner): State<Arc<I>>, Json(change): Json<ClockChange>) -> Json<Value> {
    let clock = inner.parts().clock;
    if let Some(shift) = change.shift_seconds {
        clock.set_shift_seconds(shift);
    }
    if let Some(advance) = change.advance_seconds {
        clock.advance(Duration::from_secs(advance));
    }
    inner.clock_moved();
    Json(json!({ "clock_shift_seconds": clock.shift_seconds(), "now": clock.now() }))
}

async fn requests<I: Service>(State(inner): State<Arc<I>>) -> Json<Value> {
    Json(json!(inner.parts().log.all()))
}

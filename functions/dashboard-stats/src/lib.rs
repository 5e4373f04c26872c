//! The figures of the artist's dashboard: `GET /api/dashboard/stats`. What each one means is said once
//! (`shared::db::stats`).

pub mod api;

use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use shared::auth::Auth;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::{Db, stats};
use shared::error::Error;
use shared::http::{self, Reply, Web};
use shared::net;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub auth: Auth,
    pub clock: Clock,
}

impl App {
    pub fn from_env(web: &Web) -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        Ok(Self { db: Db::from_env()?, auth: Auth::from_env(&http, web)?, clock: config::clock()? })
    }
}

pub async fn handle(app: &App, request: Request) -> Reply {
    let now = app.clock.now();
    let who = app.auth.signed_in(&request, now).await?;
    if request.method() != Method::GET {
        return Err(Error::MethodNotAllowed);
    }
    http::reply(StatusCode::OK, &stats::stats(&app.db, who.account(), now).await?)
}

//! What the schema promises, on a real Postgres: who may touch what, which rows are refused, how it grows.
//!
//! `TEST_DATABASE_URL` names a server where these tests may create databases and roles: run `make test`.

mod access;
mod constraints;
mod growth;
mod guides;
mod manners;
mod promises;
mod rules;
mod scratch;

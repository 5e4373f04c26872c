//! Measures the compiled functions beside their floors and beside the same endpoints in Node.js.
//!
//! `make bench` runs it and writes `tools/bench/RESULTS.md`; the tests use its parts to keep plans and answers as they are.

// Speaks the Lambda runtime API to one instance.
pub mod lambda;

// A line to Postgres of a chosen length.
pub mod line;

// Medians with their spread.
pub mod stats;

// What surrounds the functions.
pub mod world;

// The events, and the rows they need.
pub mod work;

// Starts and invocations.
pub mod measure;

// Whether a peer answers and writes what we do.
pub mod same;

// What becomes of it all as the tables grow.
pub mod growth;

// What the machine can take.
pub mod load;

// The tables.
pub mod report;

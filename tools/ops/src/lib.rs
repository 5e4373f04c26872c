//! What an operator runs against a deployed environment. It looks from outside, with the settings the functions have.

// What is asked of each part, and what to do when the answer is no.
pub mod doctor;

// The schema, and the functions' way into the database.
pub mod database;

// Whom the operator asks in, and whose page is closed.
pub mod artist;

// The environment: what Terraform says of it, and its secrets from SSM.
pub mod environment;

// What may be a secret, and how each is made, changed and taken away.
pub mod secrets;

// What is sealed in the database, and with which key.
pub mod sealed;

// Where the secrets of one environment are.
pub mod shelf;

// SSM, as far as the secrets need it.
pub mod ssm;

// Dead letters, back to where they came from.
pub mod redrive;

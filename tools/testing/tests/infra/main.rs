//! `infra/`: what it says about the functions is what they do, and it can be brought to AWS and taken away again.

mod costs;
mod front;
mod mutations;
mod plan;
mod platform;
mod rules;
mod scripts;
mod source;

//! Tells cargo that a new file in `sql/` changes what is embedded.

fn main() {
    println!("cargo:rerun-if-changed=sql");
}

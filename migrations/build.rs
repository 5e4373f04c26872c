//! A new file in `sql/` is a reason to compile again: the macro that embeds the files cannot say so itself.

fn main() {
    println!("cargo::rerun-if-changed=sql");
}

//! The queries that a guide tells people to ask are ones that this schema answers.

use std::fs;
use std::path::Path;

use crate::scratch::{Begin, CONFIRMED, with_database};

#[test]
fn every_query_of_the_debugging_guide_is_answered() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/debugging.md");
    let guide = fs::read_to_string(guide).expect("the guide");
    let queries: Vec<String> = guide
        .split("```sql\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .map(|query| query.replace(":'id'", CONFIRMED))
        .collect();
    assert!(queries.len() > 8, "{queries:#?}");
    with_database(Begin::WithSamples, async |database| {
        for query in &queries {
            let answer = database.owner.simple_query(query).await;
            assert!(answer.is_ok(), "{query}: {answer:?}");
        }
    });
}

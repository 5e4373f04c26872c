//! A list of the API, page by page.

use serde_json::{Value, json};

use crate::stripe::error::ApiError;
use crate::stripe::objects::{Keyed, Table};
use crate::stripe::requests::Page;

/// One page of what an account has, the newest first.
pub(super) fn list<T: Keyed>(
    table: &Table<T>,
    (account, page): (Option<&str>, &Page),
    url: &str,
    wanted: impl Fn(&T) -> bool,
    render: impl Fn(&T) -> Value,
) -> Result<Value, ApiError> {
    for (name, cursor) in [("starting_after", &page.starting_after), ("ending_before", &page.ending_before)] {
        if let Some(id) = cursor
            && table.of(account, id).is_none()
        {
            return Err(ApiError::invalid(format!("No such object: '{id}'")).code("resource_missing").param(name));
        }
    }
    let mut rows: Vec<&T> = table.iter().rev().filter(|row| row.account() == account).collect();
    if let Some(id) = &page.starting_after {
        let after = rows.iter().position(|row| row.id() == id).map_or(0, |at| at + 1);
        rows.drain(..after);
    }
    let backwards = page.ending_before.is_some();
    if let Some(id) = &page.ending_before {
        let before = rows.iter().position(|row| row.id() == id).unwrap_or(rows.len());
        rows.truncate(before);
    }
    let mut found: Vec<&T> = rows.into_iter().filter(|row| wanted(row)).collect();
    let has_more = found.len() > page.limit;
    if backwards {
        found.drain(..found.len().saturating_sub(page.limit));
    } else {
        found.truncate(page.limit);
    }
    let data: Vec<Value> = found.into_iter().map(render).collect();
    Ok(json!({"object": "list", "data": data, "has_more": has_more, "url": url}))
}

//! Things in the order of their creation, found by id.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A thing with an id.
pub(in crate::stripe) trait Keyed {
    fn id(&self) -> &str;

    /// The connected account it belongs to; none is the one of the key.
    fn account(&self) -> Option<&str>;
}

#[derive(Clone, Debug)]
pub(in crate::stripe) struct Table<T> {
    rows: Vec<T>,
    index: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashMap::new() }
    }
}

impl<T: Keyed> Table<T> {
    pub(in crate::stripe) fn insert(&mut self, row: T) {
        self.index.insert(row.id().to_owned(), self.rows.len());
        self.rows.push(row);
    }

    pub(in crate::stripe) fn get(&self, id: &str) -> Option<&T> {
        self.index.get(id).map(|at| &self.rows[*at])
    }

    /// The thing if it belongs to that account: from any other it cannot be seen.
    pub(in crate::stripe) fn of(&self, account: Option<&str>, id: &str) -> Option<&T> {
        self.get(id).filter(|row| row.account() == account)
    }

    pub(in crate::stripe) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.index.get(id).map(|at| &mut self.rows[*at])
    }

    /// The oldest first.
    pub(in crate::stripe) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    pub(in crate::stripe) fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.rows.iter_mut()
    }

    pub(in crate::stripe) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(in crate::stripe) fn remove(&mut self, id: &str) -> Option<T> {
        let at = *self.index.get(id)?;
        let row = self.rows.remove(at);
        self.index = self.rows.iter().enumerate().map(|(at, row)| (row.id().to_owned(), at)).collect();
        Some(row)
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + Keyed> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Self::default();
        for row in Vec::<T>::deserialize(deserializer)? {
            table.insert(row);
        }
        Ok(table)
    }
}

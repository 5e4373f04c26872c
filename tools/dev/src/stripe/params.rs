//! Stripe's form parameters (`a[b][0]=c`), read as strictly as Stripe reads them.
//! What nobody asked for is an error: a misspelt parameter must not pass here and fail in production.

use std::collections::BTreeMap;

use super::error::ApiError;

/// A parameter: a text, or a group of named or numbered ones.
#[derive(Clone, Debug)]
enum Param {
    Text(String),
    Group(Vec<(String, Param)>),
}

/// The parameters of a request or of one group, taken one by one.
#[derive(Clone, Debug)]
pub(super) struct Params {
    prefix: String,
    entries: Vec<(String, Param)>,
}

impl Params {
    /// Builds the tree from decoded pairs.
    pub(super) fn from_pairs(pairs: &[(String, String)]) -> Result<Self, ApiError> {
        let mut entries = Vec::new();
        for (key, value) in pairs {
            let path = segments(key).ok_or_else(|| {
                ApiError::invalid(format!("Invalid request parameter name: {key}")).param(key.as_str())
            })?;
            insert(&mut entries, key, &path, value)?;
        }
        Ok(Self { prefix: String::new(), entries })
    }

    fn full_name(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.prefix) }
    }

    fn take(&mut self, name: &str) -> Option<Param> {
        let at = self.entries.iter().position(|(key, _)| key == name)?;
        Some(self.entries.remove(at).1)
    }

    /// A text, which may not be empty.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let full = self.full_name(name);
        match self.take(name) {
            None => Ok(None),
            Some(Param::Group(_)) => Err(ApiError::invalid(format!("Invalid string: {{...}} for {full}")).param(full)),
            Some(Param::Text(text)) if text.is_empty() => Err(empty(&full)),
            Some(Param::Text(text)) => Ok(Some(text)),
        }
    }

    /// A text that is taken away by an empty one.
    pub(super) fn emptyable(&mut self, name: &str) -> Result<Option<Option<String>>, ApiError> {
        if matches!(self.entries.iter().find(|(key, _)| key == name), Some((_, Param::Text(text))) if text.is_empty()) {
            self.take(name);
            return Ok(Some(None));
        }
        Ok(self.text(name)?.map(Some))
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, ApiError> {
        self.text(name)?.ok_or_else(|| missing(&self.full_name(name)))
    }

    /// A text of at most so many characters.
    pub(super) fn bounded_text(&mut self, name: &str, most: usize) -> Result<Option<String>, ApiError> {
        let text = self.text(name)?;
        if let Some(text) = &text
            && text.chars().count() > most
        {
            let (full, beginning) = (self.full_name(name), text.chars().take(40).collect::<String>());
            return Err(ApiError::invalid(format!(
                "Invalid string: {beginning}...; must be at most {most} characters"
            ))
            .param(full));
        }
        Ok(text)
    }

    /// One of a few words.
    pub(super) fn choice(&mut self, name: &str, words: &[&str]) -> Result<Option<String>, ApiError> {
        let text = self.text(name)?;
        if let Some(text) = &text
            && !words.contains(&text.as_str())
        {
            let full = self.full_name(name);
            return Err(ApiError::invalid(format!("Invalid {full}: must be one of {}", words.join(", "))).param(full));
        }
        Ok(text)
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let full = self.full_name(name);
        text.parse().map(Some).map_err(|_| {
            ApiError::invalid(format!("Invalid integer: {text}")).code("parameter_invalid_integer").param(full)
        })
    }

    pub(super) fn non_negative(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.integer(name)? {
            Some(number) if number < 0 => Err(ApiError::invalid("This value must be greater than or equal to 0.")
                .code("parameter_invalid_integer")
                .param(self.full_name(name))),
            number => Ok(number),
        }
    }

    pub(super) fn positive(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.integer(name)? {
            Some(number) if number < 1 => Err(ApiError::invalid("This value must be greater than or equal to 1.")
                .code("parameter_invalid_integer")
                .param(self.full_name(name))),
            number => Ok(number),
        }
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(ApiError::invalid(format!("Invalid boolean: {text}")).param(self.full_name(name))),
        }
    }

    pub(super) fn group(&mut self, name: &str) -> Result<Option<Self>, ApiError> {
        let prefix = self.full_name(name);
        match self.take(name) {
            None => Ok(None),
            Some(Param::Group(entries)) => Ok(Some(Self { prefix, entries })),
            Some(Param::Text(_)) => Err(ApiError::invalid("Invalid object").param(prefix)),
        }
    }

    pub(super) fn groups(&mut self, name: &str) -> Result<Vec<Self>, ApiError> {
        let full = self.full_name(name);
        let entries = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Param::Group(entries)) => in_order(entries, &full)?,
            Some(Param::Text(_)) => return Err(ApiError::invalid("Invalid array").param(full)),
        };
        entries
            .into_iter()
            .enumerate()
            .map(|(at, (_, entry))| match entry {
                Param::Group(entries) => Ok(Self { prefix: format!("{full}[{at}]"), entries }),
                Param::Text(_) => Err(ApiError::invalid("Invalid object").param(format!("{full}[{at}]"))),
            })
            .collect()
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, ApiError> {
        let full = self.full_name(name);
        let entries = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Param::Group(entries)) => in_order(entries, &full)?,
            Some(Param::Text(_)) => return Err(ApiError::invalid("Invalid array").param(full)),
        };
        entries
            .into_iter()
            .enumerate()
            .map(|(at, (_, entry))| match entry {
                Param::Text(text) if text.is_empty() => Err(empty(&format!("{full}[{at}]"))),
                Param::Text(text) => Ok(text),
                Param::Group(_) => Err(ApiError::invalid("Invalid string: {...}").param(format!("{full}[{at}]"))),
            })
            .collect()
    }

    /// Metadata within Stripe's limits: 50 keys of 40 characters, values of 500.
    pub(super) fn metadata(&mut self) -> Result<BTreeMap<String, String>, ApiError> {
        Ok(self.metadata_over(&BTreeMap::new())?.unwrap_or_default())
    }

    /// What metadata becomes, if it is to change: an empty value takes a key away, an empty text all of them.
    pub(super) fn metadata_over(
        &mut self,
        there: &BTreeMap<String, String>,
    ) -> Result<Option<BTreeMap<String, String>>, ApiError> {
        let full = self.full_name("metadata");
        let entries = match self.take("metadata") {
            None => return Ok(None),
            Some(Param::Text(text)) if text.is_empty() => return Ok(Some(BTreeMap::new())),
            Some(Param::Text(_)) => return Err(ApiError::invalid("Invalid object").param(full)),
            Some(Param::Group(entries)) => entries,
        };
        let mut metadata = there.clone();
        for (key, value) in entries {
            let value = metadata_value(&full, &key, value)?;
            if value.is_empty() {
                metadata.remove(&key);
            } else {
                metadata.insert(key, value);
            }
        }
        if metadata.len() > 50 {
            return Err(ApiError::invalid("You can have up to 50 metadata keys.").param(full));
        }
        Ok(Some(metadata))
    }

    /// A web address of at most so many characters.
    pub(super) fn url(&mut self, name: &str, most: usize) -> Result<Option<String>, ApiError> {
        let text = self.bounded_text(name, most)?;
        if let Some(text) = &text {
            let known =
                reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !known {
                return Err(ApiError::invalid("Not a valid URL").code("url_invalid").param(self.full_name(name)));
            }
        }
        Ok(text)
    }

    /// Refuses what is left: unknown to Stripe, or known there and not played here.
    pub(super) fn finish(self, not_played: &[&str]) -> Result<(), ApiError> {
        let Some((name, _)) = self.entries.first() else { return Ok(()) };
        let full = self.full_name(name);
        if not_played.contains(&name.as_str()) {
            return Err(ApiError::invalid(format!("The stand-in does not play this parameter of Stripe's: {full}"))
                .code("not_played_by_the_stand_in")
                .param(full));
        }
        Err(ApiError::invalid(format!("Received unknown parameter: {full}")).code("parameter_unknown").param(full))
    }
}

fn metadata_value(full: &str, key: &str, value: Param) -> Result<String, ApiError> {
    let name = format!("{full}[{key}]");
    let Param::Text(value) = value else {
        return Err(ApiError::invalid("Invalid value type for metadata: metadata values are strings").param(name));
    };
    if key.chars().count() > 40 {
        return Err(ApiError::invalid(format!(
            "Metadata keys can have up to 40 characters, but you passed in a key that is {} characters. Invalid key: {key}",
            key.chars().count()
        ))
        .param(name));
    }
    if value.chars().count() > 500 {
        return Err(ApiError::invalid(format!(
            "Metadata values can have up to 500 characters, but you passed in a value that is {} characters. Invalid value: {value}",
            value.chars().count()
        ))
        .param(name));
    }
    Ok(value)
}

pub(super) fn missing(full: &str) -> ApiError {
    ApiError::invalid(format!("Missing required param: {full}.")).code("parameter_missing").param(full)
}

fn empty(full: &str) -> ApiError {
    ApiError::invalid(format!(
        "You passed an empty string for '{full}'. We assume empty values are an attempt to unset a parameter; however \
         '{full}' cannot be unset. You should remove '{full}' from your request or supply a non-empty value."
    ))
    .code("parameter_invalid_empty")
    .param(full)
}

/// `a[b][0]` as `a`, `b`, `0`; an empty last segment is `a[]`.
fn segments(key: &str) -> Option<Vec<&str>> {
    let Some(open) = key.find('[') else { return (!key.is_empty() && !key.contains(']')).then(|| vec![key]) };
    let (first, mut rest) = key.split_at(open);
    if first.is_empty() {
        return None;
    }
    let mut path = vec![first];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[')?;
        let close = inner.find(']')?;
        path.push(&inner[..close]);
        rest = &inner[close + 1..];
    }
    Some(path)
}

fn insert(entries: &mut Vec<(String, Param)>, key: &str, path: &[&str], value: &str) -> Result<(), ApiError> {
    let (name, rest) = path.split_first().expect("a parameter name has a first segment");
    let name = if name.is_empty() { entries.len().to_string() } else { (*name).to_owned() };
    let clash = || ApiError::invalid(format!("Invalid request: {key} is given in two shapes")).param(key);
    let at = entries.iter().position(|(known, _)| *known == name);
    if rest.is_empty() {
        match at {
            None => entries.push((name, Param::Text(value.to_owned()))),
            Some(at) => match &mut entries[at].1 {
                Param::Text(text) => value.clone_into(text),
                Param::Group(_) => return Err(clash()),
            },
        }
        return Ok(());
    }
    let at = at.unwrap_or_else(|| {
        entries.push((name, Param::Group(Vec::new())));
        entries.len() - 1
    });
    match &mut entries[at].1 {
        Param::Group(inner) => insert(inner, key, rest, value),
        Param::Text(_) => Err(clash()),
    }
}

fn in_order(mut entries: Vec<(String, Param)>, full: &str) -> Result<Vec<(String, Param)>, ApiError> {
    if entries.iter().any(|(name, _)| name.parse::<u32>().is_err()) {
        return Err(ApiError::invalid("Invalid array").param(full));
    }
    entries.sort_by_key(|(name, _)| name.parse::<u32>().unwrap_or(u32::MAX));
    Ok(entries)
}

//! What the gateway serves, as the files in `infra/` say it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One line of `infra/routes.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Route {
    pub method: String,
    /// The path, with `{name}` for a segment that varies.
    pub path: String,
    /// The function that answers.
    pub function: String,
}

/// `infra/headers.json`: what the distribution adds to each response.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ResponseHeaders {
    /// On pages and assets.
    pub site: BTreeMap<String, String>,
    /// On `/api/*`.
    pub api: BTreeMap<String, String>,
}

/// `infra/handed-on.json`: what the distribution hands on of a request. The rest does not arrive.
#[derive(Clone, Debug, Deserialize)]
pub struct HandedOn {
    /// The names of headers, in small letters.
    pub headers: Vec<String>,
    pub cookies: Share,
    pub queries: Share,
    /// The functions whose answers are everybody's: of a request they get a page's language and an API's origin alone.
    pub shared: Vec<String>,
}

/// How much is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Share {
    All,
    None,
}

/// What the gateway serves.
#[derive(Clone, Debug)]
pub struct Options {
    pub routes: Vec<Route>,
    pub headers: ResponseHeaders,
    pub handed_on: HandedOn,
    /// The folder of the static site.
    pub site: PathBuf,
    /// The host name that the functions see.
    pub domain: String,
    /// The bucket of pictures, which `/images/*` shows: its address, and its origin for the pages that upload.
    pub pictures: Option<Pictures>,
}

/// The bucket of pictures.
#[derive(Clone, Debug)]
pub struct Pictures {
    /// What a key follows after a slash.
    pub address: String,
    /// What takes the place of `{uploads}` in the content security policy.
    pub origin: String,
}

impl Options {
    /// Reads the route table and the headers of the checkout at `root`.
    pub fn of_checkout(root: &Path, domain: String) -> io::Result<Self> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
        };
        Ok(Self {
            routes: serde_json::from_slice(&read(&root.join("infra/routes.json"))?)?,
            headers: serde_json::from_slice(&read(&root.join("infra/headers.json"))?)?,
            handed_on: serde_json::from_slice(&read(&root.join("infra/handed-on.json"))?)?,
            site: root.join("frontend/dist"),
            domain,
            pictures: None,
        })
    }
}

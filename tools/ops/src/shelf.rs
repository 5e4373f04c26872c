//! Where the secrets of one environment are kept: below one path of SSM.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use shared::{aws, config, net};

use crate::ssm::{Parameter, Ssm};

/// Where the secrets of one environment are.
#[derive(Debug, Clone)]
pub struct Shelf {
    ssm: Ssm,
    path: String,
}

impl Shelf {
    /// The parameters below `path`.
    pub fn new(ssm: Ssm, path: &str) -> Self {
        Self { ssm, path: path.to_owned() }
    }

    /// The one that `PARAMETER_PATH` names, in `AWS_REGION`, as the operator whom the environment names.
    ///
    /// # Errors
    /// One of these is not set.
    pub fn from_env() -> Result<Self> {
        let credentials = aws::credentials().context("no AWS credentials: aws sso login, or AWS_PROFILE")?;
        let region = config::required("AWS_REGION")?;
        let http = net::client(&net::tls());
        let ssm = Ssm::new(http, aws::endpoint("AWS_ENDPOINT_URL_SSM"), region, credentials);
        Ok(Self::new(ssm, &config::required("PARAMETER_PATH")?))
    }

    /// Those of `names` that there are.
    pub async fn read(&self, names: &[&str]) -> Result<HashMap<String, Parameter>> {
        let paths: Vec<String> = names.iter().map(|name| format!("{}/{name}", self.path)).collect();
        let last = |path: String| path.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(self.ssm.read(&paths).await?.into_iter().map(|(path, parameter)| (last(path), parameter)).collect())
    }

    /// One of them, when it is there.
    pub async fn value(&self, name: &str) -> Result<Option<String>> {
        Ok(self.read(&[name]).await?.remove(name).map(|parameter| parameter.value))
    }

    /// Writes one, and returns its version.
    ///
    /// # Errors
    /// It is there and may not be replaced, or SSM refuses or cannot be reached.
    pub async fn put(&self, name: &str, value: &str, replace: bool) -> Result<i64> {
        self.ssm.put(&format!("{}/{name}", self.path), value, replace).await
    }
}

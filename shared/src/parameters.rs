//! The secrets of a function, read once at its start from SSM's Parameter Store in one call.
//! On a laptop there are none: `SECRETS_PARAMETERS` is not set, and the environment says everything.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_sqs::config::Credentials;
use http::Method;
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::{self, ConfigError};
use crate::{aws, net};

/// How long one call may take. Lambda gives a start ten seconds: three calls and their pauses end before.
const BOUND: Duration = Duration::from_secs(2);

/// The pauses before the second and the third call: SSM throttles when many sandboxes start at once.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];

/// The most names of one call.
const MOST: usize = 10;

/// Why the parameters could not be read. No variant carries a value.
#[derive(Error)]
pub enum ParametersError {
    /// A setting of the call itself is missing.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// More names than one call takes.
    #[error("SECRETS_PARAMETERS has {0} names, and SSM takes {MOST} in one call")]
    TooMany(usize),
    /// SSM has none of these names, or this function's role may not see them.
    #[error("SSM has no parameter {} (was it created in this region, by `make deploy`?)", .0.join(", "))]
    Unknown(Vec<String>),
    /// SSM refused the call.
    #[error(
        "SSM refused to give the parameters: {status} {code} (may this function's role call ssm:GetParameters on them?)"
    )]
    Refused {
        status: u16,
        /// SSM's own word for it.
        code: String,
    },
    /// SSM could not be reached in time, or was throttled each time.
    #[error("SSM did not give the parameters after {calls} calls: {why}", calls = PAUSES.len() + 1)]
    Unreachable {
        /// How the last call ended.
        why: String,
    },
}

/// The last words of a process whose `main` fails are its error's `Debug`: an operator reads a sentence there.
impl fmt::Debug for ParametersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where SSM is, and who asks.
#[derive(Debug, Clone)]
pub struct Store {
    http: reqwest::Client,
    url: String,
    region: String,
    credentials: Credentials,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Question<'a> {
    names: &'a [String],
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    parameters: Vec<Parameter>,
    #[serde(default)]
    invalid_parameters: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    name: String,
    value: String,
}

/// What one call came to.
enum Failure {
    Again(String),
    Final(ParametersError),
}

/// Reads the parameters that `SECRETS_PARAMETERS` names, so that [`config`] finds them. Nothing when it is not set.
///
/// To be called before anything else reads a setting. The setting's name is the last part of the parameter's.
///
/// # Errors
/// A parameter is missing or forbidden, or SSM cannot be reached.
pub async fn load() -> Result<(), ParametersError> {
    let names = config::list("SECRETS_PARAMETERS");
    if names.is_empty() {
        return Ok(());
    }
    // A client of its own: SSM is asked once, and its connection is of no use to anything that follows.
    let store = Store::from_env(net::client(&net::tls()))?;
    config::keep(store.get(&names).await?);
    Ok(())
}

impl Store {
    /// SSM of `AWS_REGION`, or at `AWS_ENDPOINT_URL_SSM`.
    pub fn from_env(http: reqwest::Client) -> Result<Self, ConfigError> {
        let region = config::required("AWS_REGION")?;
        Ok(Self::new(http, aws::endpoint("AWS_ENDPOINT_URL_SSM"), region, aws::credentials()?))
    }

    /// SSM of `region`, or at `endpoint`.
    pub fn new(http: reqwest::Client, endpoint: Option<String>, region: String, credentials: Credentials) -> Self {
        let endpoint = endpoint.unwrap_or_else(|| format!("https://ssm.{region}.amazonaws.com"));
        Self { http, url: format!("{}/", endpoint.trim_end_matches('/')), region, credentials }
    }

    /// The values of `names`, each under the last part of its name.
    ///
    /// # Errors
    /// A parameter is missing or forbidden, or SSM cannot be reached.
    pub async fn get(&self, names: &[String]) -> Result<HashMap<String, String>, ParametersError> {
        if names.len() > MOST {
            return Err(ParametersError::TooMany(names.len()));
        }
        let mut pauses = PAUSES.iter();
        let answer = loop {
            match (self.call(names).await, pauses.next()) {
                (Ok(answer), _) => break answer,
                (Err(Failure::Final(error)), _) => return Err(error),
                (Err(Failure::Again(why)), None) => return Err(ParametersError::Unreachable { why }),
                (Err(Failure::Again(why)), Some(pause)) => {
                    tracing::warn!(why, "SSM did not give the parameters; asking again");
                    tokio::time::sleep(*pause).await;
                }
            }
        };
        if !answer.invalid_parameters.is_empty() {
            return Err(ParametersError::Unknown(answer.invalid_parameters));
        }
        let setting = |name: String| name.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(answer.parameters.into_iter().map(|parameter| (setting(parameter.name), parameter.value)).collect())
    }

    async fn call(&self, names: &[String]) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(&Question { names, with_decryption: true }).expect("names are always JSON");
        let request = self.signed(body);
        // What breaks off names an address at most; neither the request nor the answer is in it.
        let failed = |error: reqwest::Error| Failure::Again(error.without_url().to_string());
        let response = self.http.execute(request).await.map_err(failed)?;
        let status = response.status();
        let text = response.bytes().await.map_err(failed)?;
        if status.is_success() {
            return serde_json::from_slice(&text).map_err(|_| Failure::Again("an answer that is not SSM's".into()));
        }
        let code = serde_json::from_slice::<serde_json::Value>(&text).ok();
        let code =
            code.and_then(|told| told["__type"].as_str()?.rsplit('#').next().map(str::to_owned)).unwrap_or_default();
        let busy = ["ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"].contains(&code.as_str());
        if busy || status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failure::Again(format!("{status} {code}")));
        }
        Err(Failure::Final(ParametersError::Refused { status: status.as_u16(), code }))
    }

    fn signed(&self, body: Vec<u8>) -> reqwest::Request {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AmazonSSM.GetParameters")];
        let request = aws::signed(&self.credentials, &self.region, "ssm", Method::POST, &self.url, &headers, body);
        let mut request = reqwest::Request::try_from(request).expect("a URL that was signed is one");
        *request.timeout_mut() = Some(BOUND);
        request
    }
}

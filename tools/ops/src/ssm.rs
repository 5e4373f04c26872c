//! SSM's Parameter Store as an operator uses it: the secrets with their versions, read and written. The functions only read,
//! by [`shared::parameters`].

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use aws_sdk_sqs::config::Credentials;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::aws;

/// How long one call may take.
const BOUND: Duration = Duration::from_secs(15);

/// The most names of one call.
const MOST: usize = 10;

/// A parameter, as SSM has it.
#[expect(missing_debug_implementations, reason = "it holds a secret")]
#[derive(Clone)]
pub struct Parameter {
    /// Its value, decrypted.
    pub value: String,
    /// Its version: 1 when it was made, one more each time it was written.
    pub version: i64,
    /// When it was written last.
    pub written: Timestamp,
}

/// Where SSM is, and who asks.
#[derive(Debug, Clone)]
pub struct Ssm {
    http: reqwest::Client,
    url: String,
    region: String,
    credentials: Credentials,
}

impl Ssm {
    /// SSM of `region`, or at `endpoint`.
    pub fn new(http: reqwest::Client, endpoint: Option<String>, region: String, credentials: Credentials) -> Self {
        let endpoint = endpoint.unwrap_or_else(|| format!("https://ssm.{region}.amazonaws.com"));
        Self { http, url: format!("{}/", endpoint.trim_end_matches('/')), region, credentials }
    }

    /// The parameters of these names that there are.
    pub async fn read(&self, names: &[String]) -> Result<HashMap<String, Parameter>> {
        let mut found = HashMap::new();
        for names in names.chunks(MOST) {
            let answer = self.call("GetParameters", &json!({ "Names": names, "WithDecryption": true })).await?;
            for told in answer["Parameters"].as_array().context("SSM's answer has no parameters")? {
                // Seconds, with a fraction.
                let written = told["LastModifiedDate"].as_f64().unwrap_or_default();
                #[expect(clippy::cast_possible_truncation, reason = "milliseconds of this age fit")]
                let written = Timestamp::from_millisecond((written * 1000.0) as i64)?;
                let text = |name: &str| told[name].as_str().map(str::to_owned).context("SSM's answer cannot be read");
                let version = told["Version"].as_i64().context("SSM's answer names no version")?;
                found.insert(text("Name")?, Parameter { value: text("Value")?, version, written });
            }
        }
        Ok(found)
    }

    /// Writes a parameter, encrypted, and returns its version. One that is there is replaced only when `replace` says so.
    ///
    /// # Errors
    /// It is there and may not be replaced, or SSM refuses or cannot be reached.
    pub async fn put(&self, name: &str, value: &str, replace: bool) -> Result<i64> {
        let wish = json!({ "Name": name, "Value": value, "Type": "SecureString", "Overwrite": replace });
        self.call("PutParameter", &wish).await?["Version"].as_i64().context("SSM's answer names no version")
    }

    /// Neither the question nor the answer of a call is ever part of its error.
    async fn call(&self, action: &str, body: &Value) -> Result<Value> {
        let target = format!("AmazonSSM.{action}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let mut pause = Duration::from_millis(300);
        loop {
            let body = body.to_string().into_bytes();
            let request =
                aws::signed(&self.credentials, &self.region, "ssm", http::Method::POST, &self.url, &headers, body);
            let mut request = reqwest::Request::try_from(request)?;
            *request.timeout_mut() = Some(BOUND);
            let answer = self.http.execute(request).await;
            let answer = answer.map_err(|error| anyhow!("SSM cannot be reached: {}", error.without_url()))?;
            let status = answer.status();
            let told: Value = answer.json().await.unwrap_or_default();
            if status.is_success() {
                return Ok(told);
            }
            let code = told["__type"].as_str().and_then(|code| code.rsplit('#').next()).unwrap_or_default().to_owned();
            let busy = status.is_server_error()
                || ["ThrottlingException", "TooManyUpdates", "RequestLimitExceeded"].contains(&code.as_str());
            if !busy || pause > Duration::from_secs(3) {
                bail!("SSM refuses {action}: {} {code}", status.as_u16());
            }
            tokio::time::sleep(pause).await;
            pause *= 3;
        }
    }
}

//! A deployed environment: what Terraform says of it (`terraform output -json`), and its secrets as SSM has them.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use aws_sdk_sqs::config::Credentials;
use aws_types::SdkConfig;
use serde::Deserialize;
use serde_json::Value;
use shared::config::Secret;
use shared::{aws, net};

use crate::shelf::Shelf;
use crate::ssm::{Parameter, Ssm};

/// The outputs of `infra/`, as far as they are needed.
#[derive(Debug, Clone, Deserialize)]
pub struct Outputs {
    /// The site's origin.
    pub site_url: String,
    /// The webhooks' addresses by their paths.
    pub webhook_urls: HashMap<String, String>,
    /// The queues' addresses: `jobs`, `jobs-dead`, `images-dead`.
    pub queues: HashMap<String, String>,
    /// The functions' names at AWS.
    pub functions: HashMap<String, String>,
    /// What SES must have verified.
    pub mail_domain: String,
    pub region: String,
    /// Where its secrets are in SSM.
    pub parameter_path: String,
    /// The secrets' names.
    pub secrets: Vec<String>,
    /// The topics of the alarms, each after its region. A deploy of before has none.
    #[serde(default)]
    pub alarm_topics: Vec<String>,
    /// The versions of the secrets that the last deploy made the functions start with, by name.
    #[serde(default)]
    pub secret_versions: HashMap<String, i64>,
    /// The plain settings of the functions.
    pub settings: HashMap<String, String>,
}

impl Outputs {
    /// Reads the answer of `terraform output -json`.
    ///
    /// # Errors
    /// It is something else, or nothing is deployed.
    pub fn parse(text: &str) -> Result<Self> {
        let outputs: HashMap<String, Value> = serde_json::from_str(text).context("not the outputs of Terraform")?;
        let values = outputs.into_iter().map(|(name, output)| (name, output["value"].clone())).collect();
        serde_json::from_value(Value::Object(values)).context("nothing is deployed here: make deploy")
    }
}

/// Supabase's Management API.
#[derive(Debug, Clone)]
pub struct Management {
    /// Where it answers.
    pub base: String,
    /// A personal access token of somebody who administers the project.
    pub token: Secret,
}

impl Management {
    fn from_env() -> Option<Self> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let base = set("SUPABASE_MANAGEMENT_API_BASE").unwrap_or_else(|| "https://api.supabase.com".to_owned());
        set("SUPABASE_ACCESS_TOKEN").map(|token| Self { base, token: Secret::new(token) })
    }
}

/// All that the checks ask with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
#[derive(Clone)]
pub struct Environment {
    pub outputs: Outputs,
    /// The secrets that SSM has, by name.
    pub secrets: HashMap<String, Parameter>,
    /// The database as its owner, when the operator has given it.
    pub owner_database_url: Option<String>,
    /// The way into the settings of Supabase Auth, when the operator has given it.
    pub supabase: Option<Management>,
    pub http: reqwest::Client,
    /// The operator at AWS.
    pub aws: SdkConfig,
    /// The same, for calls without an SDK.
    pub credentials: Credentials,
    /// Another AWS than the real one.
    pub endpoint: Option<String>,
}

impl Environment {
    /// Asks SSM for the secrets of `outputs`, as the operator that the process's environment names.
    ///
    /// # Errors
    /// There are no credentials.
    pub async fn open(outputs: Outputs) -> Result<Self> {
        let http = net::client(&net::tls());
        let mut outputs = outputs;
        // A site whose name does not lead to it yet can be looked at by another one.
        if let Some(url) = std::env::var("SMOKE_URL").ok().filter(|url| !url.is_empty()) {
            for (path, address) in &mut outputs.webhook_urls {
                *address = format!("{url}{path}");
            }
            outputs.site_url = url;
        }
        let credentials = aws::credentials().context("no AWS credentials: aws sso login, or AWS_PROFILE")?;
        let endpoint = aws::endpoint("AWS_ENDPOINT_URL_SSM");
        let aws = aws::with(&http, outputs.region.clone(), credentials.clone());
        let owner_database_url = std::env::var("MIGRATE_DATABASE_URL").ok().filter(|url| !url.is_empty());
        let supabase = Management::from_env();
        let secrets = HashMap::new();
        let mut this = Self { outputs, secrets, owner_database_url, supabase, http, aws, credentials, endpoint };
        let names: Vec<&str> = this.outputs.secrets.iter().map(String::as_str).collect();
        // What is missing is told by the checks that need it.
        this.secrets = this.shelf().read(&names).await.unwrap_or_else(|error| {
            eprintln!("the secrets cannot be read: {error}");
            HashMap::new()
        });
        Ok(this)
    }

    /// A secret; empty when SSM has none.
    pub fn secret(&self, name: &str) -> &str {
        self.secrets.get(name).map(|parameter| parameter.value.as_str()).unwrap_or_default()
    }

    /// A plain setting; empty when it is not set.
    pub fn setting(&self, name: &str) -> &str {
        self.outputs.settings.get(name).map(String::as_str).unwrap_or_default()
    }

    pub fn shelf(&self) -> Shelf {
        let ssm =
            Ssm::new(self.http.clone(), self.endpoint.clone(), self.outputs.region.clone(), self.credentials.clone());
        Shelf::new(ssm, &self.outputs.parameter_path)
    }

    /// The queue of the jobs and its dead letters.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let mut config = aws_sdk_sqs::config::Builder::from(&self.aws);
        config.set_endpoint_url(self.endpoint.clone());
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        let mut config = aws_sdk_sesv2::config::Builder::from(&self.aws);
        config.set_endpoint_url(self.endpoint.clone());
        aws_sdk_sesv2::Client::from_conf(config.build())
    }
}

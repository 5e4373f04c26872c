//! The AWS SDK, configured by hand and sending over the process's one HTTP client.
//! It knows no service: `queue` and `mail` add their own endpoint, bounds and retries.

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;

use crate::config::{self, ConfigError};

/// What every AWS client of this process shares: the region, the credentials and the HTTP client.
///
/// The credentials are read once: Lambda gives each sandbox its own and replaces the sandbox before
/// they run out.
///
/// # Errors
/// `AWS_REGION`, `AWS_ACCESS_KEY_ID` or `AWS_SECRET_ACCESS_KEY` is missing.
pub fn settings(http: &reqwest::Client) -> Result<SdkConfig, ConfigError> {
    Ok(with(http, config::required("AWS_REGION")?, credentials()?))
}

/// Who signs: the function's role, as Lambda says it in the environment.
///
/// # Errors
/// `AWS_ACCESS_KEY_ID` or `AWS_SECRET_ACCESS_KEY` is missing.
pub fn credentials() -> Result<Credentials, ConfigError> {
    Ok(Credentials::new(
        config::required("AWS_ACCESS_KEY_ID")?,
        config::required("AWS_SECRET_ACCESS_KEY")?,
        config::optional("AWS_SESSION_TOKEN"),
        None,
        "environment",
    ))
}

/// Where a service answers when it is not AWS: its own variable (`AWS_ENDPOINT_URL_SQS`), or the one for all.
pub fn endpoint(of_service: &'static str) -> Option<String> {
    config::optional(of_service).or_else(|| config::optional("AWS_ENDPOINT_URL"))
}

/// As [`settings`], from given values.
pub fn with(http: &reqwest::Client, region: String, credentials: Credentials) -> SdkConfig {
    let http = http.clone();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client_fn(move |settings, _| {
            SharedHttpConnector::new(Connector { http: http.clone(), read_timeout: settings.read_timeout() })
        }))
        .build()
}

/// What a signature (version 4) adds to a request: headers, or a query.
pub(crate) struct Signature {
    /// Names and values of headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Names and values of the query, not encoded.
    pub(crate) query: Vec<(String, String)>,
}

/// Who signs, for which service, and when on AWS's own clock.
pub(crate) struct Signer<'a> {
    /// The function's role.
    pub(crate) identity: &'a Identity,
    /// `eu-west-3`.
    pub(crate) region: &'a str,
    /// `s3`.
    pub(crate) service: &'a str,
    /// The machine's own time, which AWS compares with its clock: the shift of `make dev` is not in it.
    pub(crate) time: std::time::SystemTime,
    pub(crate) settings: SigningSettings,
}

impl Signer<'_> {
    /// Signs one request.
    ///
    /// # Errors
    /// `url` is not a URL, or a header is not ASCII.
    pub(crate) fn sign(
        self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: SignableBody<'_>,
    ) -> Result<Signature, String> {
        let params = v4::SigningParams::builder()
            .identity(self.identity)
            .region(self.region)
            .name(self.service)
            .time(self.time)
            .settings(self.settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let request =
            SignableRequest::new(method, url, headers.iter().copied(), body).map_err(|error| error.to_string())?;
        let (instructions, _signature) = sign(request, &params).map_err(|error| error.to_string())?.into_parts();
        let (headers, query) = instructions.into_parts();
        Ok(Signature {
            headers: headers.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect(),
            query: query.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect(),
        })
    }
}

/// A request to a service for which no SDK is compiled in, with its signature.
///
/// # Panics
/// `url` is not a URL, or a header is not ASCII: both are written in our source.
pub fn signed(
    credentials: &Credentials,
    region: &str,
    service: &str,
    method: http::Method,
    url: &str,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
) -> http::Request<Vec<u8>> {
    let identity = Identity::from(credentials.clone());
    #[expect(clippy::disallowed_methods, reason = "AWS compares it with its own clock; nothing of InkFlow shifts it")]
    let time = std::time::SystemTime::now();
    let signer = Signer { identity: &identity, region, service, time, settings: SigningSettings::default() };
    let signature = signer.sign(method.as_str(), url, headers, SignableBody::Bytes(&body)).expect("a request of ours");
    let mut request = http::Request::builder().method(&method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    for (name, value) in &signature.headers {
        request = request.header(name, value);
    }
    request.body(body).expect("headers that were signed are headers")
}

/// Carries the SDK's requests over our client. Bodies are whole, as those of SQS and SES are.
#[derive(Debug)]
struct Connector {
    http: reqwest::Client,
    read_timeout: Option<std::time::Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.http.clone();
        let read_timeout = self.read_timeout;
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let (parts, body) = request.into_parts();
            let body = body
                .bytes()
                .map(<[u8]>::to_vec)
                .ok_or_else(|| ConnectorError::user("a streaming body is not supported".into()))?;
            let mut request = reqwest::Request::try_from(http::Request::from_parts(parts, body))
                .map_err(|error| ConnectorError::user(error.into()))?;
            *request.timeout_mut() = read_timeout;
            let mut response = http.execute(request).await.map_err(failure)?;
            let mut answer = http::Response::new(());
            *answer.status_mut() = response.status();
            std::mem::swap(answer.headers_mut(), response.headers_mut());
            let body = SdkBody::from(response.bytes().await.map_err(failure)?.to_vec());
            HttpResponse::try_from(answer.map(|()| body)).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Whether a request never left: nobody was reached who could have acted on it.
pub(crate) fn never_connected(error: &ConnectorError) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            return error.is_connect();
        }
        cause = error.source();
    }
    false
}

/// What went wrong, in the SDK's terms: it retries what timed out or broke off, and nothing else.
fn failure(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

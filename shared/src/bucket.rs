//! The bucket of pictures: the upload that a browser makes by itself, and the few calls of S3 that `image-intake` makes.
//!
//! No SDK: three verbs on one key each do not need one, and it would be the largest part of the function.

use std::time::{Duration, SystemTime};

use aws_sdk_sqs::config::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignatureLocation, SigningSettings,
    UriPathNormalizationMode,
};
use aws_smithy_runtime_api::client::identity::Identity;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};

use crate::aws::{self, Signature, Signer};
use crate::clock::Clock;
use crate::config::{self, ConfigError};
use crate::domain::time::after;
use crate::error::{Error, Service};

/// How long an upload may be begun: a phone in a cellar tries more than once.
pub const UPLOAD_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// How long one call may take; fifteen megabytes in one region are a second.
const BOUND: Duration = Duration::from_secs(15);

/// The bucket, and what signs for it.
#[derive(Debug)]
pub struct Bucket {
    http: reqwest::Client,
    /// Origin, and the bucket in the path where it is not in the name.
    base: String,
    region: String,
    identity: Identity,
}

/// What came of reading a file.
#[derive(Debug)]
pub enum Fetched {
    /// All of it.
    Bytes(Vec<u8>),
    /// It is larger than the limit.
    TooLarge,
    Missing,
}

impl Bucket {
    /// Reads `IMAGES_BUCKET`, the region and credentials that Lambda sets, and `AWS_ENDPOINT_URL_S3` on a laptop.
    pub fn from_env(http: &reqwest::Client) -> Result<Self, ConfigError> {
        let (credentials, endpoint) = (aws::credentials()?, aws::endpoint("AWS_ENDPOINT_URL_S3"));
        let (name, region) = (config::required("IMAGES_BUCKET")?, config::required("AWS_REGION")?);
        Ok(Self::new(http, endpoint.as_deref(), &name, region, credentials))
    }

    /// The bucket `name`: at AWS, or in a path of `endpoint`.
    pub fn new(
        http: &reqwest::Client,
        endpoint: Option<&str>,
        name: &str,
        region: String,
        credentials: Credentials,
    ) -> Self {
        let base = match endpoint {
            Some(endpoint) => format!("{}/{name}", endpoint.trim_end_matches('/')),
            None => format!("https://{name}.s3.{region}.amazonaws.com"),
        };
        Self { http: http.clone(), base, region, identity: credentials.into() }
    }

    /// The address at which a browser may put one file of exactly this type and size, and when that ends.
    ///
    /// Type and length are part of what is signed: with any other, S3 refuses.
    ///
    /// # Errors
    /// The credentials cannot sign, which is a mistake of ours.
    pub fn upload_url(&self, key: &str, content_type: &str, size: i32) -> Result<(String, Timestamp), Error> {
        // S3 compares with its own clock, so a shifted one would make addresses that never work.
        let now = Clock::default().now();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(UPLOAD_WITHIN.unsigned_abs());
        let size = size.to_string();
        let headers = [("content-type", content_type), ("content-length", size.as_str())];
        let url = format!("{}/{key}", self.base);
        let signed = self.sign(settings, now, Method::PUT.as_str(), &url, &headers, SignableBody::UnsignedPayload)?;
        let query: Vec<String> =
            signed.query.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        Ok((format!("{url}?{}", query.join("&")), after(now, UPLOAD_WITHIN)))
    }

    /// Reads a file of at most `limit` bytes.
    pub async fn get(&self, key: &str, limit: usize) -> Result<Fetched, Error> {
        let mut response = self.send(Method::GET, key, &[], Vec::new()).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Fetched::Missing),
            status => return Err(failed(&format!("GET answered {status}"))),
        }
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Ok(Fetched::TooLarge);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error.without_url().to_string()))? {
            if bytes.len() + chunk.len() > limit {
                return Ok(Fetched::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Fetched::Bytes(bytes))
    }

    /// Writes a file that never changes, so that every cache may keep it.
    pub async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let headers = [("content-type", content_type), ("cache-control", "public, max-age=31536000, immutable")];
        let response = self.send(Method::PUT, key, &headers, bytes).await?;
        if response.status().is_success() {
            Ok(())
        } else {
            Err(failed(&format!("PUT answered {}", response.status())))
        }
    }

    /// Deletes a file, whether it is there or not.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        let response = self.send(Method::DELETE, key, &[], Vec::new()).await?;
        if response.status().is_success() || response.status() == StatusCode::NOT_FOUND {
            Ok(())
        } else {
            Err(failed(&format!("DELETE answered {}", response.status())))
        }
    }

    async fn send(
        &self,
        method: Method,
        key: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<reqwest::Response, Error> {
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let url = format!("{}/{key}", self.base);
        let now = Clock::default().now();
        let signed = self.sign(settings, now, method.as_str(), &url, headers, SignableBody::Bytes(&body))?;
        let mut request = self.http.request(method, &url).timeout(BOUND);
        for (name, value) in headers
            .iter()
            .map(|(name, value)| (*name, *value))
            .chain(signed.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        {
            request = request.header(name, value);
        }
        request.body(body).send().await.map_err(|error| failed(&error.without_url().to_string()))
    }

    fn sign(
        &self,
        mut settings: SigningSettings,
        now: Timestamp,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: SignableBody<'_>,
    ) -> Result<Signature, Error> {
        // S3 decodes the path once and normalises nothing.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let signer = Signer {
            identity: &self.identity,
            region: &self.region,
            service: "s3",
            time: SystemTime::from(now),
            settings,
        };
        let signature = signer.sign(method, url, headers, body);
        signature.map_err(|error| Error::Internal(format!("signing for S3: {error}")))
    }
}

fn failed(why: &str) -> Error {
    Error::Outside { service: Service::Bucket, why: why.to_owned() }
}

/// As S3 wants it in a query: everything but the unreserved characters.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(endpoint: Option<&str>) -> Bucket {
        let http = crate::net::client(&crate::net::tls());
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token/+=".into()), None, "test");
        Bucket::new(&http, endpoint, "inkflow-images", "eu-west-3".into(), credentials)
    }

    #[test]
    fn an_upload_is_signed_for_one_key_one_type_and_one_length() {
        let (url, _) = bucket(None).upload_url("incoming/1", "image/png", 42).expect("it signs");
        let (place, query) = url.split_once('?').expect("a query");
        assert_eq!(place, "https://inkflow-images.s3.eu-west-3.amazonaws.com/incoming/1");
        for expected in [
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Expires=600",
            "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost",
            "X-Amz-Security-Token=token%2F%2B%3D",
            "X-Amz-Signature=",
        ] {
            assert!(query.contains(expected), "{expected} is not in {query}");
        }
        let signature = |size| {
            let (url, _) = bucket(None).upload_url("incoming/1", "image/png", size).expect("it signs");
            url.rsplit_once("X-Amz-Signature=").expect("a signature").1.to_owned()
        };
        assert_ne!(signature(42), signature(43));
    }

    #[test]
    fn on_a_laptop_the_bucket_is_in_the_path() {
        let (url, _) =
            bucket(Some("http://127.0.0.1:4566/")).upload_url("incoming/1", "image/png", 42).expect("it signs");
        assert!(url.starts_with("http://127.0.0.1:4566/inkflow-images/incoming/1?"), "{url}");
    }
}

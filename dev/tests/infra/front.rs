//! CloudFront, as far as a test needs it: reads the distribution from Terraform's state and does what it says. The local AWS
//! keeps distributions and serves none.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use dev::aws::ACCESS_KEY;
use dev::host::REGION;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

/// A deployed environment: where its AWS is, and where its state.
#[derive(Clone)]
pub(crate) struct Deployed {
    pub(crate) aws: String,
    pub(crate) state: String,
    pub(crate) http: reqwest::Client,
}

impl Deployed {
    /// Terraform's state, as it lies in its bucket.
    pub(crate) async fn state(&self) -> Value {
        let text = self.http.get(format!("{}/{}", self.aws, self.state)).send().await.expect("S3 answers").text().await;
        serde_json::from_str(&text.expect("text")).unwrap_or(Value::Null)
    }
}

/// The attributes of all instances of a resource, by their keys.
pub(crate) fn resources<'a>(state: &'a Value, kind: &str, name: &str) -> Vec<(String, &'a Value)> {
    let all = state["resources"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = all.iter().filter(|resource| resource["type"] == kind && resource["name"] == name);
    let key = |resource: &Value, instance: &Value| {
        let module = resource["module"].as_str().and_then(|module| module.split('"').nth(1));
        let own = instance["index_key"].as_str();
        module.or(own).unwrap_or_default().to_owned()
    };
    wanted
        .flat_map(|resource| {
            let instances = resource["instances"].as_array().map(Vec::as_slice).unwrap_or_default();
            instances.iter().map(move |instance| (key(resource, instance), &instance["attributes"]))
        })
        .collect()
}

pub(crate) fn one<'a>(state: &'a Value, kind: &str, name: &str, key: &str) -> &'a Value {
    let found = resources(state, kind, name).into_iter().find(|(of, _)| of == key);
    found.unwrap_or_else(|| panic!("the state has no {kind}.{name} {key}")).1
}

/// Serves the deployed site on a port of its own.
pub(crate) async fn serve(deployed: Deployed) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let at = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(front).with_state(deployed)).await });
    at
}

async fn front(State(deployed): State<Deployed>, request: Request) -> Response<Body> {
    let state = deployed.state().await;
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 6 << 20).await.expect("a body");
    let path = parts.uri.path_and_query().expect("a path").as_str();
    // Stripe and Cal.com do not come through CloudFront.
    if let Some(function) = webhook(path) {
        return deployed.function(&state, function, &parts.method, path, &parts.headers, body).await;
    }
    let distribution = one(&state, "aws_cloudfront_distribution", "site", "");
    let fits =
        |behavior: &&Value| behavior["path_pattern"].as_str().is_some_and(|pattern| glob(pattern, parts.uri.path()));
    let behaviors = distribution["ordered_cache_behavior"].as_array().expect("behaviors");
    let behavior = behaviors.iter().find(fits).unwrap_or(&distribution["default_cache_behavior"][0]);
    let headers_of = &behavior["response_headers_policy_id"];
    let mut headers = parts.headers.clone();
    let at_the_edge = match associated(&state, behavior) {
        Some(code) => Some(run(code, &parts.uri, &headers).await),
        None => None,
    };
    if let Some(told) = &at_the_edge {
        headers.remove("accept-language");
        if let Some(language) = told["headers"]["accept-language"]["value"].as_str() {
            headers.insert("accept-language", language.parse().expect("a header"));
        }
    }
    let mut response = match behavior["target_origin_id"].as_str().expect("an origin") {
        bucket @ ("site" | "images") => deployed.file(&state, bucket, parts.uri.path(), at_the_edge.as_ref()).await,
        function => {
            if !body.is_empty()
                && parts.headers.get("x-amz-content-sha256").is_none_or(|told| told.as_bytes() != hex(&body).as_bytes())
            {
                return plain(
                    StatusCode::FORBIDDEN,
                    "application/json",
                    r#"{"message":"the signature does not match"}"#.into(),
                );
            }
            let kept = forwarded(&state, behavior, &headers);
            deployed.function(&state, function, &parts.method, path, &kept, body).await
        }
    };
    for (_, policy) in resources(&state, "aws_cloudfront_response_headers_policy", "this") {
        if policy["id"] == *headers_of {
            let csp = &policy["security_headers_config"][0]["content_security_policy"][0]["content_security_policy"];
            let csp = csp.as_str().expect("a policy").parse().expect("a header");
            response.headers_mut().insert("content-security-policy", csp);
        }
    }
    response
}

/// The function of a webhook's path.
fn webhook(path: &str) -> Option<&'static str> {
    ["stripe", "calcom"]
        .iter()
        .zip(["stripe-webhook", "calcom-webhook"])
        .find(|(name, _)| path == format!("/api/webhooks/{name}"))
        .map(|(_, function)| function)
}

/// The code of the function at the edge that a behavior asks first.
fn associated<'a>(state: &'a Value, behavior: &Value) -> Option<&'a str> {
    let arn = behavior["function_association"][0]["function_arn"].as_str()?;
    let all = ["router", "language"].map(|name| one(state, "aws_cloudfront_function", name, ""));
    all.into_iter().find(|function| function["arn"] == arn)?["code"].as_str()
}

/// What a function at the edge makes of a request: the request itself, or an answer.
pub(crate) async fn run(code: &str, uri: &axum::http::Uri, headers: &HeaderMap) -> Value {
    let language = headers.get("accept-language").and_then(|value| value.to_str().ok());
    let headers = language.map_or_else(|| json!({}), |value| json!({ "accept-language": { "value": value } }));
    let asked = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("lang="));
    let query = asked.map_or_else(|| json!({}), |value| json!({ "lang": { "value": value } }));
    let request = json!({ "method": "GET", "uri": uri.path(), "querystring": query, "headers": headers });
    let script = format!("{code}\nconsole.log(JSON.stringify(handler({})));", json!({ "request": request }));
    let told = tokio::process::Command::new("node").args(["-e", &script]).output().await.expect("node");
    serde_json::from_slice(&told.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&told.stderr)))
}

/// Those headers that the policies of a behavior let through, and the one that CloudFront writes itself.
fn forwarded(state: &Value, behavior: &Value, headers: &HeaderMap) -> HeaderMap {
    let policies = resources(state, "aws_cloudfront_cache_policy", "this");
    let policy = policies.iter().find(|(_, policy)| policy["id"] == behavior["cache_policy_id"]).expect("its policy").1;
    let cache = &policy["parameters_in_cache_key_and_forwarded_to_origin"][0];
    let request = one(state, "aws_cloudfront_origin_request_policy", "api", "");
    let items = [&cache["headers_config"][0], &request["headers_config"][0]];
    let mut kept = HeaderMap::new();
    for name in items.iter().flat_map(|config| config["headers"][0]["items"].as_array().expect("names")) {
        let name: axum::http::HeaderName = name.as_str().expect("a name").parse().expect("a name");
        if let Some(value) = headers.get(&name) {
            kept.insert(name, value.clone());
        }
    }
    if let Some(cookie) = headers.get("cookie") {
        kept.insert("cookie", cookie.clone());
    }
    kept.insert("cloudfront-viewer-address", "198.51.100.7:4711".parse().expect("a header"));
    kept
}

fn glob(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, rest)) => path.strip_prefix(start).is_some_and(|path| {
            (0..=path.len()).filter(|at| path.is_char_boundary(*at)).any(|at| glob(rest, &path[at..]))
                || (rest.is_empty())
        }),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn plain(status: StatusCode, kind: &str, body: Bytes) -> Response<Body> {
    Response::builder().status(status).header("content-type", kind).body(body.into()).expect("a response")
}

impl Deployed {
    /// Calls a function at its own URL, which the local AWS knows by its host name.
    async fn function(
        &self,
        state: &Value,
        name: &str,
        method: &axum::http::Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Response<Body> {
        let url = one(state, "aws_lambda_function_url", "this", name)["function_url"].as_str().expect("a URL");
        let host = url.split('/').nth(2).expect("a host");
        let mut headers = headers.clone();
        if one(state, "aws_lambda_function_url", "this", name)["authorization_type"] == "AWS_IAM" {
            // As the origin access control does: whoever calls is not asked for a signature, CloudFront makes its own.
            let credentials = aws_sdk_sqs::config::Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "test");
            let at = format!("https://{host}{path}");
            let signed = shared::aws::signed(&credentials, REGION, "lambda", method.clone(), &at, &[], body.to_vec());
            for (name, value) in signed.headers() {
                headers.insert(name, value.clone());
            }
        }
        headers.insert("host", host.parse().expect("a header"));
        let sent =
            self.http.request(method.clone(), format!("{}{path}", self.aws)).headers(headers).body(body).send().await;
        let answer = sent.expect("the local AWS answers");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        for (name, value) in answer.headers() {
            if !["transfer-encoding", "content-length", "connection"].contains(&name.as_str()) {
                response.headers_mut().append(name, value.clone());
            }
        }
        *response.body_mut() = answer.bytes().await.expect("a body").into();
        response
    }

    /// A file of a bucket; for the site by way of the function at the edge.
    async fn file(&self, state: &Value, bucket: &str, path: &str, told: Option<&Value>) -> Response<Body> {
        let mut key = path.to_owned();
        if let Some(told) = told {
            if let Some(status) = told["statusCode"].as_u64() {
                let kind = told["headers"]["content-type"]["value"].as_str().unwrap_or_default().to_owned();
                let body = told["body"].as_str().unwrap_or_default().to_owned();
                return plain(
                    StatusCode::from_u16(u16::try_from(status).expect("small")).expect("a status"),
                    &kind,
                    body.into(),
                );
            }
            key = told["uri"].as_str().expect("a path").to_owned();
        }
        let name = one(state, "aws_s3_bucket", "this", bucket)["bucket"].as_str().expect("a name");
        let answer = self.http.get(format!("{}/{name}{key}", self.aws)).send().await.expect("S3 answers");
        let status = answer.status();
        let header = |name: &str| {
            answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (kind, keep) = (header("content-type"), header("cache-control"));
        let mut response = plain(status, &kind, answer.bytes().await.expect("a body"));
        response.headers_mut().insert("cache-control", keep.parse().expect("a header"));
        response
    }
}

#[test]
fn a_pattern_of_cloudfront_fits_as_it_does_there() {
    for (pattern, path, fits) in [
        ("/api/bookings/*", "/api/bookings/1", true),
        ("/api/bookings/*", "/api/bookings", false),
        ("/api/bookings*release", "/api/bookings/1/release", true),
        ("/api/bookings*release", "/api/bookings/1", false),
        ("/artist/*", "/artist/", true),
    ] {
        assert_eq!(glob(pattern, path), fits, "{pattern} {path}");
    }
}

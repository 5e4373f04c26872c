//! CloudFront, as far as a test needs it: reads the distribution from Terraform's state and does what it says. The local AWS
//! keeps distributions and serves none.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
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
    /// What is kept at the edge, by its key.
    pub(crate) kept: Kept,
}

/// Until when, and what.
pub(crate) type Kept = Arc<Mutex<HashMap<String, (Instant, StatusCode, HeaderMap, Bytes)>>>;

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
    let policies = Policies::of(&state, behavior);
    let key = format!("{} {}", parts.method, policies.key(&parts.uri, &headers));
    if let Some(kept) = deployed.kept(&key) {
        return kept;
    }
    let mut response = match behavior["target_origin_id"].as_str().expect("an origin") {
        bucket @ ("site" | "images") => deployed.file(&state, bucket, parts.uri.path(), at_the_edge.as_ref()).await,
        function => {
            let path = policies.path(&parts.uri);
            let mut kept = policies.headers(&headers);
            // As the origin access control does: whoever calls is not asked for a signature, CloudFront makes its own, over
            // the hash of the body that the browser gave it.
            let host = host_of(&state, function);
            let signer = access_control(&state, distribution, function);
            if signer.is_some_and(|control| control["signing_behavior"] == "always") {
                let told = kept.get("x-amz-content-sha256").map(|told| told.as_bytes().to_vec());
                if !body.is_empty() && told.is_none_or(|told| told != hex(&body).as_bytes()) {
                    let refusal = r#"{"message":"the signature does not match"}"#;
                    return plain(StatusCode::FORBIDDEN, "application/json", refusal.into());
                }
                sign(&mut kept, &parts.method, &format!("https://{host}{path}"), &body);
            }
            deployed.function(&state, function, &parts.method, &path, &kept, body).await
        }
    };
    for (_, policy) in resources(&state, "aws_cloudfront_response_headers_policy", "this") {
        if policy["id"] == behavior["response_headers_policy_id"] {
            let csp = &policy["security_headers_config"][0]["content_security_policy"][0]["content_security_policy"];
            let csp = csp.as_str().expect("a policy").parse().expect("a header");
            response.headers_mut().insert("content-security-policy", csp);
        }
    }
    let may = [Method::GET, Method::HEAD].contains(&parts.method);
    match kept_for(distribution, &policies, response.status(), response.headers()).filter(|_| may) {
        Some(time) => deployed.keep(key, time, response).await,
        None => response,
    }
}

/// How long CloudFront keeps an answer of a behavior: an error for ten seconds, unless the distribution says otherwise of its
/// status and whatever the answer says of itself; anything else as long as it says, within the policy's bounds.
fn kept_for(distribution: &Value, policies: &Policies, status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let seconds = if [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504].contains(&status.as_u16()) {
        let mut told = distribution["custom_error_response"].as_array().into_iter().flatten();
        let told = told.rfind(|told| told["error_code"] == status.as_u16());
        told.map_or(10, |told| told["error_caching_min_ttl"].as_u64().unwrap_or(10))
    } else if status.is_success() {
        let said = headers.get("cache-control").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let of = |name: &str| said.split(',').find_map(|part| part.trim().strip_prefix(name)?.parse::<u64>().ok());
        let never = ["no-store", "no-cache", "private"].iter().any(|word| said.contains(word));
        let said = if never { Some(0) } else { of("s-maxage=").or(of("max-age=")) };
        said.unwrap_or(policies.ttl[1]).clamp(policies.ttl[0], policies.ttl[2])
    } else {
        0
    };
    (seconds > 0).then(|| Duration::from_secs(seconds))
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
pub(crate) async fn run(code: &str, uri: &Uri, headers: &HeaderMap) -> Value {
    let language = headers.get("accept-language").and_then(|value| value.to_str().ok());
    let headers = language.map_or_else(|| json!({}), |value| json!({ "accept-language": { "value": value } }));
    let asked = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("lang="));
    let query = asked.map_or_else(|| json!({}), |value| json!({ "lang": { "value": value } }));
    let request = json!({ "method": "GET", "uri": uri.path(), "querystring": query, "headers": headers });
    let script = format!("{code}\nconsole.log(JSON.stringify(handler({})));", json!({ "request": request }));
    let told = tokio::process::Command::new("node").args(["-e", &script]).output().await.expect("node");
    serde_json::from_slice(&told.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&told.stderr)))
}

/// The origin access control of an origin, if it has one for functions.
fn access_control<'a>(state: &'a Value, distribution: &Value, origin: &str) -> Option<&'a Value> {
    let origins = distribution["origin"].as_array().expect("origins");
    let id = &origins.iter().find(|of| of["origin_id"] == origin).expect("the origin")["origin_access_control_id"];
    let all = resources(state, "aws_cloudfront_origin_access_control", "this");
    let of = |control: &&Value| control["id"] == *id && control["origin_access_control_origin_type"] == "lambda";
    all.into_iter().map(|(_, control)| control).find(of)
}

fn host_of<'a>(state: &'a Value, function: &str) -> &'a str {
    let url = one(state, "aws_lambda_function_url", "this", function)["function_url"].as_str().expect("a URL");
    url.split('/').nth(2).expect("a host")
}

fn sign(headers: &mut HeaderMap, method: &Method, url: &str, body: &Bytes) {
    let credentials = aws_sdk_sqs::config::Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "test");
    let signed = shared::aws::signed(&credentials, REGION, "lambda", method.clone(), url, &[], body.to_vec());
    for (name, value) in signed.headers() {
        headers.insert(name, value.clone());
    }
}

/// Whether a function's own URL lets a request in: everybody's, or what is signed for Lambda by a key of this account.
fn lets_in(authorization_type: &str, headers: &HeaderMap) -> bool {
    let signature = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = signature.strip_prefix("AWS4-HMAC-SHA256 Credential=").and_then(|rest| rest.split_once(','));
    let signed = signed.is_some_and(|(scope, rest)| {
        let parts: Vec<&str> = scope.split('/').collect();
        parts.first() == Some(&ACCESS_KEY)
            && parts[2..] == [REGION, "lambda", "aws4_request"]
            && rest.contains("Signature=")
    });
    match authorization_type {
        "NONE" => true,
        "AWS_IAM" => signed,
        other => panic!("Lambda knows no {other}"),
    }
}

/// What is handed on of cookies, of queries or of headers.
#[derive(Debug)]
enum Share {
    Nothing,
    All,
    Only(Vec<String>),
    AllBut(Vec<String>),
}

impl Share {
    fn of(config: &Value, behavior: &str, items: &str) -> Self {
        let names = || {
            let names = config[items][0]["items"].as_array().expect("names");
            names.iter().map(|name| name.as_str().expect("a name").to_ascii_lowercase()).collect()
        };
        match config[behavior].as_str().expect("a behavior") {
            "none" => Self::Nothing,
            "all" | "allViewer" | "allViewerAndWhitelistCloudFront" => Self::All,
            "whitelist" => Self::Only(names()),
            "allExcept" => Self::AllBut(names()),
            other => panic!("CloudFront knows no {other}"),
        }
    }

    fn has(&self, name: &str) -> bool {
        let among = |names: &[String]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Only(names) => among(names),
            Self::AllBut(names) => !among(names),
        }
    }
}

/// One policy: what it has of a request.
struct Policy {
    headers: Share,
    cookies: Share,
    queries: Share,
}

impl Policy {
    const NOTHING: Self = Self { headers: Share::Nothing, cookies: Share::Nothing, queries: Share::Nothing };

    fn of(config: &Value) -> Self {
        Self {
            headers: Share::of(&config["headers_config"][0], "header_behavior", "headers"),
            cookies: Share::of(&config["cookies_config"][0], "cookie_behavior", "cookies"),
            queries: Share::of(&config["query_strings_config"][0], "query_string_behavior", "query_strings"),
        }
    }
}

/// The policies of a behavior: what belongs to the cache's key, and what is handed on beside it.
struct Policies {
    key: Policy,
    beside: Policy,
    /// The least, the usual and the most that an answer is kept, in seconds.
    ttl: [u64; 3],
}

impl Policies {
    fn of(state: &Value, behavior: &Value) -> Self {
        let id = behavior["cache_policy_id"].as_str().expect("a cache policy");
        let (key, ttl) = match id {
            // AWS's own: CachingDisabled, CachingOptimized.
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" => (Policy::NOTHING, [0, 0, 0]),
            "658327ea-f89d-4fab-a63d-7e88639e58f6" => (Policy::NOTHING, [1, 86_400, 31_536_000]),
            id => {
                let policies = resources(state, "aws_cloudfront_cache_policy", "this");
                let policy = policies.iter().find(|(_, policy)| policy["id"] == id).expect("its policy").1;
                let ttl = ["min_ttl", "default_ttl", "max_ttl"].map(|name| policy[name].as_u64().expect("seconds"));
                (Policy::of(&policy["parameters_in_cache_key_and_forwarded_to_origin"][0]), ttl)
            }
        };
        let beside = match behavior["origin_request_policy_id"].as_str().filter(|id| !id.is_empty()) {
            None => Policy::NOTHING,
            Some(id) => {
                let policy = one(state, "aws_cloudfront_origin_request_policy", "api", "");
                assert_eq!(policy["id"], id, "a policy that this front does not know");
                Policy::of(policy)
            }
        };
        Self { key, beside, ttl }
    }

    /// What two requests have in common when one answer serves both.
    fn key(&self, uri: &Uri, headers: &HeaderMap) -> String {
        let queries = queries(uri).filter(|pair| self.key.queries.has(name_of(pair))).collect::<Vec<_>>();
        let headers = headers.iter().filter(|(name, _)| *name != "cookie" && self.key.headers.has(name.as_str()));
        let headers = headers.map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>();
        format!("{} {queries:?} {headers:?}", uri.path())
    }

    /// The path as the origin sees it: with those queries that are handed on.
    fn path(&self, uri: &Uri) -> String {
        let handed_on = |pair: &&str| self.key.queries.has(name_of(pair)) || self.beside.queries.has(name_of(pair));
        let queries = queries(uri).filter(handed_on).collect::<Vec<_>>().join("&");
        if queries.is_empty() { uri.path().to_owned() } else { format!("{}?{queries}", uri.path()) }
    }

    /// The headers that the origin sees, with those that CloudFront writes itself.
    fn headers(&self, headers: &HeaderMap) -> HeaderMap {
        let listed = |name: &str| self.key.headers.has(name) || self.beside.headers.has(name);
        let mut kept = HeaderMap::new();
        for (name, value) in headers.iter().filter(|(name, _)| *name != "cookie" && listed(name.as_str())) {
            kept.append(name, value.clone());
        }
        let crumbs = headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
        let crumbs = crumbs.flat_map(|value| value.split(';')).map(str::trim);
        let cookies = |crumb: &&str| self.key.cookies.has(name_of(crumb)) || self.beside.cookies.has(name_of(crumb));
        let crumbs = crumbs.filter(cookies).collect::<Vec<_>>().join("; ");
        if !crumbs.is_empty() {
            kept.insert("cookie", crumbs.parse().expect("a header"));
        }
        if listed("cloudfront-viewer-address") {
            kept.insert("cloudfront-viewer-address", "198.51.100.7:4711".parse().expect("a header"));
        }
        kept
    }
}

fn queries(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty())
}

fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
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
    /// An answer that is still kept.
    fn kept(&self, key: &str) -> Option<Response<Body>> {
        let all = self.kept.lock().expect("one at a time");
        let (until, status, headers, body) = all.get(key)?;
        (Instant::now() < *until).then(|| {
            let mut response = plain(*status, "", body.clone());
            response.headers_mut().clone_from(headers);
            response.headers_mut().insert("age", "1".parse().expect("a header"));
            response
        })
    }

    async fn keep(&self, key: String, time: Duration, response: Response<Body>) -> Response<Body> {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 6 << 20).await.expect("a body");
        let kept = (Instant::now() + time, parts.status, parts.headers.clone(), body.clone());
        self.kept.lock().expect("one at a time").insert(key, kept);
        Response::from_parts(parts, body.into())
    }

    /// Lets go of all that is kept, as an invalidation does.
    pub(crate) fn invalidate(&self) {
        self.kept.lock().expect("one at a time").clear();
    }

    /// Calls a function at its own URL, which the local AWS knows by its host name.
    async fn function(
        &self,
        state: &Value,
        name: &str,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Response<Body> {
        let host = host_of(state, name);
        let access = one(state, "aws_lambda_function_url", "this", name)["authorization_type"].as_str();
        if !lets_in(access.expect("a type"), headers) {
            return plain(StatusCode::FORBIDDEN, "application/json", r#"{"Message":"Forbidden"}"#.into());
        }
        let mut headers = headers.clone();
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

/// A state with one behavior, as Terraform writes it.
fn behind(cookies: &str, queries: &str, headers: Value, errors: Value) -> (Value, Value) {
    let resource = |kind: &str, name: &str, attributes: Value| json!({ "type": kind, "name": name, "instances": [{ "attributes": attributes }] });
    let behavior = json!({ "cache_policy_id": "key", "origin_request_policy_id": "beside" });
    let nothing = json!([{ "header_behavior": "none", "cookie_behavior": "none", "query_string_behavior": "none" }]);
    let state = json!({ "resources": [
        resource("aws_cloudfront_distribution", "site", json!({ "custom_error_response": errors })),
        resource("aws_cloudfront_cache_policy", "this", json!({
            "id": "key", "min_ttl": 0, "default_ttl": 0, "max_ttl": 300,
            "parameters_in_cache_key_and_forwarded_to_origin": [
                { "headers_config": nothing, "cookies_config": nothing, "query_strings_config": nothing },
            ],
        })),
        resource("aws_cloudfront_origin_request_policy", "api", json!({
            "id": "beside",
            "headers_config": [{ "header_behavior": "whitelist", "headers": [{ "items": headers }] }],
            "cookies_config": [{ "cookie_behavior": cookies, "cookies": [{ "items": ["kept"] }] }],
            "query_strings_config": [{ "query_string_behavior": queries, "query_strings": [{ "items": ["kept"] }] }],
        })),
    ] });
    (state, behavior)
}

#[test]
fn what_no_policy_names_does_not_arrive() {
    let mut sent = HeaderMap::new();
    for (name, value) in [
        ("cookie", "kept=1; other=2"),
        ("x-proof", "1"),
        ("content-type", "a/b"),
        ("cloudfront-viewer-address", "forged"),
    ] {
        sent.insert(name, value.parse().expect("a header"));
    }
    let uri: Uri = "/api/session?kept=1&other=2".parse().expect("a path");
    for (cookies, queries, crumbs, path) in [
        ("all", "all", Some("kept=1; other=2"), "/api/session?kept=1&other=2"),
        ("none", "none", None, "/api/session"),
        ("whitelist", "whitelist", Some("kept=1"), "/api/session?kept=1"),
        ("allExcept", "allExcept", Some("other=2"), "/api/session?other=2"),
    ] {
        let (state, behavior) = behind(cookies, queries, json!(["content-type"]), json!([]));
        let policies = Policies::of(&state, &behavior);
        let arrived = policies.headers(&sent);
        assert_eq!(arrived.get("cookie").map(|value| value.to_str().expect("text")), crumbs);
        assert!(arrived.contains_key("content-type") && !arrived.contains_key("x-proof"));
        assert!(!arrived.contains_key("cloudfront-viewer-address"), "nobody asked CloudFront for it");
        assert_eq!(policies.path(&uri), path);
    }
    let (state, behavior) = behind("none", "none", json!(["CloudFront-Viewer-Address"]), json!([]));
    let arrived = Policies::of(&state, &behavior).headers(&sent);
    assert_eq!(arrived["cloudfront-viewer-address"], "198.51.100.7:4711", "written over what the visitor said");
}

#[test]
fn an_error_is_kept_for_ten_seconds_unless_the_distribution_says_otherwise() {
    let mut no_store = HeaderMap::new();
    no_store.insert("cache-control", "no-store".parse().expect("a header"));
    let time = |errors: Value, status: u16, headers: &HeaderMap| {
        let (state, behavior) = behind("all", "all", json!([]), errors);
        let distribution = one(&state, "aws_cloudfront_distribution", "site", "");
        kept_for(distribution, &Policies::of(&state, &behavior), StatusCode::from_u16(status).expect("one"), headers)
    };
    assert_eq!(time(json!([]), 404, &no_store), Some(Duration::from_secs(10)));
    assert_eq!(time(json!([{ "error_code": 404, "error_caching_min_ttl": 0 }]), 404, &no_store), None);
    assert_eq!(
        time(json!([{ "error_code": 404, "error_caching_min_ttl": 0 }]), 503, &no_store),
        Some(Duration::from_secs(10))
    );
    assert_eq!(time(json!([]), 401, &no_store), None);
    assert_eq!(time(json!([]), 200, &no_store), None);
    let mut shared = HeaderMap::new();
    shared.insert("cache-control", "public, max-age=0, s-maxage=3000".parse().expect("a header"));
    assert_eq!(time(json!([]), 200, &shared), Some(Duration::from_secs(300)), "no longer than the policy");
}

#[test]
fn a_signed_url_refuses_who_does_not_sign_and_a_public_one_takes_all() {
    let mut headers = HeaderMap::new();
    assert!(lets_in("NONE", &headers) && !lets_in("AWS_IAM", &headers));
    headers.insert("authorization", "Bearer mine".parse().expect("a header"));
    assert!(!lets_in("AWS_IAM", &headers));
    sign(&mut headers, &Method::GET, "https://x.lambda-url.eu-west-3.on.aws/", &Bytes::new());
    assert!(lets_in("AWS_IAM", &headers), "{headers:?}");
    let another = headers["authorization"].to_str().expect("text").replace("/lambda/", "/s3/");
    headers.insert("authorization", another.parse().expect("a header"));
    assert!(!lets_in("AWS_IAM", &headers), "signed for another service");
}

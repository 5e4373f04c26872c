//! A private AWS, of which SQS and SES are used most: ministack in a virtual environment, and our gates before it.
//!
//! The semantics of the queue are ministack's; the gates only pass, count, delay or refuse.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tracing::info;

use crate::account::{ACCOUNT, REGION, queue_arn};
use crate::machine::{cache, client, free_port, fresh, hex, is_free, turn};
use crate::process;

pub use gate::{Condition, SqsGate};
pub use mail_gate::{Attachment, Inbox, Mail, MailGate};

/// What all gates share: a condition to switch, and the way on to ministack.
mod gate;
/// The gate that every mail passes, and the inbox behind it.
mod mail_gate;

/// The access key the functions sign with; ministack checks no signature.
pub const ACCESS_KEY: &str = "inkflow-local";
/// The queue of the jobs.
pub const JOBS: &str = "inkflow-jobs";
/// Where messages end that were received too often.
pub const DEAD_JOBS: &str = "inkflow-jobs-dead";

const REQUIREMENTS: &str = include_str!("../requirements.txt");
const STARTUP: Duration = Duration::from_secs(60);

/// A running ministack. Stop it with [`Ministack::stop`]; dropping it kills it.
pub struct Ministack {
    python: PathBuf,
    log: PathBuf,
    pictures: PathBuf,
    port: u16,
    server: Mutex<Option<Child>>,
}

impl Ministack {
    /// Starts it on `port` if that is free, with its log in `folder`; installs it first if need be.
    ///
    /// # Errors
    /// There is no Python 3.10 or newer, it cannot be installed, or it does not start.
    pub async fn start(folder: &Path, port: Option<u16>) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let python = installed().await?;
        let port = match port {
            Some(port) if is_free(port) => port,
            _ => free_port()?,
        };
        let this = Self {
            python,
            log: folder.join("ministack.log"),
            pictures: folder.join("pictures"),
            port,
            server: Mutex::new(None),
        };
        this.launch().await?;
        Ok(this)
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port, the same over restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops it; what was in its queues is lost.
    pub async fn stop(&self) -> Result<()> {
        if let Some(mut server) = self.server.lock().await.take() {
            // It keeps nothing, so nothing is gained by waiting for its own way to end.
            process::stop(&mut server, Signal::SIGKILL, Duration::from_secs(1)).await?;
        }
        Ok(())
    }

    /// Starts it again, empty.
    pub async fn restart(&self) -> Result<()> {
        self.stop().await?;
        self.launch().await
    }

    async fn launch(&self) -> Result<()> {
        let log = File::create(&self.log).with_context(|| format!("creating {}", self.log.display()))?;
        let mut command = Command::new(&self.python);
        command.args(["-m", "ministack"]).env_clear();
        for kept in ["PATH", "HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", self.port.to_string())
            .env("MINISTACK_REGION", REGION)
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            // It checks the signature of a presigned upload, so it must know the key.
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
            // Rows that name a picture outlive a restart, so the pictures do too.
            .env("S3_PERSIST", "1")
            .env("S3_DATA_DIR", &self.pictures)
            // What it runs of our functions (the tests of infra/) must come back to it.
            .env("AWS_ENDPOINT_URL", self.url())
            .env("LOG_LEVEL", "WARNING")
            // It would look for containers to tidy up.
            .env("DOCKER_HOST", "unix:///nonexistent")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut server = process::spawn(command, Signal::SIGKILL).await.context("starting ministack")?;
        let health = format!("{}/_ministack/health", self.url());
        let deadline = Instant::now() + STARTUP;
        loop {
            if let Some(status) = server.try_wait()? {
                bail!("ministack ended at once ({status}): see {}", self.log.display());
            }
            match client().get(&health).timeout(Duration::from_secs(2)).send().await {
                Ok(answer) if answer.status().is_success() => break,
                _ if Instant::now() > deadline => bail!("ministack does not answer: see {}", self.log.display()),
                _ => sleep(Duration::from_millis(30)).await,
            }
        }
        *self.server.lock().await = Some(server);
        Ok(())
    }
}

/// The interpreter of a virtual environment that has exactly the pinned packages.
async fn installed() -> Result<PathBuf> {
    let python = std::env::var("INKFLOW_PYTHON").ok().filter(|chosen| !chosen.is_empty());
    let python = python.unwrap_or_else(|| "python3".to_owned());
    let told = Command::new(&python)
        .args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        .stdin(Stdio::null())
        .output()
        .await
        .with_context(|| format!("running {python}: install Python 3.10 or newer, or name one in INKFLOW_PYTHON"))?;
    let version = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    let minor: Option<u32> = version.strip_prefix("3.").and_then(|minor| minor.parse().ok());
    ensure!(
        minor.is_some_and(|minor| minor >= 10),
        "{python} is Python {version}: install 3.10 or newer, or name one in INKFLOW_PYTHON"
    );
    let cache = cache();
    fs::create_dir_all(&cache).with_context(|| format!("creating {}", cache.display()))?;
    let pins = digest(&SHA256, REQUIREMENTS.as_bytes());
    let home = cache.join(format!("ministack-{version}-{}", hex(&pins.as_ref()[..6])));
    let interpreter = home.join("bin/python");
    let _turn = turn(&cache.join("ministack.lock")).await?;
    if interpreter.exists() {
        return Ok(interpreter);
    }
    info!("installing ministack into {} (once)", home.display());
    // Made elsewhere and renamed: what is there is whole, and what a killed run has started is in nobody's way.
    let fresh = fresh(&cache, "ministack-fresh-")?;
    run(Command::new(&python).args(["-m", "venv"]).arg(&fresh))
        .await
        .context("making a virtual environment (Debian: apt-get install python3-venv)")?;
    let pins = fresh.join("requirements.txt");
    fs::write(&pins, REQUIREMENTS)?;
    run(Command::new(fresh.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--require-hashes",
            "-r",
        ])
        .arg(&pins))
    .await
    .context("installing ministack with pip")?;
    if home.exists() {
        // It lost its interpreter: the Python that it was made with is gone.
        fs::rename(&home, fresh.with_extension("old"))?;
    }
    fs::rename(&fresh, &home)?;
    Ok(interpreter)
}

async fn run(command: &mut Command) -> Result<()> {
    let done = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr).trim());
    Ok(())
}

/// The two queues of InkFlow, by their URLs.
#[derive(Clone, Debug)]
pub struct Queues {
    /// The jobs to do.
    pub jobs: String,
    /// The jobs that were received too often.
    pub dead_jobs: String,
}

/// Creates the queues and the sender's identity, as Terraform does in production.
///
/// `suffix` is added to the names of the queues, so that tests can share one ministack.
pub async fn provide(ministack: &str, sender_domain: &str, suffix: &str) -> Result<Queues> {
    let sqs = Sqs::at(ministack);
    let dead = sqs.call("CreateQueue", json!({ "QueueName": format!("{DEAD_JOBS}{suffix}") })).await?;
    let redrive = json!({
        "deadLetterTargetArn": queue_arn(&format!("{DEAD_JOBS}{suffix}")), "maxReceiveCount": 8,
    });
    let jobs = json!({
        "QueueName": format!("{JOBS}{suffix}"), "Attributes": { "VisibilityTimeout": "20", "RedrivePolicy": redrive.to_string() },
    });
    let jobs = sqs.call("CreateQueue", jobs).await?;
    let identity = client()
        .post(format!("{ministack}/v2/email/identities"))
        .header("authorization", authorization("ses"))
        .json(&json!({ "EmailIdentity": sender_domain }))
        .send()
        .await?;
    // 400: it is there already.
    ensure!(identity.status().as_u16() <= 400, "creating the SES identity: {}", identity.status());
    let url = |answer: &Value| answer["QueueUrl"].as_str().map(str::to_owned).context("a queue without a URL");
    Ok(Queues { jobs: url(&jobs)?, dead_jobs: url(&dead)? })
}

/// The bucket of pictures.
pub const PICTURES: &str = "inkflow-images";
/// The queue that tells of uploads, where somebody listens.
pub const UPLOADS: &str = "inkflow-uploads";

/// Creates the queue that a bucket tells of its uploads. In production S3 invokes the function itself, which ministack
/// does only for functions that it runs in containers.
pub async fn provide_uploads(ministack: &str, suffix: &str) -> Result<String> {
    let asked = json!({ "QueueName": format!("{UPLOADS}{suffix}"), "Attributes": { "VisibilityTimeout": "70" } });
    let queue = Sqs::at(ministack).call("CreateQueue", asked).await?;
    queue["QueueUrl"].as_str().map(str::to_owned).context("a queue without a URL")
}

/// Creates the bucket of pictures as Terraform does in production.
///
/// Pages of `site` may upload to it, an upload that was never taken in is forgotten after a day, and `queue`, by its
/// name, hears of each upload.
pub async fn provide_bucket(ministack: &str, bucket: &str, site: &str, queue: Option<&str>) -> Result<()> {
    let put = async |what: &str, body: String| {
        let answer = client()
            .put(format!("{ministack}/{bucket}{what}"))
            .header("authorization", authorization("s3"))
            .header("content-type", "application/xml")
            .body(body)
            .send()
            .await?;
        let status = answer.status();
        // 409: it is there already.
        ensure!(
            status.is_success() || (what.is_empty() && status.as_u16() == 409),
            "S3 PUT {what}: {status} {}",
            answer.text().await.unwrap_or_default()
        );
        anyhow::Ok(())
    };
    let place = format!(
        "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
    );
    put("", place).await?;
    let cors = format!(
        "<CORSConfiguration><CORSRule><AllowedOrigin>{site}</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
         <AllowedHeader>content-type</AllowedHeader><MaxAgeSeconds>3000</MaxAgeSeconds></CORSRule></CORSConfiguration>"
    );
    put("?cors", cors).await?;
    let lifecycle = "<LifecycleConfiguration><Rule><ID>uploads-end</ID><Filter><Prefix>incoming/</Prefix></Filter>\
                     <Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    put("?lifecycle", lifecycle.to_owned()).await?;
    if let Some(queue) = queue {
        let notification = format!(
            "<NotificationConfiguration><QueueConfiguration><Queue>{}</Queue>\
             <Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>prefix</Name><Value>incoming/</Value>\
             </FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>",
            queue_arn(queue)
        );
        put("?notification", notification).await?;
    }
    Ok(())
}

/// Puts a file into a bucket, as a browser does with a signed address.
pub async fn upload(ministack: &str, bucket: &str, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<()> {
    let answer = client()
        .put(format!("{ministack}/{bucket}/{key}"))
        .header("authorization", authorization("s3"))
        .header("content-type", content_type)
        .body(bytes)
        .send()
        .await?;
    ensure!(answer.status().is_success(), "S3 PUT {key}: {}", answer.status());
    Ok(())
}

/// Reads a file of the bucket, as CloudFront does for `/images/*`.
pub(crate) async fn fetch(address: &str) -> Result<reqwest::Response> {
    Ok(client().get(address).header("authorization", authorization("s3")).send().await?)
}

/// The few calls of SQS's JSON protocol that the platform itself makes.
#[derive(Clone, Debug)]
pub struct Sqs {
    endpoint: String,
    client: reqwest::Client,
}

impl Sqs {
    /// Calls SQS at `endpoint`.
    pub fn at(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), client: client() }
    }

    /// One call; `body` and the answer are those of the AWS API reference.
    pub async fn call(&self, action: &str, body: Value) -> Result<Value> {
        let answer = self
            .client
            .post(&self.endpoint)
            .header("authorization", authorization("sqs"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{action}"))
            .timeout(Duration::from_secs(25))
            .body(body.to_string())
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "SQS {action}: {status} {text}");
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// How many messages `queue` holds: waiting, and being worked on.
    pub async fn depth(&self, queue: &str) -> Result<(u64, u64)> {
        let asked = json!({ "QueueUrl": queue, "AttributeNames": ["All"] });
        let answer = self.call("GetQueueAttributes", asked).await?;
        let number = |name: &str| answer["Attributes"][name].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok((number("ApproximateNumberOfMessages"), number("ApproximateNumberOfMessagesNotVisible")))
    }
}

/// ministack reads the region from the scope of the signature, and checks nothing else of it.
fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

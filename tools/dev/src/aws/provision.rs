//! What Terraform makes in production: the queues, the sender's identity, the bucket of pictures.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::authorization::authorization;
use super::sqs::Sqs;
use crate::account::{REGION, queue_arn};
use crate::machine::client;

/// The queue of the jobs.
pub const JOBS: &str = "inkflow-jobs";

/// Where messages end that were received too often.
pub const DEAD_JOBS: &str = "inkflow-jobs-dead";

/// The bucket of pictures.
pub const PICTURES: &str = "inkflow-images";

/// The queue that tells of uploads, where somebody listens.
pub const UPLOADS: &str = "inkflow-uploads";

/// The two queues of InkFlow, by their URLs.
#[derive(Clone, Debug)]
pub struct Queues {
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

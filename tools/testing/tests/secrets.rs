//! The compiled function and its secrets: they come from SSM before anything else is read, or the start says why not.

use std::path::PathBuf;
use std::time::Duration;

use dev::aws::Ministack;
use dev::host::{self, FunctionSpec, Host};
use serde_json::{Value, json};
use testing::World;

/// `booking-status`, with nothing in its environment but what Lambda and Terraform put there.
fn function(binary: PathBuf, aws: &str, parameters: &str) -> FunctionSpec {
    let env = [
        ("AWS_ENDPOINT_URL", aws),
        ("AWS_REGION", "eu-west-3"),
        ("AWS_ACCESS_KEY_ID", dev::aws::ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", dev::aws::ACCESS_KEY),
        ("SECRETS_PARAMETERS", parameters),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    FunctionSpec { name: "booking-status".to_owned(), binary, env, timeout: Duration::from_secs(10), max_instances: 1 }
}

fn binary() -> PathBuf {
    let exe = std::env::current_exe().expect("a test knows where it is");
    exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>").join("booking-status")
}

/// Whoever knows a signing secret confirms bookings unpaid: what is none must not pass for one.
#[test]
fn the_webhook_does_not_start_with_a_word_that_stands_for_a_secret() {
    World::run(async |world| {
        let folder = std::env::temp_dir().join(format!("inkflow-webhook-secrets-{}", std::process::id()));
        let options = host::Options { logs: Some(folder.clone()), ..Default::default() };
        let spec = |secrets: &str| FunctionSpec {
            name: "stripe-webhook".to_owned(),
            binary: binary().with_file_name("stripe-webhook"),
            env: [
                ("AWS_REGION", "eu-west-3"),
                ("AWS_ACCESS_KEY_ID", dev::aws::ACCESS_KEY),
                ("AWS_SECRET_ACCESS_KEY", dev::aws::ACCESS_KEY),
                ("DATABASE_URL", &world.app_url),
                ("PUBLIC_URL", "https://ink.test"),
                ("QUEUE_URL", "http://127.0.0.1:1/123456789012/jobs"),
                ("STRIPE_LIVE", "false"),
                ("STRIPE_WEBHOOK_SECRETS", secrets),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
            timeout: Duration::from_secs(10),
            max_instances: 1,
        };
        for (secrets, starts) in [
            ("none", true),
            (dev::stripe::WEBHOOK_SECRET, true),
            ("whsec_later", false),
            ("whsec_<secret>", false),
            (&format!("{},whsec_later", dev::stripe::WEBHOOK_SECRET), false),
        ] {
            let host = Host::start(vec![spec(secrets)], options.clone()).await.expect("the host starts");
            assert_eq!(host.warm("stripe-webhook", 1).await.is_ok(), starts, "{secrets}");
            host.stop().await;
        }
        let log = std::fs::read_to_string(folder.join("stripe-webhook.log")).expect("its last words");
        assert!(
            log.contains("the setting STRIPE_WEBHOOK_SECRETS is not valid: each is whsec_ and 24 letters"),
            "{log}"
        );
        std::fs::remove_dir_all(folder).expect("ours");
    });
}

async fn put(aws: &str, name: &str, kind: &str, value: &str) {
    let scope = "AWS4-HMAC-SHA256 Credential=inkflow-local/20260101/eu-west-3/ssm/aws4_request, SignedHeaders=host, Signature=0";
    let answer = shared::net::client(&shared::net::tls())
        .post(aws)
        .header("authorization", scope)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AmazonSSM.PutParameter")
        .body(json!({ "Name": name, "Type": kind, "Value": value }).to_string())
        .send()
        .await
        .expect("SSM answers");
    assert!(answer.status().is_success(), "{}", answer.text().await.expect("text"));
}

#[test]
fn a_function_reads_its_secrets_at_its_start_and_says_which_one_is_missing() {
    World::run(async |world| {
        let folder = std::env::temp_dir().join(format!("inkflow-secrets-{}", std::process::id()));
        let ministack = Ministack::start(&folder, None).await.expect("ministack starts");
        let aws = ministack.url();
        put(&aws, "/inkflow/t/DATABASE_URL", "SecureString", &world.app_url).await;
        put(&aws, "/inkflow/t/PUBLIC_URL", "String", "https://ink.test").await;

        let options = host::Options { logs: Some(folder.clone()), ..Default::default() };
        let wanted = "/inkflow/t/DATABASE_URL,/inkflow/t/PUBLIC_URL";
        let host = Host::start(vec![function(binary(), &aws, wanted)], options.clone()).await.expect("the host starts");
        let sample = std::fs::read(dev::platform::checkout().join("events/booking-status.json")).expect("a sample");
        let answer = host.invoke("booking-status", sample).await.expect("it has what it needs");
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        assert_eq!(answer["statusCode"], 404, "the database was asked, and knows no such booking: {answer}");
        host.stop().await;

        let missing = "/inkflow/t/DATABASE_URL,/inkflow/t/NOT_THERE";
        let host = Host::start(vec![function(binary(), &aws, missing)], options).await.expect("the host starts");
        assert!(host.warm("booking-status", 1).await.is_err(), "it must not start without its secrets");
        host.stop().await;
        let log = std::fs::read_to_string(folder.join("booking-status.log")).expect("its last words");
        assert!(log.contains("SSM has no parameter /inkflow/t/NOT_THERE"), "{log}");
        assert!(!log.contains(&world.app_url), "a secret has no place in a log");
        ministack.stop().await.expect("it stops");
        std::fs::remove_dir_all(folder).expect("ours");
    });
}

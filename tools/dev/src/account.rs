//! The AWS account that every part of the local platform pretends to belong to.

pub const REGION: &str = "eu-west-3";

pub const ACCOUNT: &str = "000000000000";

pub(crate) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

pub(crate) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

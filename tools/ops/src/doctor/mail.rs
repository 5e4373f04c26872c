//! SES: the domain, the account, and whether bounces are reported.

use super::finding::{Finding, Report};
use crate::environment::Environment;

pub(super) async fn examine(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("mail");
    let ses = environment.ses();
    let domain = &environment.outputs.mail_domain;
    match ses.get_email_identity().email_identity(domain).send().await {
        Ok(identity) if identity.verified_for_sending_status() => report.good(format!("SES may send for {domain}")),
        Ok(_) => report.bad(
            format!("SES has not verified {domain}"),
            "enter the DNS records (make output NAME=dns_records), then wait up to 72 h",
        ),
        Err(_) => report.bad(format!("SES does not know {domain}"), "make deploy; may you call ses:GetEmailIdentity?"),
    }
    match ses.get_account().send().await {
        Ok(account) if !account.sending_enabled() => report.bad(
            "AWS has stopped the sending of this account",
            "SES, Account dashboard: bounces or complaints; answer AWS's case",
        ),
        Ok(account) if !account.production_access_enabled() => {
            report.bad(
                "SES is in its sandbox: it writes to verified addresses only",
                "SES, Account dashboard, Request production access; a day or so",
            );
        }
        Ok(account) => {
            let quota = account.send_quota();
            let (most, sent) = quota.map_or((0.0, 0.0), |quota| (quota.max24_hour_send(), quota.sent_last24_hours()));
            if most > 0.0 && sent > 0.8 * most {
                report.notice(
                    format!("{sent} of {most} mails of a day are sent"),
                    "SES, Account dashboard, Request a limit increase",
                );
            } else {
                report.good("SES writes to everybody");
            }
        }
        Err(_) => report.bad("SES does not tell how the account is", "may you call ses:GetAccount?"),
    }
    let set = environment.setting("MAIL_CONFIGURATION_SET");
    match ses.get_configuration_set_event_destinations().configuration_set_name(set).send().await {
        Ok(told) if told.event_destinations().iter().any(aws_sdk_sesv2::types::EventDestination::enabled) => {
            report.good("bounces and complaints are reported")
        }
        Ok(_) => report.bad("nobody is told of bounces and complaints", "make deploy"),
        Err(_) => report.bad(format!("SES has no configuration set {set}"), "make deploy"),
    }
    report.findings
}

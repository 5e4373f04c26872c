//! Cal.com: what is sealed of the artists, and whether their keys are accepted.

use shared::config::Secret;
use shared::vault::Vault;
use tokio_postgres::SimpleQueryMessage;

use super::database::connected;
use super::finding::{BOUND, Finding, Report, why};
use crate::environment::Environment;
use crate::sealed::{self, Survey};

pub(super) async fn examine(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("cal.com");
    let vault = match Vault::new(&Secret::new(environment.secret("ENCRYPTION_KEY").to_owned())) {
        Ok(vault) => vault,
        Err(_) => {
            report.bad(
                "ENCRYPTION_KEY is not 32 bytes in base64",
                "make secret NAME=ENCRYPTION_KEY RESTORE=1: only the one that sealed the artists' keys opens them",
            );
            return report.findings;
        }
    };
    // What the database has to say is told above.
    let Ok(client) = connected(environment).await else { return report.findings };
    match sealed::survey(&client, Some(&vault)).await {
        Err(_) => report.bad("what is sealed cannot be read", "make migrate"),
        Ok(survey) => what_is_sealed(&mut report, &survey, vault.is_rotated()),
    }
    let artists = "select id::text, slug, encode(cal_com_api_key, 'hex') from artists where cal_com_api_key is not null order by slug";
    let Ok(rows) = client.simple_query(artists).await else { return report.findings };
    let base = environment.setting("CALCOM_API_BASE").trim_end_matches('/');
    let mut artists = 0;
    for message in rows {
        let SimpleQueryMessage::Row(row) = message else { continue };
        artists += 1;
        let (id, slug, sealed) =
            (row.get(0).unwrap_or_default(), row.get(1).unwrap_or_default(), row.get(2).unwrap_or_default());
        let sealed: Vec<u8> = (0..sealed.len() / 2)
            .filter_map(|at| u8::from_str_radix(sealed.get(2 * at..2 * at + 2)?, 16).ok())
            .collect();
        // What does not open is told above.
        let Ok(key) = vault.open(id.parse().unwrap_or_default(), &sealed) else { continue };
        let me = environment
            .http
            .get(format!("{base}/v2/me"))
            .bearer_auth(key.expose())
            .header("cal-api-version", "2024-06-14")
            .timeout(BOUND);
        match me.send().await {
            Ok(answer) if answer.status() == 200 => report.good(format!("{slug}'s key is accepted")),
            Ok(answer) if answer.status() == 401 => report.bad(
                format!("Cal.com refuses {slug}'s key"),
                "the artist enters a new one in the dashboard: Cal.com, Settings, Developer, API keys",
            ),
            Ok(answer) => {
                report.bad(format!("Cal.com answers {} for {slug}", answer.status().as_u16()), "https://status.cal.com")
            }
            Err(error) => {
                report.bad(format!("Cal.com: {}", why(&error)), "is CALCOM_API_BASE right?");
                break;
            }
        }
    }
    if artists == 0 {
        report.good("no artist uses it");
    }
    report.findings
}

/// Whether everything opens, and how far a new key has come.
fn what_is_sealed(report: &mut Report, survey: &Survey, is_rotated: bool) {
    let sealed = survey.current + survey.older;
    if !survey.closed.is_empty() {
        report.bad(
            format!("ENCRYPTION_KEY does not open {}", survey.closed.join(", ")),
            "it is not the one that sealed them: make secret NAME=ENCRYPTION_KEY RESTORE=1, or the artist enters the key again",
        );
    } else if sealed > 0 {
        report.good(format!("the {sealed} sealed values of the artists open"));
    }
    match (is_rotated, survey.older) {
        (true, 0) if survey.closed.is_empty() => report.notice(
            "nothing needs the old ENCRYPTION_KEY any more",
            "make secret NAME=ENCRYPTION_KEY DROP_OLD=1, make deploy",
        ),
        (true, older) if older > 0 => {
            report
                .notice(format!("{older} sealed values still need the old ENCRYPTION_KEY"), "make deploy, make reseal");
        }
        _ => {}
    }
}

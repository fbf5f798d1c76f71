//! Settings that are read, and settings that are refused by their name.
use super::*;

#[track_caller]
fn refused(file: &str, variable: Option<(&str, &str)>, named: &str) {
    let environment = variable.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let error = Config::from_parts(file, environment.into_iter()).expect_err("must be refused");
    assert!(error.to_string().contains(named), "{error} does not name {named}");
}

#[test]
fn the_shipped_file_is_complete_and_right() {
    let config = Config::from_parts("", std::iter::empty()).expect("defaults");
    assert_eq!(config.survey.delay_seconds, 3 * 3600);
}

#[test]
fn a_wrong_setting_is_refused_by_its_name() {
    refused("[server]\nlisten = 5", None, "server.listen");
    refused("[server]\nlisten = \"here\"", None, "server.listen");
    refused("[server]\nport = 5", None, "server.port");
    refused("[server]\ntrusted_proxies = [\"10.0.0.0/33\"]", None, "server.trusted_proxies");
    refused("[mail]\ndkim_key_file = \"key.pem\"", None, "mail.dkim_selector");
    refused("[mail]\ndkim_domain = \"a b\"", None, "mail.dkim_domain");
    refused("[sever]\nport = 5", None, "sever.port");
    refused("[survey]\ndelay_seconds = -1", None, "delay_seconds");
    refused("[mail]\nsmtp_tls = \"maybe\"", None, "mail.smtp_tls");
    refused("[survey]\nwindow_from = \"8\"", None, "survey.window_from");
    refused("[survey]\nreminder_enabled = true\nreminder_days = 14", None, "survey.reminder_days");
    refused("[alerts]\nbreach = [\"everybody\"]", None, "everybody");
    refused("[alerts]\nlater_seconds = 5", None, "alerts.later_seconds");
    refused("[digest]\nweekday = 0", None, "digest.weekday");
    refused("[digest]\nat = \"24:00\"", None, "digest.at");
    refused("[digest]\ntime_zone = \"Mars/Base\"", None, "digest.time_zone");
    refused("[attachments]\nstore = \"s3:///files\"", None, "attachments.store");
    refused("[attachments]\nstore = \"s3://files\"", None, "attachments.s3_access_key_id");
    refused("[attachments]\nstore = \"s3://files\"\ns3_endpoint = \"files.example\"", None, "attachments.s3_endpoint");
    refused("[webhooks]\nallow_networks = [\"10.0.0.0/40\"]", None, "webhooks.allow_networks");
    refused("", Some(("DESKBELL_SERVER_PORT", "1")), "DESKBELL_SERVER_PORT");
    refused("", Some(("DESKBELL_SURVEY_ENABLED", "perhaps")), "DESKBELL_SURVEY_ENABLED");
}

#[test]
fn a_variable_wins_over_the_file_and_the_file_over_the_default() {
    let variables = [("DESKBELL_SURVEY_DELAY_SECONDS".to_owned(), "7".to_owned())];
    let config = Config::from_parts("[survey]\ndelay_seconds = 9\nvalid_days = 3", variables.into_iter()).expect("settings");
    assert_eq!((config.survey.delay_seconds, config.survey.valid_days), (7, 3));
}

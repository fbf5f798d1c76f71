//! Whether a machine wrote a mail, and how that is known. Pure.
use super::head::Header;
use super::mime::Part;
use super::model::{Envelope, Machine, MachineKind, Parsed};
use super::parse::first_address;

/// What answering machines write at the beginning of a subject, in lower case.
const OUT_OF_OFFICE: &[&str] = &[
    "automatic reply:",
    "automatic reply ",
    "auto-reply:",
    "auto reply:",
    "autoreply:",
    "auto response:",
    "autoresponse:",
    "auto:",
    "out of office",
    "out-of-office",
    "out of the office",
    "on vacation:",
    "vacation reply",
    "away from the office",
    "abwesenheitsnotiz",
    "automatische antwort:",
    "automatische antwort ",
    "abwesend:",
    "abwesenheit:",
    "réponse automatique",
    "absence du bureau",
    "absent du bureau",
    "respuesta automática",
    "respuesta automatica",
    "fuera de la oficina",
    "risposta automatica",
    "fuori sede",
    "fuori ufficio",
    "resposta automática",
    "resposta automatica",
    "fora do escritório",
    "automatisch antwoord",
    "afwezigheidsbericht",
    "automatiskt svar",
    "frånvaro:",
    "autosvar",
    "automatisk svar",
    "fraværsmelding",
    "automaattinen vastaus",
    "poissaoloilmoitus",
    "automatyczna odpowiedź",
    "odpowiedź automatyczna",
    "autoodpowiedź",
    "automatická odpověď",
    "automatická odpoveď",
    "automatikus válasz",
    "răspuns automat",
    "otomatik yanıt",
    "ofis dışında",
    "автоматический ответ",
    "автоответ",
    "автоматична відповідь",
    "αυτόματη απάντηση",
    "自动回复",
    "自動回覆",
    "自動応答",
    "不在通知",
    "자동 회신",
    "رد تلقائي",
    "תשובה אוטומטית",
];
/// Fields that only answering machines write.
const OF_ANSWERING_MACHINES: [&str; 4] = ["x-autoreply", "x-autorespond", "x-autoreply-from", "x-autoresponder"];
/// A field in an explanation past this is cut.
const WHY_MAX_CHARS: usize = 200;
/// From this Spam Confidence Level of Exchange on a mail is spam.
const CONFIDENCE_OF_SPAM: i32 = 5;

/// What a machine's mail says of itself.
pub(super) fn read(root: &Part<'_>, parsed: &Parsed, envelope: Envelope<'_>) -> Option<Machine> {
    let header = &root.header;
    let mut signs: Vec<(MachineKind, String)> = Vec::new();
    let mut sign = |kind: MachineKind, name: &str, value: &str| {
        let value: String = value.chars().take(WHY_MAX_CHARS).collect();
        signs.push((kind, format!("{name}: {value}")));
    };
    if root.media_type == "multipart/report" {
        sign(MachineKind::Report, "Content-Type", &root.media_type);
    }
    if let Some(field) = header.first("auto-submitted") {
        match word(field).as_str() {
            "no" | "" => {}
            "auto-replied" => sign(MachineKind::AutoReply, "Auto-Submitted", field),
            _ => sign(MachineKind::Generated, "Auto-Submitted", field),
        }
    }
    for name in OF_ANSWERING_MACHINES {
        if let Some(field) = header.first(name).filter(|field| !matches!(word(field).as_str(), "no" | "false" | "")) {
            sign(MachineKind::AutoReply, &shown(name), field);
        }
    }
    let subject = parsed.subject.to_lowercase();
    if OUT_OF_OFFICE.iter().any(|begins| subject.starts_with(begins)) {
        sign(MachineKind::AutoReply, "Subject", &parsed.subject);
    }
    if let Some(field) = header.first("precedence") {
        match word(field).as_str() {
            "auto_reply" => sign(MachineKind::AutoReply, "Precedence", field),
            "bulk" | "junk" | "list" => sign(MachineKind::Bulk, "Precedence", field),
            _ => {}
        }
    }
    if let Some(field) = header.first("list-id").filter(|field| !field.is_empty()) {
        sign(MachineKind::Bulk, "List-Id", field);
    }
    if let Some(field) = header.first("x-auto-response-suppress") {
        // A wish for no receipts alone is also in what people write.
        let words: Vec<String> = field.split([',', ' ', ';']).map(word).collect();
        if words.iter().any(|word| matches!(word.as_str(), "all" | "oof" | "autoreply")) {
            sign(MachineKind::Generated, "X-Auto-Response-Suppress", field);
        }
    }
    if envelope.sender.is_some_and(|sender| sender.trim_matches(['<', '>', ' ']).is_empty()) {
        sign(MachineKind::Generated, "MAIL FROM", "<>");
    } else if envelope.sender.is_none() && header.first("return-path").is_some_and(|path| path.replace(' ', "") == "<>") {
        sign(MachineKind::Generated, "Return-Path", "<>");
    }
    let from = first_address(&parsed.from).to_lowercase();
    if from.starts_with("mailer-daemon@") {
        sign(MachineKind::Report, "From", &from);
    }
    let kind = signs.iter().map(|(kind, _)| *kind).min()?;
    Some(Machine { kind, why: signs.into_iter().map(|(_, why)| why).collect() })
}

/// The first word of a field, in lower case, without comments and parameters.
fn word(field: &str) -> String {
    field.split([';', '(', ' ']).next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A field's name as people write it.
fn shown(name: &str) -> String {
    let words = name.split('-').map(|word| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + rest,
        None => String::new(),
    });
    words.collect::<Vec<_>>().join("-")
}

/// Whether a filter on the way called the mail spam.
pub(super) fn is_spam(header: &Header) -> bool {
    let says = |name: &str, words: &[&str]| {
        header
            .all(name)
            .any(|field| words.contains(&field.split([',', ' ', ';']).next().unwrap_or_default().to_ascii_lowercase().as_str()))
    };
    let level = |field: &str| field.trim().parse::<i32>().is_ok_and(|level| level >= CONFIDENCE_OF_SPAM);
    let forefront = header.all("x-forefront-antispam-report").flat_map(|field| field.split(';'));
    says("x-spam-flag", &["yes", "true", "spam"])
        || says("x-spam-status", &["yes"])
        || says("x-spam", &["yes", "true"])
        || says("x-bogosity", &["yes", "spam"])
        || says("x-dspam-result", &["spam"])
        || says("x-rspamd-action", &["reject", "add", "rewrite"])
        || header.all("x-ms-exchange-organization-scl").any(level)
        || forefront.filter_map(|word| word.trim().strip_prefix("SCL:")).any(level)
}

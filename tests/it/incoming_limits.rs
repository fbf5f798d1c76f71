//! Mails that are huge, deep or endless: read within bounds, in time that grows with their length alone.
use crate::mail::worst::{self, Worst};
use crate::support::{Test, plain};
use deskbell::inbound::model::{Defect, MachineKind};
use deskbell::inbound::{Envelope, parse};

/// Tests of this file.
pub const TESTS: &[Test] = plain![
    ten_thousand_parts_are_not_taken_apart,
    fifty_megabytes_are_read,
    parts_in_parts_end_at_a_depth,
    letters_in_letters_are_one_file,
    a_header_without_end_is_cut,
    a_text_too_long_to_show_is_a_file,
    time_grows_with_the_length_alone,
];

fn ten_thousand_parts_are_not_taken_apart() {
    let part = |number: usize| format!("--b\r\nContent-Type: image/png; name={number}.png\r\n\r\nx\r\n");
    let parts: String = (0..10_000).map(part).collect();
    let raw = format!("From: a@b.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n");
    let parsed = parse(raw.as_bytes(), Envelope::default());
    assert!(parsed.defects.contains(&Defect::TooManyParts), "{:?}", parsed.defects);
    assert_eq!((parsed.files.len(), parsed.files[0].name.as_str()), (1_000, "0.png"));
    let rest = parsed.files.last().unwrap();
    assert_eq!(rest.media_type, "multipart/mixed");
    assert!(rest.bytes.ends_with(b"9999.png\r\n\r\nx\r\n--b--\r\n"), "the rest is kept as it is");
}

fn fifty_megabytes_are_read() {
    const SIZE: usize = 50 * 1024 * 1024;
    let mut raw = b"From: a@b.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee the file.\r\n--b\r\nContent-Type: video/mp4; name=a.mp4\r\n\r\n".to_vec();
    raw.resize(raw.len() + SIZE, b'x');
    raw.extend_from_slice(b"\r\n--b--\r\n");
    let parsed = parse(&raw, Envelope::default());
    assert_eq!((parsed.text.as_str(), parsed.files.len(), parsed.files[0].bytes.len()), ("See the file.", 1, SIZE));
}

fn parts_in_parts_end_at_a_depth() {
    let level = |number: usize| format!("Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\n");
    let raw: String = (0..5_000).map(level).collect();
    let parsed = parse(raw.as_bytes(), Envelope::default());
    assert!(parsed.defects.contains(&Defect::TooDeep), "{:?}", parsed.defects);
    assert_eq!(parsed.files.len(), 1);
    assert!(parsed.files[0].bytes.ends_with(b"--b4999\r\n"), "what is deeper is kept as it is");
}

fn letters_in_letters_are_one_file() {
    let raw = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    let parsed = parse(raw.as_bytes(), Envelope::default());
    assert_eq!((parsed.files.len(), parsed.files[0].bytes.len()), (1, raw.len() - 32));
}

fn a_header_without_end_is_cut() {
    let many: String = (0..50_000).map(|number| format!("X-{number}: y\r\n")).collect();
    let parsed = parse(format!("From: a@b.test\r\n{many}\r\nwords\r\n").as_bytes(), Envelope::default());
    assert_eq!((parsed.text.as_str(), parsed.from.len()), ("words", 1));
    assert!(parsed.defects.contains(&Defect::TooManyHeaders), "{:?}", parsed.defects);
    let long = format!(
        "From: a@b.test\r\nReferences: {}\r\nSubject: {}\r\n\r\nwords\r\n",
        "<a@b.test> ".repeat(50_000),
        "x".repeat(1_000_000)
    );
    let parsed = parse(long.as_bytes(), Envelope::default());
    assert_eq!((parsed.text.as_str(), parsed.references.len()), ("words", 200));
    assert!(parsed.subject.len() < 1_000 && parsed.defects.contains(&Defect::TooLongHeader), "{:?}", parsed.defects);
}

fn a_text_too_long_to_show_is_a_file() {
    let body = "A line of a long text.\r\n".repeat(100_000);
    let parsed = parse(format!("From: a@b.test\r\n\r\n{body}").as_bytes(), Envelope::default());
    assert!(parsed.defects.contains(&Defect::LongText) && parsed.text.len() <= 1024 * 1024, "{:?}", parsed.defects);
    assert_eq!((parsed.files[0].name.as_str(), parsed.files[0].bytes.len()), ("message.txt", body.len()));
}

/// Processor time of this thread, which a busy machine does not stretch.
fn processor_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    told.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn time_grows_with_the_length_alone() {
    const SMALL: usize = 32 * 1024;
    const TIMES: usize = 8;
    let time = |worst: &Worst, size: usize| {
        let raw = worst.mail(size);
        let before = processor_seconds();
        let parsed = parse(&raw, Envelope::default());
        assert!(!matches!(parsed.machine, Some(ref machine) if machine.kind == MachineKind::Bulk));
        processor_seconds() - before
    };
    let mut slow = Vec::new();
    for worst in worst::ALL {
        let (small, large) = (time(worst, SMALL), time(worst, SMALL * TIMES));
        // Quadratic would be 64 times.
        if large > small * (TIMES * 3) as f64 + 0.05 {
            slow.push(format!("{}: {:.1} ms, {TIMES} times as long {:.1} ms", worst.name, small * 1e3, large * 1e3));
        }
    }
    assert!(slow.is_empty(), "time grows faster than length:\n{}", slow.join("\n"));
}

//! Files in S3: a real server that checks signatures, away for a while, and with another secret.
use crate::attachments::{FILES, bytes, stored, sweep, upload};
use crate::support::s3::{BUCKET, KEY_ID, S3, SECRET};
use crate::support::{Desk, Test, sqlite};
use chrono::TimeDelta;
use deskbell::config::Config;

/// Tests of this file; the database has no part in them.
pub const TESTS: &[Test] = sqlite![files_can_be_kept_in_s3, an_s3_that_is_away_or_refuses_is_told_and_nothing_is_half_written];

/// Larger than what is sent in one piece.
const LARGE: usize = 9_000_000;

fn at(s3: &S3) -> impl FnOnce(&mut Config) {
    let endpoint = s3.endpoint();
    move |config| {
        let settings = &mut config.attachments;
        settings.store = format!("s3://{BUCKET}/desk/one");
        settings.s3_endpoint = endpoint;
        settings.s3_access_key_id = KEY_ID.to_owned();
        settings.s3_secret_access_key = SECRET.to_owned();
    }
}

fn files_can_be_kept_in_s3(desk: &Desk) {
    let s3 = S3::start();
    desk.restart(at(&s3));
    let lengths = [1, 100_000, LARGE];
    let ids = lengths.map(|length| upload(&desk.agent(), "a.bin", "application/octet-stream", &bytes(length)).id());
    for (id, length) in ids.iter().zip(lengths) {
        assert!(desk.agent().get(&format!("{FILES}/{id}")).bytes == bytes(length), "{length} bytes come back as they went in");
    }
    let kept = stored(&s3.bucket());
    assert_eq!(kept.len(), ids.len());
    for id in &ids {
        let place = kept.iter().find(|path| path.ends_with(id)).unwrap();
        assert!(place.starts_with(s3.bucket().join("desk/one")), "{}", place.display());
    }
    assert!(stored(&desk.data_dir().join("attachments")).is_empty());
    desk.advance(TimeDelta::hours(25));
    assert_eq!(sweep(desk), lengths.len());
    assert!(stored(&s3.bucket()).is_empty(), "what no message wants goes from S3 too");
}

fn an_s3_that_is_away_or_refuses_is_told_and_nothing_is_half_written(desk: &Desk) {
    desk.expect_server_errors();
    let mut s3 = S3::start();
    desk.restart(at(&s3));
    desk.restart(|config| config.attachments.store = format!("s3://{BUCKET}"));
    let id = upload(&desk.agent(), "kept.txt", "text/plain", b"kept").id();
    s3.stop();
    for length in [10, LARGE] {
        upload(&desk.agent(), "lost.bin", "application/octet-stream", &bytes(length)).refused(503, "unavailable");
    }
    desk.agent().get(&format!("{FILES}/{id}")).refused(503, "unavailable");
    s3.start_again();
    assert_eq!(desk.agent().get(&format!("{FILES}/{id}")).bytes, b"kept");
    desk.restart(|config| config.attachments.s3_secret_access_key = "another".to_owned());
    upload(&desk.agent(), "forged.txt", "text/plain", b"forged").refused(503, "unavailable");
    assert_eq!(stored(&s3.bucket()).len(), 1, "only what was acknowledged");
}

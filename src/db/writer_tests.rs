//! What a batch leaves behind when some in it are refused.
use super::*;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use futures_util::future::{join, join_all};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// What is written at the end of a batch has this much more.
const LATER: i64 = 1_000;

fn put(conn: &mut Conn, number: i64, is_refused: bool) -> Result<i64> {
    conn.batch_execute(&format!("INSERT INTO numbers VALUES ({number})"))?;
    let of = uuid::Uuid::from_u128(number as u128);
    conn.last(of, false, move |conn| Ok(conn.batch_execute(&format!("INSERT INTO numbers VALUES ({number} + {LATER})"))?))?;
    if is_refused { Err(Error::conflict("refused", "refused after it wrote")) } else { Ok(number) }
}

fn kept(conn: &mut Conn) -> Vec<i64> {
    let Conn::Sqlite(conn) = conn else { unreachable!("the test opens SQLite") };
    let rows: Vec<Number> = diesel::sql_query("SELECT n FROM numbers ORDER BY n").load(conn).unwrap();
    rows.into_iter().map(|row| row.n).collect()
}

fn twice(numbers: impl Iterator<Item = i64> + Clone) -> Vec<i64> {
    numbers.clone().chain(numbers.map(|number| number + LATER)).collect()
}

#[tokio::test]
async fn a_refused_request_takes_back_what_it_wrote_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("numbers.sqlite").to_string_lossy().into_owned();
    let mut conn = Conn::open(&url).unwrap();
    conn.batch_execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)").unwrap();
    let writer = Writer::start(&url, Arc::default()).unwrap();
    let is_refused = |number: i64| number % 7 == 3;
    let again = (0..200).map(|number| writer.write_again(move |conn| put(conn, number, is_refused(number))));
    let once = (200..400).map(|number| writer.write(move |conn| put(conn, number, is_refused(number))));
    let (again, once) = join(join_all(again), join_all(once)).await;
    for (number, result) in (0..400).zip(again.into_iter().chain(once)) {
        assert_eq!(result.ok(), (!is_refused(number)).then_some(number), "{number} is told how it ended");
    }
    assert_eq!(kept(&mut conn), twice((0..400).filter(|number| !is_refused(*number))));
    let (batches, writes) = writer.counts();
    assert_eq!(writes, 400);
    assert!(batches < 200, "{batches} batches: they do share");
}

#[tokio::test]
async fn a_panic_is_one_requests_failure_and_the_rest_of_its_batch_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("numbers.sqlite").to_string_lossy().into_owned();
    let mut conn = Conn::open(&url).unwrap();
    conn.batch_execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)").unwrap();
    let writer = Writer::start(&url, Arc::default()).unwrap();
    let done = join_all((0..20).map(|number| {
        writer.write_again(move |conn| {
            put(conn, number, false)?;
            if number == 5 { panic!("on purpose") } else { Ok(number) }
        })
    }));
    let done = done.await;
    assert!(matches!(done.get(5), Some(Err(Error::Internal(_)))));
    assert_eq!(done.iter().filter(|result| result.is_ok()).count(), 19);
    assert_eq!(kept(&mut conn), twice((0..20).filter(|number| *number != 5)));
}

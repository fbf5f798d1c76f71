//! `cargo bench --bench parse`: time to read a mail over its size, for the worst mails that we can think of.
//!
//! Time over size must be a straight line: the last column is how much longer each byte takes in the largest mail than in the smallest.
#[path = "../tests/it/mail/worst.rs"]
mod worst;

use deskbell::inbound::{Envelope, parse};
use std::time::{Duration, Instant};

/// Sizes in KB.
const SIZES_KB: [usize; 4] = [16, 64, 256, 1024];
/// The best of that many.
const RUNS: usize = 3;

fn time(mail: &[u8]) -> Duration {
    let once = |_| {
        let begun = Instant::now();
        std::hint::black_box(parse(std::hint::black_box(mail), Envelope::default()));
        begun.elapsed()
    };
    (0..RUNS).map(once).min().unwrap_or_default()
}

fn main() {
    print!("{:<42}", "worst case");
    SIZES_KB.iter().for_each(|size| print!("{:>11}", format!("{size} KB")));
    println!("{:>10}", "per byte");
    for worst in worst::ALL {
        let times = SIZES_KB.map(|size| time(&worst.mail(size * 1024)).as_secs_f64() * 1e3);
        print!("{:<42}", worst.name);
        times.iter().for_each(|milliseconds| print!("{:>11}", format!("{milliseconds:.2} ms")));
        let growth = SIZES_KB[SIZES_KB.len() - 1] / SIZES_KB[0];
        println!("{:>10}", format!("×{:.1}", times[SIZES_KB.len() - 1] / times[0] / growth as f64));
    }
}

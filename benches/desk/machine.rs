//! What the figures were measured on.
use super::Failure;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

fn file(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn said(program: &str, arguments: &[&str]) -> String {
    let said = Command::new(program).args(arguments).output().map(|done| String::from_utf8_lossy(&done.stdout).trim().to_owned());
    said.unwrap_or_default()
}

fn value(text: &str, name: &str) -> String {
    text.lines()
        .find(|line| line.starts_with(name))
        .and_then(|line| line.split(':').nth(1))
        .unwrap_or("unknown")
        .trim()
        .to_owned()
}

/// The 1-minute load average.
pub fn load_average() -> String {
    file("/proc/loadavg").split(' ').next().unwrap_or("unknown").to_owned()
}

/// Median milliseconds to write 4 KiB and wait for the disk.
fn fsync_ms(folder: &Path) -> Result<f64, Failure> {
    let mut written = File::create(folder.join("fsync"))?;
    let mut took = Vec::new();
    for _ in 0..50 {
        let started = Instant::now();
        written.write_all(&[0; 4_096])?;
        written.sync_data()?;
        took.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    took.sort_by(f64::total_cmp);
    Ok(took.get(took.len() / 2).copied().unwrap_or(f64::NAN))
}

/// One line: cores, processor, memory, disk, kernel, compiler.
pub fn described(folder: &Path) -> Result<String, Failure> {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory_kb: f64 = value(&file("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
    let disk = said("stat", &["-f", "-c", "%T", &folder.to_string_lossy()]);
    Ok(format!(
        "{cores} cores of {}, {:.0} GB memory, {disk} with {:.2} ms an fsync, Linux {}, {}, PostgreSQL {}, load {} before",
        value(&file("/proc/cpuinfo"), "model name"),
        memory_kb / 1_048_576.0,
        fsync_ms(folder)?,
        file("/proc/sys/kernel/osrelease").trim(),
        said("rustc", &["-V"]),
        said("sh", &["-c", "ls /usr/lib/postgresql | tail -1"]),
        load_average()
    ))
}

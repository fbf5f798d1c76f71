//! The one table: what was measured, its floor, the ratio, the target, and whether it is met.
use serde_json::json;

/// How a row is judged.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Percent of the floor at least.
    Share(f64),
    /// At most so much of the unit.
    AtMost(f64),
    /// Only shown.
    None,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was done.
    pub operation: String,
    /// On which database.
    pub database: &'static str,
    /// Requests a second, where they were counted.
    pub per_second: Option<f64>,
    /// A figure with its unit, where it is not requests a second.
    pub figure: Option<(f64, &'static str)>,
    /// Median and 99th percentile in milliseconds.
    pub latency: Option<(f64, f64)>,
    /// The floor's name and its operations a second.
    pub floor: Option<(&'static str, f64)>,
    /// The target for the rate or the figure.
    pub target: Target,
    /// The target for the 99th percentile in milliseconds.
    pub p99_max: Option<f64>,
}

impl Row {
    /// A row with a figure that must not be above `most`.
    pub fn figure(operation: impl Into<String>, database: &'static str, figure: (f64, &'static str), most: f64) -> Self {
        let target = if most.is_finite() { Target::AtMost(most) } else { Target::None };
        Self {
            operation: operation.into(),
            database,
            per_second: None,
            figure: Some(figure),
            latency: None,
            floor: None,
            target,
            p99_max: None,
        }
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.per_second? / self.floor?.1 * 100.0)
    }

    /// Whether all its targets are met; none where it has none.
    pub fn is_ok(&self) -> Option<bool> {
        let first = match self.target {
            Target::Share(percent) => self.ratio().map(|ratio| ratio >= percent),
            Target::AtMost(most) => self.figure.map(|(value, _)| value <= most),
            Target::None => None,
        };
        let second = self.p99_max.zip(self.latency).map(|(most, (_, p99))| p99 <= most);
        match (first, second) {
            (None, other) | (other, None) => other,
            (Some(first), Some(second)) => Some(first && second),
        }
    }

    fn cells(&self) -> [String; 9] {
        let share = self.floor.map(|(name, _)| name).unwrap_or_default();
        let mut target = match (self.target, self.figure) {
            (Target::Share(percent), _) => format!("≥ {percent} % of {share}"),
            (Target::AtMost(most), Some((_, unit))) => format!("≤ {most} {unit}"),
            _ => String::new(),
        };
        if let Some(most) = self.p99_max {
            target.push_str(&format!(", p99 ≤ {most} ms"));
        }
        let measured = match (self.per_second, self.figure) {
            (Some(rate), _) => format!("{rate:.0} req/s"),
            (None, Some((value, unit))) => format!("{value:.1} {unit}"),
            (None, None) => String::new(),
        };
        [
            self.operation.clone(),
            self.database.to_owned(),
            measured,
            self.latency.map_or_else(String::new, |(p50, _)| format!("{p50:.1}")),
            self.latency.map_or_else(String::new, |(_, p99)| format!("{p99:.1}")),
            self.floor.map_or_else(String::new, |(name, rate)| format!("{name} {rate:.0}")),
            self.ratio().map_or_else(String::new, |ratio| format!("{ratio:.1} %")),
            target,
            match self.is_ok() {
                Some(true) => "ok".to_owned(),
                Some(false) => "SHORT".to_owned(),
                None => String::new(),
            },
        ]
    }

    /// The row for machines.
    pub fn json(&self) -> serde_json::Value {
        let [operation, database, measured, ..] = self.cells();
        json!({
            "operation": operation, "database": database, "measured": measured, "per_second": self.per_second,
            "figure": self.figure.map(|(value, _)| value), "unit": self.figure.map(|(_, unit)| unit),
            "p50_ms": self.latency.map(|(p50, _)| p50), "p99_ms": self.latency.map(|(_, p99)| p99),
            "floor": self.floor.map(|(_, rate)| rate), "floor_name": self.floor.map(|(name, _)| name),
            "ratio_percent": self.ratio(), "ok": self.is_ok(),
        })
    }
}

/// The table as Markdown, its columns aligned.
pub fn show(rows: &[Row]) -> String {
    let head = ["operation", "database", "measured", "p50 ms", "p99 ms", "floor", "ratio", "target", ""].map(str::to_owned);
    let cells: Vec<[String; 9]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let mut widths = [1; 9];
    for line in &cells {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for (index, line) in cells.iter().enumerate() {
        for (cell, width) in line.iter().zip(widths) {
            text.push_str(&format!("| {cell:<width$} "));
        }
        text.push_str("|\n");
        if index == 0 {
            widths.iter().for_each(|width| text.push_str(&format!("|{}", "-".repeat(width + 2))));
            text.push_str("|\n");
        }
    }
    text
}

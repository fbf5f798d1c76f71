//! Charts as SVG: bars, dots with whiskers, lines over time, a heat map. No scripts, no fonts, readable without colours. Pure.
//!
//! Colours are those of Okabe and Ito, which people with any kind of colour blindness tell apart; lines differ by their markers
//! too, and every chart says its figures in words (`<desc>`).
use crate::error::{Error, Result};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fmt::Display;

const WIDTH: u32 = 960;
/// Title and subtitle.
const HEAD: u32 = 76;
const BAR_HEIGHT: u32 = 28;
const LINES_HEIGHT: u32 = 440;
const FOOT: u32 = 40;
/// Where bars and dots say their figures.
const FIGURES_WIDTH: u32 = 210;
/// A row's label at the longest, in columns of Latin letters.
const LABEL_COLUMNS_MAX: usize = 36;
const LABEL_COLUMN_PX: usize = 7;
/// Rows of bars at the most: who needs more reads the table.
pub const ROWS_MAX: usize = 40;
/// Up to so many points a line shows each.
const MARKERS_MAX: usize = 120;
/// Labels under a line chart at the most.
const LABELS_MAX: usize = 9;

const INK: RGBColor = RGBColor(32, 33, 36);
const FAINT: RGBColor = RGBColor(95, 99, 104);
const GRID: RGBColor = RGBColor(218, 220, 224);
/// Okabe and Ito: blue, vermilion, green, purple.
const COLOURS: [RGBColor; 4] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What a chart is about.
#[derive(Debug, Clone)]
pub struct Head {
    /// One line.
    pub title: String,
    /// The period, and what else one must know to read it.
    pub subtitle: String,
    /// The figures in words, for who does not see the chart.
    pub description: String,
}

/// A row of bars or dots.
#[derive(Debug, Clone)]
pub struct Mark {
    /// What it is.
    pub label: String,
    /// Where it ends; none is no figure, not zero.
    pub value: Option<f64>,
    /// The ends of its interval.
    pub interval: Option<(f64, f64)>,
    /// The figures in digits.
    pub text: String,
}

/// How rows are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// From zero to the value.
    Bars,
    /// At the value, with its interval.
    Dots,
}

/// A line.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it is.
    pub name: String,
    /// A value for each label, where there is one.
    pub values: Vec<Option<f64>>,
    /// Their intervals; empty where there are none.
    pub intervals: Vec<Option<(f64, f64)>>,
}

/// What the values are: their lowest and highest, and the unit after a number.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// The left or lower end.
    pub low: f64,
    /// The right or upper end.
    pub high: f64,
    /// Such as ` %`.
    pub unit: &'static str,
}

fn failed(error: impl Display) -> Error {
    Error::internal(format!("chart: {error}"))
}

/// A text on one line, at most so many columns wide; wide characters count twice.
fn shortened(text: &str, columns_max: usize) -> String {
    let line = crate::mail::one_line(text);
    let width = |c: char| if c >= '\u{1100}' { 2 } else { 1 };
    if line.chars().map(width).sum::<usize>() <= columns_max {
        return line;
    }
    let mut columns = 0;
    let kept = line.chars().take_while(|c| {
        columns += width(*c);
        columns < columns_max
    });
    format!("{}…", kept.collect::<String>().trim_end())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn style(size: i32, colour: &'static RGBColor, h: HPos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size).into_font()).color(colour).pos(Pos::new(h, VPos::Center))
}

/// Draws on a sheet of its own, and names it for who cannot see it.
fn sheet(head: &Head, height: u32, draw: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        let line = |text: &str, columns: usize, y: i32, size: i32, colour: &'static RGBColor| {
            area.draw(&Text::new(shortened(text, columns), (20, y), style(size, colour, HPos::Left))).map_err(failed)
        };
        line(&head.title, 84, 26, 24, &INK)?;
        line(&head.subtitle, 130, 52, 16, &FAINT)?;
        draw(&area)?;
        area.present().map_err(failed)?;
    }
    let words: String = head.description.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let (title, words) = (escaped(&shortened(&head.title, 200)), escaped(&words));
    let svg = svg.replacen("<svg ", "<svg role=\"img\" aria-labelledby=\"chart-title chart-words\" ", 1);
    let named = format!("\">\n<title id=\"chart-title\">{title}</title>\n<desc id=\"chart-words\">{words}</desc>\n");
    Ok(svg.replacen("\">\n", &named, 1))
}

fn write(area: &Area<'_>, text: String, at: (i32, i32), style: TextStyle<'static>) -> Result<()> {
    area.draw(&Text::new(text, at, style)).map_err(failed)
}

fn nothing(area: &Area<'_>, height: u32) -> Result<()> {
    let middle = (WIDTH as i32 / 2, (HEAD + height) as i32 / 2);
    write(area, "There are no figures for this period.".to_owned(), middle, style(18, &FAINT, HPos::Center))
}

/// Rows of bars or dots, the first on top.
pub fn rows(head: &Head, marks: &[Mark], scale: Scale, shape: Shape) -> Result<String> {
    let shown = marks.get(..ROWS_MAX).unwrap_or(marks);
    let labels: Vec<String> = shown.iter().map(|mark| shortened(&mark.label, LABEL_COLUMNS_MAX)).collect();
    let height = HEAD + FOOT + 16 + BAR_HEIGHT * (shown.len().max(4) as u32);
    sheet(head, height, |area| {
        if shown.is_empty() {
            return nothing(area, height);
        }
        let columns = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let bottom = HEAD + 8 + BAR_HEIGHT * shown.len() as u32;
        let mut chart = ChartBuilder::on(area)
            .margin_top(HEAD)
            .margin_left((30 + columns * LABEL_COLUMN_PX) as u32)
            .margin_right(FIGURES_WIDTH)
            .margin_bottom(height.saturating_sub(bottom + FOOT))
            .x_label_area_size(FOOT - 10)
            .build_cartesian_2d(scale.low..scale.high, 0f64..shown.len() as f64)
            .map_err(failed)?;
        let number = |value: &f64| format!("{value:.0}{}", scale.unit);
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_labels(6)
            .x_label_formatter(&number)
            .label_style(style(15, &FAINT, HPos::Center))
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(FAINT)
            .draw()
            .map_err(failed)?;
        for (at, (mark, label)) in shown.iter().zip(labels).enumerate() {
            let y = shown.len() as f64 - at as f64 - 0.5;
            let (left, row) = chart.backend_coord(&(scale.low, y));
            let (right, _) = chart.backend_coord(&(scale.high, y));
            write(area, label, (left - 8, row), style(16, &INK, HPos::Right))?;
            write(area, shortened(&mark.text, 34), (right + 12, row), style(15, &INK, HPos::Left))?;
            let Some(value) = mark.value.map(|value| value.clamp(scale.low, scale.high)) else { continue };
            match shape {
                Shape::Bars => {
                    let zero = scale.low.max(0.0);
                    let bar = Rectangle::new([(zero, y - 0.36), (value, y + 0.36)], COLOURS[0].filled());
                    chart.draw_series([bar]).map_err(failed)?;
                }
                Shape::Dots => {
                    if let Some((low, high)) = mark.interval {
                        let thick = FAINT.stroke_width(2);
                        let whisker = [
                            vec![(low, y), (high, y)],
                            vec![(low, y - 0.2), (low, y + 0.2)],
                            vec![(high, y - 0.2), (high, y + 0.2)],
                        ];
                        chart.draw_series(whisker.map(|path| PathElement::new(path, thick))).map_err(failed)?;
                    }
                    chart.draw_series([Circle::new((value, y), 6, COLOURS[0].filled())]).map_err(failed)?;
                }
            }
        }
        if marks.len() > shown.len() {
            let more = format!("and {} more rows: ask for the table", marks.len() - shown.len());
            write(area, more, (WIDTH as i32 - 20, height as i32 - 14), style(14, &FAINT, HPos::Right))?;
        }
        Ok(())
    })
}

fn marker(area: &Area<'_>, series: usize, (x, y): (i32, i32)) -> Result<()> {
    let fill = COLOURS[series % COLOURS.len()].filled();
    match series % COLOURS.len() {
        0 => area.draw(&Circle::new((x, y), 4, fill)),
        1 => area.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], fill)),
        2 => area.draw(&Polygon::new([(x, y - 5), (x + 5, y + 4), (x - 5, y + 4)], fill)),
        _ => area.draw(&Polygon::new([(x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y)], fill)),
    }
    .map_err(failed)
}

/// Lines over time: a gap where there is no figure.
pub fn lines(head: &Head, labels: &[String], series: &[Line], scale: Scale) -> Result<String> {
    let has_any = series.iter().any(|line| line.values.iter().any(Option::is_some));
    sheet(head, LINES_HEIGHT, |area| {
        if labels.is_empty() || !has_any {
            return nothing(area, LINES_HEIGHT);
        }
        let mut chart = ChartBuilder::on(area)
            .margin_top(HEAD + 26)
            .margin_left(14)
            .margin_right(30)
            .margin_bottom(FOOT)
            .y_label_area_size(58)
            .build_cartesian_2d(0f64..labels.len() as f64, scale.low..scale.high)
            .map_err(failed)?;
        let number = |value: &f64| format!("{value:.0}{}", scale.unit);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .y_labels(6)
            .y_label_formatter(&number)
            .label_style(("sans-serif", 15).into_font().color(&FAINT))
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(FAINT)
            .draw()
            .map_err(failed)?;
        let place = |at: usize, value: f64| chart.backend_coord(&(at as f64 + 0.5, value.clamp(scale.low, scale.high)));
        let every = labels.len().div_ceil(LABELS_MAX).max(1);
        for (at, label) in labels.iter().enumerate().step_by(every) {
            let (x, y) = place(at, scale.low);
            area.draw(&PathElement::new([(x, y), (x, y + 5)], FAINT)).map_err(failed)?;
            write(area, shortened(label, 12), (x, y + 18), style(14, &FAINT, HPos::Center))?;
        }
        let mut legend_x = 26;
        for (number, line) in series.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            for (at, interval) in line.intervals.iter().enumerate() {
                let Some((low, high)) = interval else { continue };
                let whisker = [place(at, *low), place(at, *high)];
                area.draw(&PathElement::new(whisker, colour.mix(0.35).stroke_width(3))).map_err(failed)?;
            }
            let points: Vec<Option<(i32, i32)>> =
                line.values.iter().enumerate().map(|(at, value)| value.map(|value| place(at, value))).collect();
            for run in points.split(Option::is_none) {
                let run: Vec<(i32, i32)> = run.iter().copied().flatten().collect();
                if run.len() > 1 {
                    area.draw(&PathElement::new(run.clone(), colour.stroke_width(2))).map_err(failed)?;
                }
                let shows_all = labels.len() <= MARKERS_MAX;
                for point in run.iter().filter(|_| shows_all || run.len() == 1) {
                    marker(area, number, *point)?;
                }
            }
            let name = shortened(&line.name, 30);
            let width = name.chars().count() * LABEL_COLUMN_PX + 44;
            marker(area, number, (legend_x, HEAD as i32 + 6))?;
            write(area, name, (legend_x + 10, HEAD as i32 + 6), style(15, &INK, HPos::Left))?;
            legend_x += width as i32;
        }
        Ok(())
    })
}

/// One square of a heat map.
#[derive(Debug, Clone)]
pub struct Square {
    /// 0 to 1: how dark; none is left white.
    pub share: Option<f64>,
    /// What stands in it.
    pub text: String,
}

/// A heat map: squares by row, darker is more. Each says its number, so that no colour must be read.
pub fn heat(head: &Head, row_names: &[&str], column_names: &[String], squares: &[Square]) -> Result<String> {
    const LEFT: i32 = 64;
    const HEIGHT: i32 = 38;
    let width = (WIDTH as i32 - LEFT - 20) / column_names.len().max(1) as i32;
    let top = HEAD as i32 + 24;
    sheet(head, (top + HEIGHT * row_names.len() as i32 + 24) as u32, |area| {
        for (column, name) in column_names.iter().enumerate() {
            write(area, name.clone(), (LEFT + width * column as i32 + width / 2, top - 14), style(14, &FAINT, HPos::Center))?;
        }
        for (row, (name, squares)) in row_names.iter().zip(squares.chunks(column_names.len().max(1))).enumerate() {
            let y = top + HEIGHT * row as i32;
            write(area, (*name).to_owned(), (LEFT - 10, y + HEIGHT / 2), style(16, &INK, HPos::Right))?;
            for (column, square) in squares.iter().enumerate() {
                let x = LEFT + width * column as i32;
                let fill = square.share.map_or(WHITE, shade);
                let corners = [(x + 1, y + 1), (x + width - 1, y + HEIGHT - 1)];
                area.draw(&Rectangle::new(corners, fill.filled())).map_err(failed)?;
                let ink: &'static RGBColor = if square.share.is_some_and(|share| share > 0.5) { &WHITE } else { &INK };
                let text = shortened(&square.text, 6);
                write(area, text, (x + width / 2, y + HEIGHT / 2), style(14, ink, HPos::Center))?;
            }
        }
        Ok(())
    })
}

/// From nearly white to dark blue, evenly darker.
fn shade(share: f64) -> RGBColor {
    let share = share.clamp(0.0, 1.0);
    let mix = |light: f64, dark: f64| (light + (dark - light) * share).round() as u8;
    RGBColor(mix(236.0, 8.0), mix(243.0, 48.0), mix(251.0, 107.0))
}

#[cfg(test)]
#[path = "charts_tests.rs"]
mod tests;

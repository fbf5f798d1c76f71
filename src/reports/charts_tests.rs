//! Charts of nothing, of one thing, of many, and of names that mean harm.
use super::*;

fn head() -> Head {
    Head { title: "A <b>title</b> & more".into(), subtitle: "subtitle".into(), description: "1 < 2 & \u{1}so on".into() }
}

const PERCENT: Scale = Scale { low: 0.0, high: 100.0, unit: " %" };

fn marks(count: usize) -> Vec<Mark> {
    let mark = |n: usize| Mark {
        label: format!("<script>alert({n})</script> Ünïcode 部署 {n}"),
        value: (!n.is_multiple_of(3)).then_some(n as f64),
        interval: (!n.is_multiple_of(2)).then_some((n as f64 - 5.0, n as f64 + 5.0)),
        text: format!("{n} % & {n}"),
    };
    (0..count).map(mark).collect()
}

fn series(count: usize) -> Vec<Line> {
    let values = |from: usize| (0..count).map(|n| ((n + from) % 7 > 1).then_some(((n * 13 + from) % 101) as f64)).collect();
    let line = |name: usize| Line {
        name: format!("\"line\" <{name}>"),
        values: values(name),
        intervals: if name == 0 { vec![Some((10.0, 20.0)); count] } else { Vec::new() },
    };
    (0..4).map(line).collect()
}

/// One root that is closed, no script, no reference, and every tag closed.
#[track_caller]
fn check(svg: Result<String>) -> String {
    let svg = svg.expect("a chart");
    assert!(svg.starts_with("<svg role=\"img\" aria-labelledby=\"chart-title chart-words\" width=\"960\""), "{svg}");
    assert!(svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("<title id=\"chart-title\">A &lt;b&gt;title&lt;/b&gt; &amp; more</title>"), "{svg}");
    assert!(svg.contains("<desc id=\"chart-words\">1 &lt; 2 &amp;  so on</desc>"), "{svg}");
    for forbidden in ["<script", "<b>", "href", "onload", "NaN", "inf", "\u{1}"] {
        assert!(!svg.contains(forbidden), "{forbidden} is in {svg}");
    }
    for tag in ["svg", "text", "title", "desc"] {
        assert_eq!(svg.matches(&format!("<{tag} ")).count(), svg.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    svg
}

#[test]
fn a_chart_of_nothing_says_so() {
    let says = |svg: String| assert!(svg.contains("There are no figures"), "{svg}");
    says(check(rows(&head(), &[], PERCENT, Shape::Bars)));
    says(check(rows(&head(), &[], PERCENT, Shape::Dots)));
    says(check(lines(&head(), &[], &[], PERCENT)));
    let empty = [Line { name: "x".into(), values: vec![None; 3], intervals: Vec::new() }];
    says(check(lines(&head(), &["a".into(), "b".into(), "c".into()], &empty, PERCENT)));
    check(heat(&head(), &["Mon"], &[], &[]));
}

#[test]
fn rows_are_drawn_up_to_a_limit_and_the_rest_is_counted() {
    for count in [1, 2, ROWS_MAX, ROWS_MAX + 1, 500] {
        for shape in [Shape::Bars, Shape::Dots] {
            let svg = check(rows(&head(), &marks(count), PERCENT, shape));
            assert_eq!(svg.matches("&lt;script&gt;").count(), count.min(ROWS_MAX), "a label a row, escaped");
            assert_eq!(svg.contains("more rows"), count > ROWS_MAX);
        }
    }
}

#[test]
fn lines_are_broken_where_there_is_no_figure() {
    for count in [1, 2, 9, 10, 90, 4_000] {
        let labels: Vec<String> = (0..count).map(|n| format!("2026-{n}")).collect();
        let svg = check(lines(&head(), &labels, &series(count), PERCENT));
        let shown = svg.matches("\n2026-").count();
        assert!((1..=LABELS_MAX).contains(&shown), "{shown} labels of {count}");
        if count >= 9 {
            assert!(svg.matches("<polyline").count() > 4, "gaps");
        }
    }
}

#[test]
fn a_heat_map_writes_each_number_so_that_it_can_be_read() {
    let squares: Vec<Square> =
        (0..48).map(|n| Square { share: (n % 5 > 0).then_some(f64::from(n) / 47.0), text: n.to_string() }).collect();
    let hours: Vec<String> = (0..24).map(|hour| hour.to_string()).collect();
    let svg = check(heat(&head(), &["Mon", "Tue"], &hours, &squares));
    assert_eq!(svg.matches("<rect").count(), 48 + 1);
    assert!(svg.contains("\n47\n") && svg.contains("#08306B"));
}

#[test]
fn a_long_label_is_cut_where_it_no_longer_fits() {
    assert_eq!(shortened("short", 5), "short");
    assert_eq!(shortened("longer", 5), "long…");
    assert_eq!(shortened("a\nb\u{7}c", 20), "a b c");
    assert_eq!(shortened("部署部署", 6), "部署…");
}

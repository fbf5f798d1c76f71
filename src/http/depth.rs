//! How deeply a JSON text is nested, counted before anything is built from it. Pure.

/// No body of ours needs half of it.
pub const DEPTH_MAX: usize = 32;

/// The deepest nesting of arrays and objects in a JSON text; of what is no JSON, something.
pub fn of(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_and_what_is_in_strings_does_not() {
        for (text, expected) in [
            ("", 0),
            ("1", 0),
            ("{}", 1),
            ("[[],[[]]]", 3),
            (r#"{"a":"[[[["}"#, 1),
            (r#"{"a":"\"[[","b":[]}"#, 2),
            (r#"{"a":"\\","b":[[]]}"#, 3),
            ("]]]]", 0),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
        assert_eq!(of(&"[".repeat(100)), 100);
    }
}

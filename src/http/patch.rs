//! `PATCH` tells absent, null and a value apart.
use serde::{Deserialize, Deserializer};
use validator::{Validate, ValidationError, ValidationErrors};

/// Longest text that a patched field may hold, in characters.
const TEXT_MAX: usize = 100;

/// What a patch says of a field that may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Not mentioned: it stays.
    #[default]
    Keep,
    /// null: it becomes empty.
    Clear,
    /// A new value.
    Set(T),
}

impl<T> Patch<T> {
    /// Carries the change out.
    pub fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

impl Validate for Patch<String> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = ValidationErrors::new();
        if let Self::Set(text) = self
            && !(1..=TEXT_MAX).contains(&text.chars().count())
        {
            let error = ValidationError::new("length").with_message(format!("must be 1 to {TEXT_MAX} characters").into());
            errors.add("value", error);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// A whole number, also where it is written as `60.0`: to JSON Schema both are integers.
pub fn whole<'de, T: TryFrom<i64>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    use serde::de::Error;
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole = number.as_i64().or_else(|| {
        number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).map(|float| float as i64)
    });
    whole
        .and_then(|whole| T::try_from(whole).ok())
        .ok_or_else(|| D::Error::custom(format!("invalid type: {number} is not a whole number in range")))
}

/// For fields that can be left out but never be null.
pub fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

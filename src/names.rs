//! Closed sets of names: an enum that is written the same way in JSON, in the database and in logs. Pure.

/// Defines an enum with its wire names, `as_str`, `FromStr`, `Display` and `ALL`.
#[macro_export]
macro_rules! names {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every name, in order.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The name as it is written everywhere.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::names::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok($name::$variant),)+
                    _ => Err($crate::names::UnknownName { kind: stringify!($name), text: text.to_owned() }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::names::Name for $name {
            fn text(&self) -> &'static str {
                self.as_str()
            }
        }
    };
}

/// A set made by [`crate::names!`].
pub trait Name: Copy + Send + Sync + std::fmt::Debug + std::str::FromStr<Err = UnknownName> + 'static {
    /// The name as it is written everywhere.
    fn text(&self) -> &'static str;
}

/// A text that is none of the names of its set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind}")]
pub struct UnknownName {
    /// The set.
    pub kind: &'static str,
    /// What was written.
    pub text: String,
}

//! Reports: whether promises were kept, and what contacts say about it. Every figure is a count over rows.
pub mod api;
pub mod asked;
mod csv;
pub mod figures;
mod queries;
pub mod wire;
pub mod wire_nps;

//! Reports: whether promises were kept, and what contacts say about it. Every figure is a count over rows.
pub mod api;
pub mod api_rows;
pub mod asked;
pub mod csv;
pub mod figures;
mod params;
mod queries;
mod queries_rows;
pub mod rows;
pub mod sheet;
pub mod wire;
pub mod wire_nps;

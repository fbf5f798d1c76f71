//! Reports: whether promises were kept, and what contacts say about it. Every figure is a count over rows.
pub mod api;
pub mod api_calls;
pub mod api_rows;
pub mod asked;
pub mod calls_asked;
pub mod calls_figures;
pub mod csv;
pub mod csv_calls;
pub mod figures;
mod params;
mod queries;
mod queries_calls;
mod queries_rows;
pub mod rows;
pub mod sheet;
pub mod wire;
pub mod wire_calls;
pub mod wire_nps;

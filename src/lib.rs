
pub mod coord;

//! Random histories against a vector.

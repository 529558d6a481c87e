//! Crashes, torn ends, bit rot, missing and damaged helper files.

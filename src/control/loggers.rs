//! The levels of the process's log lines, and the filter that follows them.
//!
//! Owns: the levels. Lives on: the control thread, which alone changes them. Never: writes a line
//! for a core.

use crate::config::loggers::{LevelChange, Levels};
use std::cell::RefCell;

/// Has the process log by these directives from now on.
pub type Apply = Box<dyn Fn(&str) -> Result<(), String> + Send>;

pub struct Loggers {
    levels: RefCell<Levels>,
    apply: Apply,
}

impl Loggers {
    pub fn new(levels: Levels, apply: Apply) -> Loggers {
        Loggers { levels: RefCell::new(levels), apply }
    }

    pub fn levels(&self) -> Levels {
        self.levels.borrow().clone()
    }

    /// The levels behind `changes`; all of them are made, or none.
    pub fn change(&self, changes: &[LevelChange]) -> Result<Levels, String> {
        let mut next = self.levels();
        next.change(changes);
        (self.apply)(&next.directives())?;
        for LevelChange { logger, level } in changes {
            match level {
                Some(level) => tracing::warn!(logger, level = level.name(), "the log level is set"),
                None => tracing::warn!(logger, "the log level is that of the module above again"),
            }
        }
        self.levels.replace(next.clone());
        Ok(next)
    }
}

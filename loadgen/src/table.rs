//! A table of rates over time, as a CSV file: what `loadgen profile --series` writes and `loadgen
//! replay` sends. Pure.
//!
//! The first line is `until_s`, then a topic for each column. Each further line says until which
//! second, counted from the beginning, its rates hold, and the records per second of each topic:
//!
//! ```text
//! until_s,orders,clicks
//! 10,500,20.5
//! 20,750,0
//! ```
//!
//! A single column of the name `records_per_s` is of the topic that the reader has in mind. Empty
//! lines, and lines that begin with `#`, are passed over.
//!
//! Never: opens a file; judges whether a broker has such topics.

use crate::{
    options::{RATES, is_legal_topic},
    workload::SERIES_STEPS_MAX,
};
use std::{collections::BTreeSet, fmt::Write};

/// What stands over the first column.
const TIME: &str = "until_s";
/// Over the only other column: the topic is the reader's.
const ANY_TOPIC: &str = "records_per_s";
/// Columns of one file.
const TOPICS_MAX: usize = 10_000;
/// Numbers of one file: 160 MB of memory.
const CELLS_MAX: usize = 20_000_000;
/// Problems that are said; a file of another kind is wrong in every line.
const PROBLEMS_MAX: usize = 10;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RateTable {
    pub topics: Vec<String>,
    /// They rise in time.
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Seconds from the beginning; the row holds from the end of the one before it.
    pub until_s: f64,
    /// Records per second, by topic.
    pub rates: Vec<f64>,
}

impl RateTable {
    /// Reads a file's text. `topic`: whose rates a column of no topic's name are.
    ///
    /// # Errors
    ///
    /// What is wrong, a line for each problem with its number in the file.
    pub fn parse(text: &str, topic: &str) -> Result<RateTable, Vec<(usize, String)>> {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let Some((at, head)) = lines.next() else {
            return Err(vec![(1, format!("nothing is there: {}", head_allowed()))]);
        };
        let mut table = RateTable {
            topics: topics(head, topic).map_err(|what| vec![(at, what)])?,
            rows: vec![],
        };
        let mut problems = Vec::new();
        let rows_max = SERIES_STEPS_MAX.min(CELLS_MAX / table.topics.len());
        for (at, line) in lines {
            if table.rows.len() == rows_max {
                problems.push((at, format!("more than {rows_max} lines of rates: give fewer")));
                break;
            }
            match table.row(line) {
                Ok(row) => table.rows.push(row),
                Err(what) => problems.push((at, what)),
            }
            if problems.len() == PROBLEMS_MAX {
                problems.push((at, "more lines are not looked at".to_owned()));
                break;
            }
        }
        if table.rows.is_empty() && problems.is_empty() {
            problems.push((at, "no line of rates follows: give at least one, as in 10,500".into()));
        }
        if problems.is_empty() { Ok(table) } else { Err(problems) }
    }

    fn row(&self, line: &str) -> Result<Row, String> {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let columns = 1 + self.topics.len();
        if cells.len() != columns {
            return Err(format!(
                "{} values: give {columns}, {TIME} and the records/s of each topic, with commas",
                cells.len()
            ));
        }
        let before = self.rows.last().map_or(0.0, |row| row.until_s);
        let until_s = match cells[0].parse::<f64>() {
            Ok(until_s) if until_s > before && until_s.is_finite() => until_s,
            _ => return Err(format!("'{}': give seconds, more than {before}", cells[0])),
        };
        let rate = |(cell, topic): (&&str, &String)| match cell.parse::<f64>() {
            Ok(rate) if rate == 0.0 || RATES.contains(&rate) => Ok(rate),
            _ => Err(format!(
                "'{cell}' for {topic}: give records per second, 0 or from 0.001 to 1e9"
            )),
        };
        let rates = cells[1..].iter().zip(&self.topics).map(rate).collect::<Result<_, _>>()?;
        Ok(Row { until_s, rates })
    }

    /// The file's text.
    pub fn csv(&self) -> String {
        let mut text = format!("{TIME},{}\n", self.topics.join(","));
        for row in &self.rows {
            let _ = write!(text, "{}", rounded(row.until_s));
            for rate in &row.rates {
                let _ = write!(text, ",{}", rounded(*rate));
            }
            text.push('\n');
        }
        text
    }

    /// From when to when a row holds, and its rate of one topic.
    fn of(&self, column: usize) -> impl Iterator<Item = (f64, f64)> + '_ {
        let mut from_s = 0.0;
        self.rows.iter().map(move |row| {
            let seconds = row.until_s - from_s;
            from_s = row.until_s;
            (seconds, row.rates[column])
        })
    }

    /// Records of one topic over the whole table.
    pub fn records(&self, column: usize) -> f64 {
        self.of(column).map(|(seconds, rate)| seconds * rate).sum()
    }

    /// Seconds from the beginning to the end.
    pub fn seconds(&self) -> f64 {
        self.rows.last().map_or(0.0, |row| row.until_s)
    }
}

/// Thousandths are finer than any clock of a profile, and short to read; no rate is made 0.
fn rounded(number: f64) -> f64 {
    let rounded = (number * 1e3).round() / 1e3;
    if rounded == 0.0 && number > 0.0 { *RATES.start() } else { rounded }
}

fn head_allowed() -> String {
    format!("begin with a line such as {TIME},orders,clicks or {TIME},{ANY_TOPIC}")
}

fn topics(head: &str, topic: &str) -> Result<Vec<String>, String> {
    let mut columns = head.split(',').map(str::trim);
    if columns.next() != Some(TIME) {
        return Err(format!("'{}' is no head: {}", shown(head), head_allowed()));
    }
    let names: Vec<&str> = columns.take(TOPICS_MAX + 1).collect();
    if names.is_empty() || names.len() > TOPICS_MAX {
        return Err(format!("{} topics: give 1 to {TOPICS_MAX} behind {TIME}", names.len()));
    }
    if names == [ANY_TOPIC] {
        return Ok(vec![topic.to_owned()]);
    }
    let mut known = BTreeSet::new();
    for name in &names {
        if !is_legal_topic(name) {
            return Err(format!(
                "'{}' is no name for a topic: give 1 to 249 of the characters a-z A-Z 0-9 . _ -",
                shown(name)
            ));
        }
        if !known.insert(*name) {
            return Err(format!("topic '{name}' has two columns: give it one"));
        }
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// The beginning, where a file is no text for people.
fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    text.chars().take(SHOWN_MAX).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let row = |until_s, rates: &[f64]| Row { until_s, rates: rates.to_vec() };
        let table = RateTable {
            topics: vec!["a".to_owned(), "b.c".to_owned()],
            rows: vec![row(1.5, &[10.0, 0.0]), row(3.0, &[0.25, 1e6])],
        };
        assert_eq!(table.csv(), "until_s,a,b.c\n1.5,10,0\n3,0.25,1000000\n");
        assert_eq!(RateTable::parse(&table.csv(), "x"), Ok(table.clone()));
        assert_eq!((table.records(0), table.seconds()), (15.375, 3.0));
        let few = RateTable { topics: vec!["a".to_owned()], rows: vec![row(1.0, &[0.0001])] };
        assert_eq!(few.csv(), "until_s,a\n1,0.001\n", "what came is not made nothing");
    }

    #[test]
    fn a_column_without_a_topic_is_of_the_readers_own() {
        let text = "# of a dashboard\n\nuntil_s, records_per_s\r\n 60 , 5 \n";
        let table = RateTable::parse(text, "mine").unwrap();
        assert_eq!((table.topics, table.rows[0].until_s), (vec!["mine".to_owned()], 60.0));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_to_write() {
        for (text, line, says) in [
            ("", 1, "begin with a line such as until_s,orders"),
            ("seconds,a\n1,2\n", 1, "'seconds,a' is no head"),
            ("until_s\n", 1, "0 topics: give 1 to"),
            ("until_s,a,a\n", 1, "two columns"),
            ("until_s,a/b\n", 1, "a-z A-Z 0-9 . _ -"),
            ("until_s,a\n", 1, "no line of rates"),
            ("until_s,a\n\n1,2,3\n", 3, "3 values: give 2"),
            ("until_s,a\n0,2\n", 2, "give seconds, more than 0"),
            ("until_s,a\n2,2\n1,2\n", 3, "give seconds, more than 2"),
            ("until_s,a\nNaN,2\n", 2, "give seconds"),
            ("until_s,a\ninf,2\n", 2, "give seconds"),
            ("until_s,a\n1,-1\n", 2, "0 or from 0.001 to 1e9"),
            ("until_s,a\n1,\n", 2, "'' for a: give records per second"),
            ("\u{0}PNG\u{1b}[2J", 1, "is no head"),
        ] {
            let problems = RateTable::parse(text, "t").unwrap_err();
            assert_eq!(problems[0].0, line, "{text:?}: {problems:?}");
            assert!(problems[0].1.contains(says), "{text:?}: {problems:?}");
            assert!(!problems[0].1.contains('\u{1b}'), "what a terminal would act on");
        }
        let many = "until_s,a\n".to_owned() + &"x,1\n".repeat(50);
        assert_eq!(RateTable::parse(&many, "t").unwrap_err().len(), PROBLEMS_MAX + 1);
    }
}

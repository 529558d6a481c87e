//! Patterns of transactional ids (ListTransactions): the regular expressions of RE2, without
//! captures.
//!
//! Pure. A match takes time in proportion to the text and the pattern, whatever they are, in steps
//! of one character, and a compiled pattern has a limit. Of RE2's syntax, Unicode classes
//! (`\p{..}`), multi-line mode and `\C` are not served: such a pattern is refused like one that
//! means nothing.

use std::iter::Peekable;
use std::str::Chars;

use crate::limits::{
    PATTERN_BYTES_MAX, PATTERN_INSTRUCTIONS_MAX, PATTERN_NESTING_MAX, PATTERN_RANGES_MAX,
};

/// RE2's bound of `{n,m}`.
const REPEAT_MAX: u32 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    #[error("the pattern ends too early")]
    Unfinished,
    #[error("a group is not opened, or not closed")]
    Group,
    #[error("a repetition has nothing to repeat, or a count that it cannot have")]
    Repetition,
    #[error("a class of characters is not one")]
    Class,
    #[error("an escape or a flag is unknown")]
    Escape,
    #[error("the pattern is too large")]
    TooLarge,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Class {
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Class {
    fn matches(&self, text: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&text)) != self.negated
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Assertion {
    Start,
    End,
    WordBoundary,
    NoWordBoundary,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Empty,
    One(Class),
    Assert(Assertion),
    Concat(Vec<Node>),
    Alternatives(Vec<Node>),
    Repeat { node: Box<Node>, min: u32, max: Option<u32> },
}

#[derive(Clone, Debug)]
enum Instruction {
    One(Class),
    Assert(Assertion),
    Split(usize, usize),
    Jump(usize),
    Match,
}

#[derive(Clone, Debug, Default)]
struct Program {
    instructions: Vec<Instruction>,
    /// Of all classes.
    ranges: usize,
}

#[derive(Clone, Debug)]
pub struct Pattern {
    program: Vec<Instruction>,
}

impl Pattern {
    pub fn compile(text: &str) -> Result<Pattern, BadPattern> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(BadPattern::TooLarge);
        }
        let mut parser = Parser {
            rest: text.chars().peekable(),
            depth: 0,
            ignores_case: false,
            dot_is_all: false,
        };
        let node = parser.alternatives()?;
        if parser.rest.next().is_some() {
            return Err(BadPattern::Group);
        }
        let mut program = Program::default();
        emit(&mut program, &node)?;
        program.push(Instruction::Match)?;
        Ok(Pattern { program: program.instructions })
    }

    /// Begins to match a text.
    pub fn begin<'a>(&'a self, text: &'a str) -> Matching<'a> {
        let mut matching = Matching {
            pattern: self,
            rest: text.chars().peekable(),
            threads: Threads::new(self.program.len()),
            following: Threads::new(self.program.len()),
        };
        let after = matching.rest.peek().copied();
        self.follow(&mut matching.threads, 0, None, after);
        matching
    }

    /// Whether the whole text is one.
    #[cfg(test)]
    pub fn matches(&self, text: &str) -> bool {
        let mut matching = self.begin(text);
        std::iter::from_fn(|| Some(matching.step())).flatten().next().expect("texts end")
    }

    /// Where the program may be without reading on.
    fn follow(
        &self,
        threads: &mut Threads,
        start: usize,
        before: Option<char>,
        after: Option<char>,
    ) {
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut threads.seen[at], true) {
                continue;
            }
            match &self.program[at] {
                Instruction::One(_) => threads.waiting.push(at),
                Instruction::Match => threads.matched = true,
                Instruction::Jump(to) => open.push(*to),
                Instruction::Split(first, second) => open.extend([*first, *second]),
                Instruction::Assert(assertion) => {
                    if holds(*assertion, before, after) {
                        open.push(at + 1);
                    }
                }
            }
        }
    }
}

/// A match under way.
pub struct Matching<'a> {
    pattern: &'a Pattern,
    rest: Peekable<Chars<'a>>,
    threads: Threads,
    following: Threads,
}

impl Matching<'_> {
    /// Reads one character: whether the whole text is one, as soon as that is known.
    pub fn step(&mut self) -> Option<bool> {
        let Matching { pattern, rest, threads, following } = self;
        let Some(at) = rest.next() else { return Some(threads.matched) };
        let after = rest.peek().copied();
        for instruction in threads.waiting.drain(..) {
            if let Instruction::One(class) = &pattern.program[instruction]
                && class.matches(at)
            {
                pattern.follow(following, instruction + 1, Some(at), after);
            }
        }
        threads.clear();
        std::mem::swap(threads, following);
        let is_over = threads.waiting.is_empty() && !threads.matched;
        is_over.then_some(false)
    }
}

/// Where the program is, all at once.
struct Threads {
    waiting: Vec<usize>,
    seen: Vec<bool>,
    matched: bool,
}

impl Threads {
    fn new(program_len: usize) -> Threads {
        Threads { waiting: Vec::new(), seen: vec![false; program_len], matched: false }
    }

    fn clear(&mut self) {
        self.waiting.clear();
        self.seen.fill(false);
        self.matched = false;
    }
}

fn holds(assertion: Assertion, before: Option<char>, after: Option<char>) -> bool {
    let is_word = |at: Option<char>| at.is_some_and(|at| at.is_ascii_alphanumeric() || at == '_');
    match assertion {
        Assertion::Start => before.is_none(),
        Assertion::End => after.is_none(),
        Assertion::WordBoundary => is_word(before) != is_word(after),
        Assertion::NoWordBoundary => is_word(before) == is_word(after),
    }
}

impl Program {
    fn len(&self) -> usize {
        self.instructions.len()
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, BadPattern> {
        if let Instruction::One(class) = &instruction {
            self.ranges += class.ranges.len();
        }
        if self.len() >= PATTERN_INSTRUCTIONS_MAX || self.ranges > PATTERN_RANGES_MAX {
            return Err(BadPattern::TooLarge);
        }
        self.instructions.push(instruction);
        Ok(self.len() - 1)
    }
}

fn emit(program: &mut Program, node: &Node) -> Result<(), BadPattern> {
    match node {
        Node::Empty => {}
        Node::One(class) => {
            program.push(Instruction::One(class.clone()))?;
        }
        Node::Assert(assertion) => {
            program.push(Instruction::Assert(*assertion))?;
        }
        Node::Concat(nodes) => {
            for node in nodes {
                emit(program, node)?;
            }
        }
        Node::Alternatives(nodes) => {
            let mut jumps = Vec::new();
            let (last, others) = nodes.split_last().expect("a choice has a first alternative");
            for node in others {
                let split = program.push(Instruction::Split(0, 0))?;
                emit(program, node)?;
                jumps.push(program.push(Instruction::Jump(0))?);
                program.instructions[split] = Instruction::Split(split + 1, program.len());
            }
            emit(program, last)?;
            for jump in jumps {
                program.instructions[jump] = Instruction::Jump(program.len());
            }
        }
        Node::Repeat { node, min, max } => emit_repeat(program, node, *min, *max)?,
    }
    Ok(())
}

fn emit_repeat(
    program: &mut Program,
    node: &Node,
    min: u32,
    max: Option<u32>,
) -> Result<(), BadPattern> {
    for _ in 0..min {
        let before = program.len();
        emit(program, node)?;
        // Nothing is nothing, however often it is repeated in what is repeated.
        if program.len() == before {
            break;
        }
    }
    let Some(max) = max else {
        let split = program.push(Instruction::Split(0, 0))?;
        emit(program, node)?;
        program.push(Instruction::Jump(split))?;
        program.instructions[split] = Instruction::Split(split + 1, program.len());
        return Ok(());
    };
    let mut splits = Vec::new();
    for _ in min..max {
        splits.push(program.push(Instruction::Split(0, 0))?);
        emit(program, node)?;
    }
    for split in splits {
        program.instructions[split] = Instruction::Split(split + 1, program.len());
    }
    Ok(())
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    depth: usize,
    ignores_case: bool,
    dot_is_all: bool,
}

impl Parser<'_> {
    fn take(&mut self) -> Result<char, BadPattern> {
        self.rest.next().ok_or(BadPattern::Unfinished)
    }

    fn take_if(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn alternatives(&mut self) -> Result<Node, BadPattern> {
        let mut alternatives = vec![self.concat()?];
        while self.take_if('|') {
            alternatives.push(self.concat()?);
        }
        Ok(match alternatives.len() {
            1 => alternatives.remove(0),
            _ => Node::Alternatives(alternatives),
        })
    }

    fn concat(&mut self) -> Result<Node, BadPattern> {
        let mut nodes = Vec::new();
        while let Some(at) = self.rest.peek()
            && !matches!(at, '|' | ')')
        {
            let node = self.atom()?;
            let node = self.repeated(node)?;
            nodes.push(node);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Concat(nodes) })
    }

    fn repeated(&mut self, node: Node) -> Result<Node, BadPattern> {
        let (min, max) = match self.rest.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match self.count() {
                Some(count) => count?,
                None => return Ok(node),
            },
            _ => return Ok(node),
        };
        self.rest.next();
        // How much a lazy one takes makes no difference to whether all of the text matches.
        self.take_if('?');
        if self.rest.peek().is_some_and(|at| matches!(at, '*' | '+' | '?')) {
            return Err(BadPattern::Repetition);
        }
        Ok(Node::Repeat { node: Box::new(node), min, max })
    }

    /// The count in braces, up to the closing one. As in RE2, braces without a count are text.
    fn count(&mut self) -> Option<Result<(u32, Option<u32>), BadPattern>> {
        let mut ahead = self.rest.clone();
        ahead.next();
        let is_count = |at: &char| at.is_ascii_digit() || *at == ',';
        let text: String = std::iter::from_fn(|| ahead.next_if(is_count)).collect();
        if ahead.peek().is_some_and(|at| *at != '}') {
            return None;
        }
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|at| at.is_ascii_digit());
            digits.then(|| text.parse::<u32>().unwrap_or(u32::MAX))
        };
        let (min, max) = match text.split_once(',') {
            None => number(&text).map(|count| (count, Some(count)))?,
            Some((min, "")) => (number(min)?, None),
            Some((min, max)) => (number(min)?, Some(number(max)?)),
        };
        self.rest = ahead;
        if self.rest.peek().is_none() {
            return Some(Err(BadPattern::Unfinished));
        }
        let fits = min <= REPEAT_MAX && max.is_none_or(|max| min <= max && max <= REPEAT_MAX);
        Some(if fits { Ok((min, max)) } else { Err(BadPattern::Repetition) })
    }

    fn atom(&mut self) -> Result<Node, BadPattern> {
        Ok(match self.take()? {
            '(' => return self.group(),
            '[' => Node::One(self.class()?),
            '.' if self.dot_is_all => Node::One(Class { ranges: Vec::new(), negated: true }),
            '.' => Node::One(Class { ranges: vec![('\n', '\n')], negated: true }),
            '^' => Node::Assert(Assertion::Start),
            '$' => Node::Assert(Assertion::End),
            '*' | '+' | '?' => return Err(BadPattern::Repetition),
            '\\' => return self.escape(),
            text => self.literal(text),
        })
    }

    fn literal(&self, text: char) -> Node {
        let mut class = Class { ranges: vec![(text, text)], negated: false };
        self.fold(&mut class);
        Node::One(class)
    }

    /// Adds the other cases of the characters of a class, where case makes no difference.
    fn fold(&self, class: &mut Class) {
        if !self.ignores_case {
            return;
        }
        for (low, high) in class.ranges.clone() {
            if low == high {
                let cases = low.to_lowercase().chain(low.to_uppercase());
                class.ranges.extend(cases.map(|at| (at, at)));
            }
            for text in (b'A'..=b'Z').chain(b'a'..=b'z').map(char::from) {
                if (low..=high).contains(&text) {
                    let other = char::from(text as u8 ^ 0x20);
                    class.ranges.push((other, other));
                }
            }
        }
    }

    fn group(&mut self) -> Result<Node, BadPattern> {
        let flags = (self.ignores_case, self.dot_is_all);
        if self.take_if('?') {
            let named = self.take_if('P');
            if self.take_if('<') {
                let mut name_len = 0;
                while self.rest.next_if(|at| at.is_ascii_alphanumeric() || *at == '_').is_some() {
                    name_len += 1;
                }
                if name_len == 0 || !self.take_if('>') {
                    return Err(BadPattern::Group);
                }
            } else if named {
                return Err(BadPattern::Group);
            } else if !self.flags()? {
                return Ok(Node::Empty);
            }
        }
        self.depth += 1;
        if self.depth > PATTERN_NESTING_MAX {
            return Err(BadPattern::TooLarge);
        }
        let node = self.alternatives()?;
        self.depth -= 1;
        (self.ignores_case, self.dot_is_all) = flags;
        if self.take_if(')') { Ok(node) } else { Err(BadPattern::Group) }
    }

    /// Whether a group follows them; else they are for the rest of the one that they stand in.
    fn flags(&mut self) -> Result<bool, BadPattern> {
        let mut on = true;
        loop {
            match self.take()? {
                'i' => self.ignores_case = on,
                's' => self.dot_is_all = on,
                // Which way is tried first makes no difference.
                'U' => {}
                '-' if on => on = false,
                ':' => return Ok(true),
                ')' => return Ok(false),
                _ => return Err(BadPattern::Escape),
            }
        }
    }

    fn escape(&mut self) -> Result<Node, BadPattern> {
        let assertion = match self.rest.peek() {
            Some('A') => Assertion::Start,
            Some('z') => Assertion::End,
            Some('b') => Assertion::WordBoundary,
            Some('B') => Assertion::NoWordBoundary,
            Some('Q') => {
                self.rest.next();
                return Ok(self.quoted());
            }
            _ => {
                let mut class = self.escaped_class()?;
                if !class.negated {
                    self.fold(&mut class);
                }
                return Ok(Node::One(class));
            }
        };
        self.rest.next();
        Ok(Node::Assert(assertion))
    }

    /// Text up to `\E`, or to the end.
    fn quoted(&mut self) -> Node {
        let mut nodes = Vec::new();
        while let Some(at) = self.rest.next() {
            if at == '\\' && self.take_if('E') {
                break;
            }
            nodes.push(self.literal(at));
        }
        Node::Concat(nodes)
    }

    fn escaped_class(&mut self) -> Result<Class, BadPattern> {
        let at = self.take()?;
        let ranges = match at.to_ascii_lowercase() {
            'd' => vec![('0', '9')],
            'w' => vec![('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_')],
            's' => vec![('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
            _ => {
                let text = self.escaped_char(at)?;
                return Ok(Class { ranges: vec![(text, text)], negated: false });
            }
        };
        Ok(Class { ranges, negated: at.is_ascii_uppercase() })
    }

    fn escaped_char(&mut self, at: char) -> Result<char, BadPattern> {
        Ok(match at {
            'a' => '\x07',
            'f' => '\x0c',
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'v' => '\x0b',
            'x' => {
                let digits: String = if self.take_if('{') {
                    self.rest.by_ref().take_while(|at| *at != '}').collect()
                } else {
                    [self.take()?, self.take()?].into_iter().collect()
                };
                let code = u32::from_str_radix(&digits, 16).map_err(|_| BadPattern::Escape)?;
                char::from_u32(code).ok_or(BadPattern::Escape)?
            }
            at if at.is_ascii_punctuation() => at,
            _ => return Err(BadPattern::Escape),
        })
    }

    fn class(&mut self) -> Result<Class, BadPattern> {
        let negated = self.take_if('^');
        let mut class = Class { ranges: Vec::new(), negated: false };
        let mut first = true;
        loop {
            let at = self.take().map_err(|_| BadPattern::Class)?;
            let low = match at {
                ']' if !first => break,
                '[' if self.rest.peek() == Some(&':') => {
                    class.ranges.extend(self.named_class()?);
                    first = false;
                    continue;
                }
                '\\' => {
                    let escaped = self.escaped_class()?;
                    match escaped.ranges[..] {
                        [(low, high)] if low == high && !escaped.negated => low,
                        _ if escaped.negated => return Err(BadPattern::Class),
                        _ => {
                            class.ranges.extend(escaped.ranges);
                            first = false;
                            continue;
                        }
                    }
                }
                text => text,
            };
            first = false;
            class.ranges.push((low, self.range_end(low)?));
        }
        self.fold(&mut class);
        class.negated = negated;
        Ok(class)
    }

    /// The other end of a range that `low` may begin.
    fn range_end(&mut self, low: char) -> Result<char, BadPattern> {
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || ahead.next() == Some(']') {
            return Ok(low);
        }
        self.rest.next();
        let high = match self.take()? {
            '\\' => {
                let at = self.take()?;
                self.escaped_char(at)?
            }
            text => text,
        };
        if low <= high { Ok(high) } else { Err(BadPattern::Class) }
    }

    fn named_class(&mut self) -> Result<Vec<(char, char)>, BadPattern> {
        self.rest.next();
        let name: String = self.rest.by_ref().take_while(|at| *at != ':').collect();
        if !self.take_if(']') {
            return Err(BadPattern::Class);
        }
        Ok(match name.as_str() {
            "alnum" => vec![('0', '9'), ('A', 'Z'), ('a', 'z')],
            "alpha" => vec![('A', 'Z'), ('a', 'z')],
            "digit" => vec![('0', '9')],
            "lower" => vec![('a', 'z')],
            "upper" => vec![('A', 'Z')],
            "punct" => vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            "space" => vec![('\t', '\r'), (' ', ' ')],
            "word" => vec![('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_')],
            "xdigit" => vec![('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => return Err(BadPattern::Class),
        })
    }
}

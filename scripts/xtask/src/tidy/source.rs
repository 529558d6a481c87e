//! One Rust file as the rules see it: its functions with their lengths, and every path that it
//! names.
//!
//! Works on tokens, not on a syntax tree, so that the arguments of macros are seen as well.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

pub struct Source {
    /// From the repository's root, with `/`.
    pub path: String,
    pub text: String,
    pub functions: Vec<Function>,
    pub names: Vec<Name>,
    /// The lines of assertions that are on in release builds, but for those of tests.
    pub assertions: Vec<usize>,
}

pub struct Function {
    pub name: String,
    /// Of the `fn`, from 1.
    pub line: usize,
    /// From the `fn` to the closing brace, both counted.
    pub lines: usize,
    /// In a file or an item that is there for tests only.
    pub in_test: bool,
}

/// A path as written in the code, such as `std::time::Instant::now`; `use` trees are flattened, and
/// `crate`, `self` and `super` stand resolved to `crate::…`.
pub struct Name {
    pub segments: Vec<String>,
    pub line: usize,
    /// In an item that is only there under `cfg(test)`.
    pub in_test: bool,
    pub in_use: bool,
}

impl Source {
    pub fn parse(path: &str, text: &str) -> Result<Source, String> {
        let tokens: TokenStream =
            text.parse().map_err(|error| format!("{path}: not Rust: {error}"))?;
        let mut walk = Walk {
            module: module_of(path),
            in_test: is_test_file(path),
            functions: vec![],
            names: vec![],
            assertions: vec![],
        };
        walk.stream(tokens);
        Ok(Source {
            path: path.to_owned(),
            text: text.to_owned(),
            functions: walk.functions,
            names: walk.names,
            assertions: walk.assertions,
        })
    }
}

/// Whether a file as a whole is there for tests and measurements only.
fn is_test_file(path: &str) -> bool {
    let is_test =
        |part: &str| matches!(part, "tests" | "benches" | "examples" | "fuzz_targets" | "testing");
    path.split(['/', '.']).any(is_test) || path.ends_with("_tests.rs")
}

/// `src/log/append.rs` is `crate::log::append`.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.rsplit_once("src/").map_or(path, |(_, inner)| inner).trim_end_matches(".rs");
    let parts = inner.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main"));
    std::iter::once("crate").chain(parts).map(str::to_owned).collect()
}

struct Walk {
    module: Vec<String>,
    in_test: bool,
    functions: Vec<Function>,
    names: Vec<Name>,
    assertions: Vec<usize>,
}

impl Walk {
    fn stream(&mut self, tokens: TokenStream) {
        self.tokens(&tokens.into_iter().collect::<Vec<_>>());
    }

    fn tokens(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            at += match &tokens[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => self.attribute(&tokens[at..]),
                TokenTree::Ident(ident) if *ident == "use" => self.use_item(&tokens[at..]),
                TokenTree::Ident(ident) if *ident == "fn" => self.function(&tokens[at..]),
                TokenTree::Ident(ident) if *ident == "mod" => self.inline_module(&tokens[at..]),
                TokenTree::Ident(_) => self.path(&tokens[at..]),
                TokenTree::Group(group) => {
                    self.stream(group.stream());
                    1
                }
                _ => 1,
            };
        }
    }

    /// What follows `#[cfg(test)]`, up to the end of its item, counts as test.
    fn attribute(&mut self, tokens: &[TokenTree]) -> usize {
        match tokens.get(1) {
            Some(TokenTree::Group(group)) if is_cfg_test(group) => {
                let rest = &tokens[2..];
                let end = rest.iter().position(ends_item).map_or(rest.len(), |end| end + 1);
                let before = std::mem::replace(&mut self.in_test, true);
                self.tokens(&rest[..end]);
                self.in_test = before;
                2 + end
            }
            _ => 1,
        }
    }

    fn function(&mut self, tokens: &[TokenTree]) -> usize {
        if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
            (tokens.get(1), tokens.iter().find(|token| is_semicolon(token) || is_braces(token)))
        {
            let line = tokens[0].span().start().line;
            let lines = body.span_close().end().line - line + 1;
            let in_test = self.in_test;
            self.functions.push(Function { name: name.to_string(), line, lines, in_test });
        }
        1
    }

    fn inline_module(&mut self, tokens: &[TokenTree]) -> usize {
        match tokens {
            [_, TokenTree::Ident(name), TokenTree::Group(body), ..] => {
                self.module.push(name.to_string());
                self.stream(body.stream());
                self.module.pop();
                3
            }
            _ => 1,
        }
    }

    fn path(&mut self, tokens: &[TokenTree]) -> usize {
        let mut segments = vec![tokens[0].to_string()];
        let mut used = 1;
        while let [colon, _, TokenTree::Ident(next), ..] = &tokens[used..]
            && is_punct(colon, ':')
            && is_punct(&tokens[used + 1], ':')
        {
            segments.push(next.to_string());
            used += 3;
        }
        let is_assertion =
            matches!(segments.last().map_or("", |name| name), "assert" | "assert_eq" | "assert_ne")
                && tokens.get(used).is_some_and(|token| is_punct(token, '!'));
        if is_assertion && !self.in_test {
            self.assertions.push(tokens[0].span().start().line);
        }
        self.name(segments, &tokens[0], false);
        used
    }

    fn use_item(&mut self, tokens: &[TokenTree]) -> usize {
        let end = tokens.iter().position(is_semicolon).unwrap_or(tokens.len());
        self.use_trees(&[], &tokens[1..end.max(1)]);
        end
    }

    fn use_trees(&mut self, prefix: &[String], tokens: &[TokenTree]) {
        for tree in tokens.split(|token| is_punct(token, ',')) {
            let mut segments = prefix.to_vec();
            for token in tree {
                match token {
                    TokenTree::Ident(ident) if *ident == "as" => break,
                    TokenTree::Ident(ident) if *ident == "self" && !segments.is_empty() => {}
                    TokenTree::Ident(ident) => segments.push(ident.to_string()),
                    TokenTree::Group(group) => {
                        self.use_trees(&segments, &group.stream().into_iter().collect::<Vec<_>>());
                        segments.clear();
                    }
                    _ => {}
                }
            }
            if let (Some(first), false) = (tree.first(), segments.is_empty()) {
                self.name(segments, first, true);
            }
        }
    }

    fn name(&mut self, segments: Vec<String>, at: &TokenTree, in_use: bool) {
        let segments = resolve(&self.module, segments);
        self.names.push(Name {
            segments,
            line: at.span().start().line,
            in_test: self.in_test,
            in_use,
        });
    }
}

fn resolve(module: &[String], segments: Vec<String>) -> Vec<String> {
    if segments.len() < 2 || !matches!(segments[0].as_str(), "self" | "super") {
        return segments;
    }
    let up = segments.iter().filter(|segment| *segment == "super").count();
    let here = &module[..module.len().saturating_sub(up).max(1)];
    let rest = segments.into_iter().filter(|segment| segment != "super" && segment != "self");
    here.iter().cloned().chain(rest).collect()
}

fn is_cfg_test(attribute: &Group) -> bool {
    let words = attribute.stream().to_string();
    let has = |word: &str| words.split(|c: char| !c.is_alphanumeric()).any(|one| one == word);
    words.starts_with("cfg") && !words.starts_with("cfg_attr") && has("test") && !has("not")
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn is_semicolon(token: &TokenTree) -> bool {
    is_punct(token, ';')
}

fn is_braces(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// A comma ends a field; where it stands inside `<…>` the item ends too early, and the rest is held
/// to the stricter rules.
fn ends_item(token: &TokenTree) -> bool {
    is_semicolon(token) || is_braces(token) || is_punct(token, ',')
}

//! What a back-end keeps per operation, by the operation's token.

use crate::op::Token;

/// Operations in flight. The executor's tokens carry a small index in their low half and are unique
/// while in use.
pub(crate) struct InFlight<T> {
    entries: Vec<Option<(Token, T)>>,
    len: usize,
}

impl<T> InFlight<T> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), len: 0 }
    }

    pub(crate) fn tokens(&self) -> Vec<Token> {
        let tokens: Vec<Token> = self.entries.iter().flatten().map(|(token, _)| *token).collect();
        assert_eq!(tokens.len(), self.len, "each operation in flight is counted once");
        tokens
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn insert(&mut self, token: Token, value: T) -> &mut T {
        let index = token.0 as u32 as usize;
        if index >= self.entries.len() {
            self.entries.resize_with(index + 1, || None);
        }
        let entry = &mut self.entries[index];
        assert!(
            entry.is_none(),
            "token {:#x} is taken before the one of its place has completed",
            token.0
        );
        self.len += 1;
        &mut entry.insert((token, value)).1
    }

    pub(crate) fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        match self.entries.get_mut(token.0 as u32 as usize)? {
            Some((of, value)) if *of == token => Some(value),
            _ => None,
        }
    }

    pub(crate) fn remove(&mut self, token: Token) -> Option<T> {
        let entry = self.entries.get_mut(token.0 as u32 as usize)?;
        let (_, value) = entry.take_if(|(of, _)| *of == token)?;
        assert!(self.len > 0, "token {:#x} was in flight, and none is counted", token.0);
        self.len -= 1;
        Some(value)
    }
}

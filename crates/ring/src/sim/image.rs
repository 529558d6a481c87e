//! The content of one file of the simulated disk: what programs see, what the platter has, and what
//! is between.
//!
//! Pages of 4 KiB are shared between both views until one of them changes, so a sync moves
//! references, not bytes. A page that is missing reads as zeros. Crashes decide per sector of 512
//! bytes.

use super::random::Random;
use bytes::BytesMut;
use std::rc::Rc;

pub(super) const PAGE_BYTES: usize = 4096;
const SECTOR_BYTES: usize = 512;

type PageContent = Option<Rc<[u8; PAGE_BYTES]>>;

#[derive(Clone, Default)]
struct Page {
    volatile: PageContent,
    durable: PageContent,
    /// Listed in [`DiskImage::dirty`].
    dirty: bool,
}

/// A sync on its way: what was dirty when it began.
struct Flush {
    id: u64,
    pages: Vec<(usize, PageContent)>,
    size: u64,
    reserved_pages: u64,
    settled: bool,
    failed: bool,
}

#[derive(Default)]
pub(super) struct DiskImage {
    pages: Vec<Page>,
    dirty: Vec<usize>,
    size: u64,
    durable_size: u64,
    /// In the order they began. One that ends settles those before it, as a sync waits for
    /// writeback under way.
    flushes: Vec<Flush>,
    /// Pages that `fallocate` has set aside, from the file's start on (holes before them count as
    /// set aside).
    reserved_pages: u64,
    /// Those that a sync has carried to the disk.
    durable_reserved_pages: u64,
    /// Pages with content after the reserved ones.
    grown_pages: u64,
}

impl DiskImage {
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Pages that this file takes from the disk's capacity.
    pub(super) fn charged_pages(&self) -> u64 {
        self.reserved_pages + self.grown_pages
    }

    /// Pages that a write of `length` bytes at `offset` would take on top.
    pub(super) fn pages_needed(&self, offset: u64, length: u64) -> u64 {
        if length == 0 {
            return 0;
        }
        let first = offset / PAGE_BYTES as u64;
        let last = (offset + length - 1) / PAGE_BYTES as u64;
        (first.max(self.reserved_pages)..=last)
            .filter(|&page| {
                self.pages.get(page as usize).is_none_or(|page| page.volatile.is_none())
            })
            .count() as u64
    }

    /// Appends at most `max` bytes from `offset` on to `out`; the number appended is short only at
    /// the end of the file.
    pub(super) fn read(&self, offset: u64, max: usize, out: &mut BytesMut) -> usize {
        let length = (self.size.saturating_sub(offset)).min(max as u64) as usize;
        let mut position = offset as usize;
        let end = position + length;
        let before = out.len();
        out.reserve(length);
        while position < end {
            let within = position % PAGE_BYTES;
            let piece = (PAGE_BYTES - within).min(end - position);
            match self.pages.get(position / PAGE_BYTES).and_then(|page| page.volatile.as_ref()) {
                Some(content) => out.extend_from_slice(&content[within..within + piece]),
                None => out.resize(out.len() + piece, 0),
            }
            position += piece;
        }
        assert_eq!(out.len() - before, length, "as many bytes are read as is told");
        length
    }

    /// Writes `data` into the volatile view. A page that was dirty already may reach the disk
    /// first, in part.
    pub(super) fn write(
        &mut self,
        offset: u64,
        data: &[u8],
        early_per_million: u32,
        random: &mut Random,
    ) {
        let mut position = offset as usize;
        let mut rest = data;
        let last = (position + data.len()).div_ceil(PAGE_BYTES);
        if self.pages.len() < last {
            self.pages.resize_with(last, Page::default);
        }
        while !rest.is_empty() {
            let index = position / PAGE_BYTES;
            let within = position % PAGE_BYTES;
            let (piece, after) = rest.split_at((PAGE_BYTES - within).min(rest.len()));
            let page = &mut self.pages[index];
            if page.dirty && random.chance(early_per_million) {
                page.durable = merge(&page.durable, &page.volatile, random.mask(128));
            }
            if page.volatile.is_none() {
                page.volatile = Some(Rc::new([0; PAGE_BYTES]));
                self.grown_pages += u64::from(index as u64 >= self.reserved_pages);
            }
            let content = page.volatile.as_mut().expect("just made");
            Rc::make_mut(content)[within..within + piece.len()].copy_from_slice(piece);
            self.mark_dirty(index);
            position += piece.len();
            rest = after;
        }
        self.size = self.size.max(offset + data.len() as u64);
        self.check_grown();
    }

    /// The pages that are charged beyond what was reserved are pages that there are.
    fn check_grown(&self) {
        let (grown, all) = (self.grown_pages, self.pages.len() as u64);
        assert!(grown <= all, "{grown} pages are charged of {all}");
    }

    /// Writes a random subset of the sectors of `data`: what a power cut leaves of a write under
    /// way.
    pub(super) fn write_torn(&mut self, offset: u64, data: &[u8], keep: u32, random: &mut Random) {
        let mut start = 0;
        while start < data.len() {
            let within = (offset as usize + start) % SECTOR_BYTES;
            let end = (start + SECTOR_BYTES - within).min(data.len());
            if random.below(256) < u64::from(keep) {
                self.write(offset + start as u64, &data[start..end], 0, random);
            }
            start = end;
        }
    }

    /// Writes sectors of `data` into both views, each with the likelihood `keep` in 256. Its pages
    /// are whole ones, of which syncs under way have nothing older to say any more.
    pub(super) fn write_durable(
        &mut self,
        offset: u64,
        data: &[u8],
        keep: u32,
        random: &mut Random,
    ) {
        let is_whole = |bytes: u64| bytes.is_multiple_of(PAGE_BYTES as u64);
        assert!(is_whole(offset) && is_whole(data.len() as u64), "{} at {offset}", data.len());
        let first = offset as usize / PAGE_BYTES;
        for (index, new) in (first..).zip(data.chunks_exact(PAGE_BYTES)) {
            let mask = if keep == 256 { 0xff } else { random.mask(keep) };
            if mask == 0 {
                continue;
            }
            if self.pages.len() <= index {
                self.pages.resize_with(index + 1, Page::default);
            }
            let new = Some(Rc::new(<[u8; PAGE_BYTES]>::try_from(new).expect("a chunk is a page")));
            let page = &mut self.pages[index];
            self.grown_pages +=
                u64::from(page.volatile.is_none() && index as u64 >= self.reserved_pages);
            page.volatile = merge(&page.volatile, &new, mask);
            page.durable = merge(&page.durable, &new, mask);
            self.size = self.size.max(((index + 1) * PAGE_BYTES) as u64);
            self.durable_size = self.durable_size.max(self.size);
            for flush in &mut self.flushes {
                flush.pages.retain(|(flushed, _)| *flushed != index);
                flush.size = flush.size.max(self.size);
            }
        }
        self.check_grown();
    }

    pub(super) fn truncate(&mut self, size: u64) {
        let before = self.charged_pages();
        let kept = size.div_ceil(PAGE_BYTES as u64) as usize;
        for index in kept..self.pages.len() {
            if self.pages[index].volatile.take().is_some() {
                self.mark_dirty(index);
            }
        }
        let within = (size % PAGE_BYTES as u64) as usize;
        if size < self.size
            && within > 0
            && self.pages.get(kept - 1).is_some_and(|page| page.volatile.is_some())
        {
            let content = self.pages[kept - 1].volatile.as_mut().expect("checked above");
            Rc::make_mut(content)[within..].fill(0);
            self.mark_dirty(kept - 1);
        }
        self.size = size;
        self.reserved_pages = self.reserved_pages.min(kept as u64);
        self.count_grown();
        let after = self.charged_pages();
        assert!(after <= before, "a file of {before} pages has {after} after it was cut");
    }

    pub(super) fn reserve(&mut self, offset: u64, length: u64, keep_size: bool) {
        let before = self.charged_pages();
        self.reserved_pages =
            self.reserved_pages.max((offset + length).div_ceil(PAGE_BYTES as u64));
        if !keep_size {
            self.size = self.size.max(offset + length);
        }
        self.count_grown();
        let after = self.charged_pages();
        assert!(before <= after, "of {before} pages {after} are left when more are set aside");
    }

    fn count_grown(&mut self) {
        let from = (self.reserved_pages as usize).min(self.pages.len());
        self.grown_pages =
            self.pages[from..].iter().filter(|page| page.volatile.is_some()).count() as u64;
    }

    fn mark_dirty(&mut self, index: usize) {
        if !self.pages[index].dirty {
            self.pages[index].dirty = true;
            self.dirty.push(index);
            let (dirty, all) = (self.dirty.len(), self.pages.len());
            assert!(dirty <= all, "{dirty} pages of {all} are dirty");
        }
    }

    pub(super) fn begin_flush(&mut self, id: u64) {
        assert!(self.flushes.iter().all(|flush| flush.id < id), "flush {id} begins late");
        let dirty = std::mem::take(&mut self.dirty);
        let pages = dirty
            .into_iter()
            .map(|index| {
                let was_dirty = std::mem::replace(&mut self.pages[index].dirty, false);
                assert!(was_dirty, "page {index} is listed as dirty, and is not");
                (index, self.pages[index].volatile.clone())
            })
            .collect();
        self.flushes.push(Flush {
            id,
            pages,
            size: self.size,
            reserved_pages: self.reserved_pages,
            settled: false,
            failed: false,
        });
    }

    /// Ends the sync `id`, with success or failure; says how it ended (it may have failed with a
    /// later one).
    pub(super) fn end_flush(&mut self, id: u64, fails: bool, random: &mut Random) -> bool {
        let Some(position) = self.flushes.iter().position(|flush| flush.id == id) else {
            return false;
        };
        for index in 0..=position {
            if !self.flushes[index].settled {
                self.settle(index, fails, random);
            }
        }
        let flush = self.flushes.remove(position);
        assert!(flush.settled && flush.pages.is_empty(), "sync {id} ends before it has settled");
        !flush.failed
    }

    /// A failed flush leaves its pages clean: some are on the disk, some are not, and the cache has
    /// dropped its copy or not. No later sync writes them, which is what Linux does.
    fn settle(&mut self, index: usize, fails: bool, random: &mut Random) {
        let flush = &mut self.flushes[index];
        assert!(!flush.settled, "flush {} settles twice", flush.id);
        flush.settled = true;
        flush.failed = fails;
        let pages = std::mem::take(&mut flush.pages);
        if !fails {
            self.durable_size = flush.size;
            self.durable_reserved_pages = flush.reserved_pages;
            for (index, content) in pages {
                self.pages[index].durable = content;
            }
            return;
        }
        let drops_cache = random.coin();
        for (index, content) in pages {
            let page = &mut self.pages[index];
            page.durable = merge(&page.durable, &content, random.mask(64));
            if drops_cache && !page.dirty {
                page.volatile = page.durable.clone();
            }
        }
        self.count_grown();
    }

    /// The process is gone, the page cache is not: what its syncs had begun is dirty again.
    pub(super) fn abandon_flushes(&mut self) {
        for flush in std::mem::take(&mut self.flushes) {
            assert!(!flush.settled || flush.pages.is_empty(), "sync {} has settled", flush.id);
            for (index, _) in flush.pages {
                self.mark_dirty(index);
            }
        }
    }

    /// The power is gone. Each sector that was not synced is on the disk or not, and so is the
    /// size.
    pub(super) fn crash(&mut self, random: &mut Random) {
        let keep = random.survival();
        for flush in std::mem::take(&mut self.flushes) {
            if flush.settled {
                continue;
            }
            for (index, content) in flush.pages {
                self.survive(index, &content, flush.size, keep, random);
            }
            self.survive_size(flush.size, keep, random);
        }
        for index in std::mem::take(&mut self.dirty) {
            let content = self.pages[index].volatile.clone();
            let was_dirty = std::mem::replace(&mut self.pages[index].dirty, false);
            assert!(was_dirty, "page {index} is listed as dirty, and is not");
            self.survive(index, &content, self.size, keep, random);
        }
        self.survive_size(self.size, keep, random);
        self.size = self.durable_size;
        self.pages.truncate(self.size.div_ceil(PAGE_BYTES as u64) as usize);
        let within = (self.size % PAGE_BYTES as u64) as usize;
        if within > 0
            && let Some(last) = self.pages.get_mut((self.size / PAGE_BYTES as u64) as usize)
            && let Some(content) = last.durable.as_mut()
            && content[within..].iter().any(|&byte| byte != 0)
        {
            Rc::make_mut(content)[within..].fill(0);
        }
        for page in &mut self.pages {
            assert!(!page.dirty, "a page is dirty after a crash");
            page.volatile = page.durable.clone();
        }
        self.reserved_pages = self.durable_reserved_pages;
        self.count_grown();
    }

    /// What a truncation took away without a sync is cut with the size or not at all, never zeroed
    /// under an old size.
    fn survive(
        &mut self,
        index: usize,
        content: &PageContent,
        size: u64,
        keep: u32,
        random: &mut Random,
    ) {
        if content.is_none() && size <= (index * PAGE_BYTES) as u64 {
            return;
        }
        let page = &mut self.pages[index];
        page.durable = merge(&page.durable, content, random.mask(keep));
    }

    fn survive_size(&mut self, size: u64, keep: u32, random: &mut Random) {
        if random.below(256) < u64::from(keep) {
            let between = size > self.durable_size && random.below(3) == 0;
            let lost = if between { random.below(size - self.durable_size) } else { 0 };
            assert!(lost <= size, "{lost} bytes are lost of a file of {size}");
            self.durable_size = size - lost;
        }
    }

    pub(super) fn flip_bit(&mut self, offset: u64, bit: u32) {
        let Some(page) = self.pages.get_mut(offset as usize / PAGE_BYTES) else { return };
        for content in [&mut page.volatile, &mut page.durable].into_iter().flatten() {
            Rc::make_mut(content)[offset as usize % PAGE_BYTES] ^= 1 << bit;
        }
    }
}

/// `old` with those sectors of `new` whose bit is set in `mask`.
fn merge(old: &PageContent, new: &PageContent, mask: u8) -> PageContent {
    match mask {
        0 => old.clone(),
        0xff => new.clone(),
        _ => {
            let mut merged = old.clone().unwrap_or_else(|| Rc::new([0; PAGE_BYTES]));
            let content = Rc::make_mut(&mut merged);
            for sector in (0..8).filter(|sector| mask & (1 << sector) != 0) {
                let range = sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES;
                match new {
                    Some(new) => content[range.clone()].copy_from_slice(&new[range]),
                    None => content[range].fill(0),
                }
            }
            Some(merged)
        }
    }
}

//! Which cubes of a cover meet a cube, without comparing with each.
//!
//! IRREDUNDANT and REDUCE ask of every cube what the others cover of it. Of a thousand cubes a few
//! dozen come near; the columns of `blocking.rs`, here over a cover of ON, name them in some ten ANDs.

use crate::blocking::{Blocking, Conflicts, Fields};
use crate::cover::Cover;
use crate::cube;
use crate::layout::Layout;
use crate::recurse::Stack;

#[derive(Clone)]
pub(crate) struct Near<'a> {
    columns: Blocking<'a>,
    fields: Fields,
    meeting: Vec<u64>,
    conflicts: Conflicts,
}

impl<'a> Near<'a> {
    pub(crate) fn new(layout: &'a Layout, cover: &Cover) -> Near<'a> {
        let columns = Blocking::new(layout, cover);
        let (fields, conflicts) = (Fields::default(), Conflicts::default());
        Near { columns, fields, meeting: Vec::new(), conflicts }
    }

    /// The indices of the cubes that meet `by`, ascending.
    pub(crate) fn meeting(&mut self, by: &[u64]) -> impl Iterator<Item = usize> + '_ {
        self.fields.read(self.columns.layout, by);
        self.meeting.clone_from(&self.columns.all);
        for (_, run) in self.fields.runs() {
            self.columns.keep_met(run, &mut self.meeting);
        }
        cube::bits(&self.meeting)
    }

    /// The indices of the cubes that meet `by` or would after one raise, ascending.
    pub(crate) fn within_a_raise(&mut self, by: &[u64]) -> impl Iterator<Item = usize> + '_ {
        self.fields.read(self.columns.layout, by);
        self.columns.conflicts(&self.fields, &self.columns.all, &mut self.conflicts);
        self.meeting.clone_from(&self.columns.all);
        for (meeting, two) in self.meeting.iter_mut().zip(&self.conflicts.two) {
            *meeting &= !two;
        }
        cube::bits(&self.meeting)
    }

    /// Pushes the cofactor by `by` of the cubes that meet it, but for the one of index `except`.
    pub(crate) fn push(&mut self, cover: &Cover, by: &[u64], except: usize, stack: &mut Stack<'_>) {
        for index in self.meeting(by) {
            if index != except {
                stack.push_raised(cover.cube(index), by);
            }
        }
    }

    /// A cube of the cover has lost these bits.
    pub(crate) fn shrink(&mut self, index: usize, lost: impl Iterator<Item = u64>) {
        self.columns.clear(index, lost);
    }
}

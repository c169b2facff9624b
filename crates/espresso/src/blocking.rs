//! The OFF-set seen by columns: which cubes stand in the way of a raise.
//!
//! For each bit of a cube there is one bit set over all OFF cubes: those that have the bit. Whether a
//! cube meets the OFF-set is then the AND, over its variables that are not full, of the OR of a few
//! columns: some hundred word operations where a scan would compare with every OFF cube.

use crate::cover::Cover;
use crate::cube;
use crate::layout::Layout;

/// Words that one step of a test works on before it looks whether the answer is known.
const BLOCK: usize = 8;

#[derive(Clone)]
pub(crate) struct Blocking<'a> {
    pub(crate) layout: &'a Layout,
    /// Words of one column, a multiple of `BLOCK`.
    pub(crate) height: usize,
    columns: Vec<u64>,
    pub(crate) all: Vec<u64>,
}

/// The fields of a cube that are not full, as runs of bits: the columns of one run are ORed, the
/// runs are ANDed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    pub(crate) bits: Vec<u32>,
    /// (variable, end of its run in `bits`)
    pub(crate) runs: Vec<(u32, u32)>,
}

/// How cubes stand in the way of one cube: see [`Blocking::conflicts`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Conflicts {
    /// One set of cubes for each run, one behind the other.
    pub(crate) by_run: Vec<u64>,
    /// The cubes that conflict in one run only.
    pub(crate) one: Vec<u64>,
    /// Those that conflict in more.
    pub(crate) two: Vec<u64>,
}

impl Fields {
    pub(crate) fn read(&mut self, layout: &Layout, of: &[u64]) {
        self.bits.clear();
        self.runs.clear();
        for (word, (w, low)) in of.iter().zip(layout.binary_low()).enumerate() {
            let mut zero = w & !(w >> 1) & low;
            let mut one = !w & w >> 1 & low;
            while zero | one != 0 {
                let shift = (zero | one).trailing_zeros() as usize;
                let bit = word * 64 + shift + usize::from(one >> shift & 1 != 0);
                self.bits.push(bit as u32);
                self.runs.push((layout.variable_of_bit(bit) as u32, self.bits.len() as u32));
                zero &= !(1 << shift);
                one &= !(1 << shift);
            }
        }
        for variable in layout.binaries()..layout.variables().len() {
            if cube::is_full_in(layout, of, variable) {
                continue;
            }
            for &(word, mask) in layout.spans(variable) {
                let mut rest = of[word as usize] & mask;
                while rest != 0 {
                    self.bits.push(word * 64 + rest.trailing_zeros());
                    rest &= rest - 1;
                }
            }
            self.runs.push((variable as u32, self.bits.len() as u32));
        }
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, &[u32])> + '_ {
        let mut from = 0;
        self.runs.iter().map(move |&(variable, to)| {
            let run = &self.bits[from as usize..to as usize];
            from = to;
            (variable as usize, run)
        })
    }
}

impl<'a> Blocking<'a> {
    pub(crate) fn new(layout: &'a Layout, off: &Cover) -> Blocking<'a> {
        let height = usize::div_ceil(off.len(), 64 * BLOCK) * BLOCK;
        let mut columns = vec![0; layout.words() * 64 * height];
        for (index, off_cube) in off.cubes().enumerate() {
            for bit in cube::bits(off_cube) {
                columns[bit * height + index / 64] |= 1 << (index % 64);
            }
        }
        let mut all = vec![0; height];
        for index in 0..off.len() {
            all[index / 64] |= 1 << (index % 64);
        }
        Blocking { layout, height, columns, all }
    }

    /// Takes these bits from one cube.
    pub(crate) fn clear(&mut self, index: usize, bits: impl Iterator<Item = u64>) {
        for (word, mut rest) in bits.enumerate() {
            while rest != 0 {
                let bit = word * 64 + rest.trailing_zeros() as usize;
                rest &= rest - 1;
                self.columns[bit * self.height + index / 64] &= !(1 << (index % 64));
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.columns.len() * 8
    }

    #[inline]
    pub(crate) fn column(&self, bit: usize) -> &[u64] {
        &self.columns[bit * self.height..(bit + 1) * self.height]
    }

    /// Drops from a set of cubes those that have none of these bits.
    pub(crate) fn keep_met(&self, run: &[u32], among: &mut [u64]) {
        if let [bit] = run {
            return cube::and_into(among, self.column(*bit as usize));
        }
        for (word, among) in among.iter_mut().enumerate() {
            if *among != 0 {
                *among &= run.iter().fold(0, |any, &bit| any | self.column(bit as usize)[word]);
            }
        }
    }

    /// Drops from a set of cubes those that have a bit outside the cube given by its words.
    pub(crate) fn keep_within(&self, cube: impl Iterator<Item = u64>, among: &mut [u64]) {
        for (word, (cube, full)) in cube.zip(self.layout.full()).enumerate() {
            let mut outside = full & !cube;
            while outside != 0 {
                let column = self.column(word * 64 + outside.trailing_zeros() as usize);
                outside &= outside - 1;
                for (among, column) in among.iter_mut().zip(column) {
                    *among &= !column;
                }
            }
        }
    }

    /// For each run of the fields, the cubes of `among` that have no value in common with it; and over
    /// all runs the cubes of which that is true in one run only.
    pub(crate) fn conflicts(&self, fields: &Fields, among: &[u64], to: &mut Conflicts) {
        let height = self.height;
        let Conflicts { by_run, one, two } = to;
        by_run.resize(fields.runs.len() * height, 0);
        for set in [&mut *one, &mut *two] {
            set.clear();
            set.resize(height, 0);
        }
        for ((_, run), conflict) in fields.runs().zip(by_run.chunks_exact_mut(height.max(1))) {
            conflict.copy_from_slice(self.column(run[0] as usize));
            for &bit in &run[1..] {
                cube::or_into(conflict, self.column(bit as usize));
            }
            for (((conflict, among), one), two) in
                conflict.iter_mut().zip(among).zip(&mut *one).zip(&mut *two)
            {
                *conflict = among & !*conflict;
                *two |= *one & *conflict;
                *one |= *conflict;
            }
        }
        for (one, two) in one.iter_mut().zip(two) {
            *one &= !*two;
        }
    }

    /// Whether a cube, given by its fields, meets no OFF cube of `among`.
    pub(crate) fn is_free(&self, fields: &Fields, among: &[u64]) -> bool {
        for block in (0..self.height).step_by(BLOCK) {
            let mut left: [u64; BLOCK] =
                among[block..block + BLOCK].try_into().expect("a whole block");
            if left.iter().all(|w| *w == 0) {
                continue;
            }
            for (_, run) in fields.runs() {
                let mut any = [0; BLOCK];
                for &bit in run {
                    let column = &self.column(bit as usize)[block..block + BLOCK];
                    for (any, c) in any.iter_mut().zip(column) {
                        *any |= c;
                    }
                }
                let mut rest = 0;
                for (left, any) in left.iter_mut().zip(&any) {
                    *left &= any;
                    rest |= *left;
                }
                if rest == 0 {
                    break;
                }
            }
            if left.iter().any(|w| *w != 0) {
                return false;
            }
        }
        true
    }

    /// Whether the cube meets no OFF cube.
    pub(crate) fn is_clear(&self, candidate: &[u64]) -> bool {
        let mut fields = Fields::default();
        fields.read(self.layout, candidate);
        self.is_free(&fields, &self.all)
    }
}

//! Boolean expressions: read, minimised, written.
//!
//! ```text
//!   or   = xor  { ("|" | "||" | "+") xor }       loosest
//!   xor  = and  { "^" and }
//!   and  = not  { ("&" | "&&" | "*") not }
//!   not  = { "!" | "~" } atom { "'" }            tightest
//!   atom = name | "0" | "1" | "(" or ")"         name = letter or _, then letters, digits, _ . [ ]
//! ```
//!
//! Variables are numbered in the order in which the text first names them. A function is kept as two
//! covers, where it is 1 and where it is 0, so that a negation is an exchange and nothing has to be
//! complemented.

use std::fmt;
use std::sync::Arc;

use thiserror::Error as ThisError;

use crate::budget::{Budget, Stop};
use crate::cover::Cover;
use crate::cube;
use crate::error::Error;
use crate::layout::Layout;
use crate::minimizer::{MEMORY_BYTES_DEFAULT, Minimizer, Solution};

/// Longest text of an expression, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of an expression.
pub const EXPRESSION_DEPTH_MAX: usize = 128;

/// Why a text is not an expression.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("column {column}: {problem}")]
pub struct ExpressionError {
    /// Column in bytes, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: ExpressionProblem,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum ExpressionProblem {
    /// The text ends where a name, a constant or `(` should follow.
    #[error("the expression ends where an operand should follow")]
    Ended,
    /// A character that means nothing here.
    #[error("{found:?} means nothing here")]
    Unexpected {
        /// The character.
        found: char,
    },
    /// A `(` that is never closed.
    #[error("the parenthesis opened in column {opened} is not closed")]
    NotClosed {
        /// Its column, counted from 1.
        opened: usize,
    },
    /// Too deeply nested.
    #[error("nested deeper than {limit}")]
    TooDeep {
        /// [`EXPRESSION_DEPTH_MAX`].
        limit: usize,
    },
    /// Too long.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// [`EXPRESSION_BYTES_MAX`].
        limit: usize,
    },
}

/// A Boolean expression.
///
/// ```
/// use pos_kernel_espresso::Expression;
///
/// let rule = Expression::parse("member & coupon | member & !coupon | staff")?;
/// assert_eq!(rule.minimize()?.to_string(), "member | staff");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    names: Vec<String>,
    root: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Constant(bool),
    Variable(usize),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Xor(Vec<Node>),
}

/// Where a function is 1 and where it is 0.
struct Sides {
    on: Cover,
    off: Cover,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`ExpressionError`] with the column.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        let mut parser = Parser { text: text.as_bytes(), at: 0, names: Vec::new() };
        if text.len() > EXPRESSION_BYTES_MAX {
            return Err(parser.error(ExpressionProblem::TooLong { limit: EXPRESSION_BYTES_MAX }));
        }
        let root = parser.or(0)?;
        if parser.peek().is_some() {
            return Err(parser.unexpected(text));
        }
        Ok(Expression { names: parser.names, root })
    }

    /// The sum of products that a cover of binary inputs stands for, seen at one of its outputs.
    ///
    /// # Errors
    /// [`Error::BadLayout`] when there is not one name for each input, an input is multi-valued, or
    /// there is no such output.
    pub fn from_cover(cover: &Cover, names: &[String], output: usize) -> Result<Expression, Error> {
        let layout = cover.layout();
        if names.len() != layout.inputs() || layout.inputs() != layout.binaries() {
            return Err(Error::BadLayout { reason: "one name for each input, all binary" });
        }
        if output >= layout.outputs() {
            return Err(Error::BadLayout { reason: "there is no such output" });
        }
        let bit = layout.bit(layout.output_variable(), output);
        let products = cover.cubes().filter(|c| cube::has_bit(c, bit)).map(|c| {
            let literals = (0..names.len()).filter_map(|variable| {
                let has = |part| cube::has_bit(c, layout.bit(variable, part));
                match (has(0), has(1)) {
                    (true, false) => Some(Node::Not(Box::new(Node::Variable(variable)))),
                    (false, true) => Some(Node::Variable(variable)),
                    _ => None,
                }
            });
            joined(literals.collect(), Node::And, true)
        });
        let root = joined(products.collect(), Node::Or, false);
        Ok(Expression { names: names.to_vec(), root })
    }

    /// The names of the variables; their order is that of the inputs of [`Expression::sets`].
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The function as two covers with one output: where it is 1 and where it is 0.
    ///
    /// # Errors
    /// [`Error::MemoryLimit`] when they take more than the default cap.
    pub fn sets(&self) -> Result<(Cover, Cover), Error> {
        let layout = Arc::new(Layout::new(self.names.len(), &[], 1)?);
        let budget = Budget::new(None, None, MEMORY_BYTES_DEFAULT);
        let sides = sides(&self.root, &layout, &budget)
            .map_err(|stop| stop.into_error(MEMORY_BYTES_DEFAULT))?;
        Ok((sides.on, sides.off))
    }

    /// The value for the variables' values in the order of [`Expression::names`]; a variable without
    /// a value is 0.
    pub fn evaluate(&self, values: &[bool]) -> bool {
        fn value(node: &Node, values: &[bool]) -> bool {
            match node {
                Node::Constant(constant) => *constant,
                Node::Variable(variable) => values.get(*variable).copied().unwrap_or(false),
                Node::Not(inner) => !value(inner, values),
                Node::And(parts) => parts.iter().all(|part| value(part, values)),
                Node::Or(parts) => parts.iter().any(|part| value(part, values)),
                Node::Xor(parts) => parts.iter().fold(false, |odd, part| odd ^ value(part, values)),
            }
        }
        value(&self.root, values)
    }

    /// The smallest sum of products that normal effort finds.
    ///
    /// # Errors
    /// As [`Minimizer::minimize`].
    pub fn minimize(&self) -> Result<Expression, Error> {
        let solution = self.minimize_with(|minimizer| minimizer)?;
        Expression::from_cover(&solution.f, &self.names, 0)
    }

    /// Minimises with the mode and the caps that `configure` sets.
    ///
    /// # Errors
    /// As [`Minimizer::minimize`].
    pub fn minimize_with(
        &self,
        configure: impl FnOnce(Minimizer) -> Minimizer,
    ) -> Result<Solution, Error> {
        let (on, off) = self.sets()?;
        let minimizer = configure(Minimizer::new(on.layout()));
        minimizer.minimize(&on, Some(&Cover::empty(on.layout())), Some(&off))
    }
}

fn joined(mut parts: Vec<Node>, join: fn(Vec<Node>) -> Node, none: bool) -> Node {
    match parts.len() {
        0 => Node::Constant(none),
        1 => parts.remove(0),
        _ => join(parts),
    }
}

fn sides(node: &Node, layout: &Arc<Layout>, budget: &Budget) -> Result<Sides, Stop> {
    let everything = || Cover::from_bits(layout, layout.full().to_vec());
    let nothing = || Cover::empty(layout);
    let sides = match node {
        Node::Constant(true) => Sides { on: everything(), off: nothing() },
        Node::Constant(false) => Sides { on: nothing(), off: everything() },
        Node::Variable(variable) => {
            let literal = |part| {
                let mut words = layout.full().to_vec();
                cube::clear_bit(&mut words, layout.bit(*variable, part));
                Cover::from_bits(layout, words)
            };
            Sides { on: literal(0), off: literal(1) }
        }
        Node::Not(inner) => {
            let Sides { on, off } = sides(inner, layout, budget)?;
            Sides { on: off, off: on }
        }
        Node::And(parts) => {
            let mut all = Sides { on: everything(), off: nothing() };
            for part in parts {
                let part = sides(part, layout, budget)?;
                all.on = both(&all.on, &part.on, budget)?;
                all.off = either(all.off, &part.off);
            }
            all
        }
        Node::Or(parts) => {
            let mut any = Sides { on: nothing(), off: everything() };
            for part in parts {
                let part = sides(part, layout, budget)?;
                any.on = either(any.on, &part.on);
                any.off = both(&any.off, &part.off, budget)?;
            }
            any
        }
        Node::Xor(parts) => {
            let mut odd = Sides { on: nothing(), off: everything() };
            for part in parts {
                let part = sides(part, layout, budget)?;
                odd = Sides {
                    on: either(
                        both(&odd.on, &part.off, budget)?,
                        &both(&odd.off, &part.on, budget)?,
                    ),
                    off: either(
                        both(&odd.on, &part.on, budget)?,
                        &both(&odd.off, &part.off, budget)?,
                    ),
                };
            }
            odd
        }
    };
    Ok(sides)
}

fn either(mut a: Cover, b: &Cover) -> Cover {
    a.extend(b);
    a.tidy();
    a
}

fn both(a: &Cover, b: &Cover, budget: &Budget) -> Result<Cover, Stop> {
    let layout = a.layout();
    let mut met = Cover::empty(layout);
    let mut part = vec![0; layout.words()];
    for a in a.cubes() {
        budget.hold(met.words().len() * 8)?;
        for b in b.cubes() {
            for ((part, a), b) in part.iter_mut().zip(a).zip(b) {
                *part = a & b;
            }
            if !cube::is_empty(layout, &part) {
                met.push(&part);
            }
        }
    }
    met.tidy();
    Ok(met)
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    names: Vec<String>,
}

impl Parser<'_> {
    fn error(&self, problem: ExpressionProblem) -> ExpressionError {
        ExpressionError { column: self.at + 1, problem }
    }

    fn unexpected(&self, text: &str) -> ExpressionError {
        let found = text.get(self.at..).and_then(|rest| rest.chars().next());
        self.error(
            found.map_or(ExpressionProblem::Ended, |found| ExpressionProblem::Unexpected { found }),
        )
    }

    /// The next byte that is not blank.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Takes one operator of these if it is next; `|` and `&` may be doubled.
    fn take(&mut self, any_of: &[u8]) -> bool {
        let Some(found) = self.peek().filter(|byte| any_of.contains(byte)) else { return false };
        self.at += 1;
        if matches!(found, b'|' | b'&') && self.text.get(self.at) == Some(&found) {
            self.at += 1;
        }
        true
    }

    fn or(&mut self, depth: usize) -> Result<Node, ExpressionError> {
        let mut parts = vec![self.xor(depth)?];
        while self.take(b"|+") {
            parts.push(self.xor(depth)?);
        }
        Ok(joined(parts, Node::Or, false))
    }

    fn xor(&mut self, depth: usize) -> Result<Node, ExpressionError> {
        let mut parts = vec![self.and(depth)?];
        while self.take(b"^") {
            parts.push(self.and(depth)?);
        }
        Ok(joined(parts, Node::Xor, false))
    }

    fn and(&mut self, depth: usize) -> Result<Node, ExpressionError> {
        let mut parts = vec![self.not(depth)?];
        while self.take(b"&*") {
            parts.push(self.not(depth)?);
        }
        Ok(joined(parts, Node::And, true))
    }

    fn not(&mut self, depth: usize) -> Result<Node, ExpressionError> {
        let mut inverted = false;
        while self.take(b"!~") {
            inverted = !inverted;
        }
        let atom = self.atom(depth)?;
        while self.text.get(self.at) == Some(&b'\'') {
            self.at += 1;
            inverted = !inverted;
        }
        Ok(if inverted { Node::Not(Box::new(atom)) } else { atom })
    }

    fn atom(&mut self, depth: usize) -> Result<Node, ExpressionError> {
        let first = self.peek().ok_or_else(|| self.error(ExpressionProblem::Ended))?;
        let start = self.at;
        match first {
            b'0' | b'1' => {
                self.at += 1;
                Ok(Node::Constant(first == b'1'))
            }
            b'(' => {
                if depth == EXPRESSION_DEPTH_MAX {
                    let problem = ExpressionProblem::TooDeep { limit: EXPRESSION_DEPTH_MAX };
                    return Err(self.error(problem));
                }
                self.at += 1;
                let inner = self.or(depth + 1)?;
                match self.peek() {
                    Some(b')') => {
                        self.at += 1;
                        Ok(inner)
                    }
                    Some(_) => Err(self.unexpected_here()),
                    None => Err(self.error(ExpressionProblem::NotClosed { opened: start + 1 })),
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                let in_name = |b: &u8| b.is_ascii_alphanumeric() || b"_.[]".contains(b);
                while self.text.get(self.at).is_some_and(in_name) {
                    self.at += 1;
                }
                let name = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
                let variable = self.names.iter().position(|n| *n == name);
                Ok(Node::Variable(variable.unwrap_or_else(|| {
                    self.names.push(name);
                    self.names.len() - 1
                })))
            }
            _ => Err(self.unexpected_here()),
        }
    }

    fn unexpected_here(&self) -> ExpressionError {
        // The text came as a `str`, so a lossy reading of what is left starts with its character.
        self.unexpected(&String::from_utf8_lossy(self.text))
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_node(&self.root, &self.names, 0, f)
    }
}

/// Writes a node; `tightness` says which operators around it bind tighter than its own.
fn write_node(
    node: &Node,
    names: &[String],
    tightness: u8,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let (parts, operator, own) = match node {
        Node::Constant(value) => return write!(f, "{}", u8::from(*value)),
        Node::Variable(variable) => return f.write_str(&names[*variable]),
        Node::Not(inner) => {
            f.write_str("!")?;
            return write_node(inner, names, 3, f);
        }
        Node::And(parts) => (parts, " & ", 2),
        Node::Xor(parts) => (parts, " ^ ", 1),
        Node::Or(parts) => (parts, " | ", 0),
    };
    let enclosed = own < tightness;
    if enclosed {
        f.write_str("(")?;
    }
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(operator)?;
        }
        write_node(part, names, own + 1, f)?;
    }
    if enclosed {
        f.write_str(")")?;
    }
    Ok(())
}

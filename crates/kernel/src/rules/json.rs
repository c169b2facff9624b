//! A table from JSON. Strict: a key that is unknown or stands twice is an error, since a condition
//! that is lost without a word is a rule that nobody wrote.

use super::draft::{Draft, DraftColumn, DraftRow, Raw};
use super::fault::{Fault, shortened};
use super::table::{Binding, HitPolicy, Table};
use crate::code::Code;
use crate::error::{Error, Result};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// JSON as it was written: keys in their order, each once.
enum Tree {
    Null,
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

pub(super) fn read(text: &str) -> Result<Table> {
    let tree: Tree = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let (line, column) = (error.line(), error.column());
        let said = message.split(" at line ").next().unwrap_or(&message);
        Error::new(
            Code::BadRules,
            format!("the rule table is refused: line {line}, column {column}: {said}"),
        )
        .with("line", line)
        .with("field", column)
    })?;
    draft(tree).and_then(Draft::table).map_err(|fault| fault.error(None, None))
}

fn draft(tree: Tree) -> std::result::Result<Draft, Fault> {
    let mut keys = Keys::of(tree, "the table")?;
    keys.take("$schema");
    keys.take("about");
    let name = text(keys.needed("table")?, "table")?;
    let hit = choice(text(keys.needed("hit")?, "hit")?, "hit", HitPolicy::ALL)?;
    let binding = match keys.take("at") {
        None => None,
        Some(tree) => Some(choice(text(tree, "at")?, "at", Binding::ALL)?),
    };
    let gaps_allowed = match keys.take("gaps") {
        None => false,
        Some(tree) => gaps(&text(tree, "gaps")?)?,
    };
    let columns = list(keys.needed("columns")?, "columns")?;
    let columns: Vec<_> = columns.into_iter().map(column).collect::<std::result::Result<_, _>>()?;
    let results = list(keys.needed("results")?, "results")?;
    let results: Vec<_> = results.into_iter().map(column).collect::<std::result::Result<_, _>>()?;
    let mut rows = Vec::new();
    for (index, tree) in list(keys.needed("rows")?, "rows")?.into_iter().enumerate() {
        rows.push(row(tree, &columns, &results).map_err(|fault| fault.at_row(index))?);
    }
    keys.end("the table")?;
    Ok(Draft { name, hit, binding, gaps_allowed, columns, results, rows })
}

/// `allowed` or `refused`.
pub(super) fn gaps(text: &str) -> std::result::Result<bool, Fault> {
    match text {
        "allowed" => Ok(true),
        "refused" => Ok(false),
        other => {
            let shown = shortened(other);
            Err(Fault::new(format!("\"gaps\" is {shown:?}; give \"allowed\" or \"refused\"")))
        }
    }
}

/// One of the names of a list of choices.
pub(super) fn choice<T: Copy>(
    text: String,
    what: &str,
    all: &[(T, u8, &str)],
) -> std::result::Result<T, Fault> {
    if let Some(row) = all.iter().find(|row| row.2 == text) {
        return Ok(row.0);
    }
    let names: Vec<&str> = all.iter().map(|row| row.2).collect();
    let shown = shortened(&text);
    Err(Fault::new(format!("{what:?} is {shown:?}; give one of {}", names.join(", "))))
}

fn column(tree: Tree) -> std::result::Result<DraftColumn, Fault> {
    let mut keys = Keys::of(tree, "a column")?;
    let name = text(keys.needed("name")?, "name")?;
    let at = |fault: Fault| fault.at_column(&name);
    let kind = keys.needed("type").and_then(|tree| text(tree, "type")).map_err(at)?;
    let values = keys
        .take("values")
        .map(|tree| list(tree, "values")?.into_iter().map(|item| text(item, "values")).collect())
        .transpose()
        .map_err(at)?;
    let mut value = |key: &str| keys.take(key).map(raw).transpose().map_err(at);
    let (least, most, default) = (value("min")?, value("max")?, value("default")?);
    keys.end("a column").map_err(at)?;
    Ok(DraftColumn { kind, values, least, most, default, name: name.clone() })
}

fn row(
    tree: Tree,
    columns: &[DraftColumn],
    results: &[DraftColumn],
) -> std::result::Result<DraftRow, Fault> {
    let mut keys = Keys::of(tree, "a row")?;
    keys.take("about");
    let id = keys.take("id").map(|tree| text(tree, "id")).transpose()?;
    let when = cells(keys.take("when"), "when", columns)?;
    let then = cells(keys.take("then"), "then", results)?;
    keys.end("a row")?;
    Ok(DraftRow { id, when, then })
}

fn cells(
    tree: Option<Tree>,
    what: &str,
    columns: &[DraftColumn],
) -> std::result::Result<Vec<Raw>, Fault> {
    let mut cells = vec![Raw::Absent; columns.len()];
    let Some(tree) = tree else { return Ok(cells) };
    for (name, value) in Keys::of(tree, &format!("{what:?}"))?.left {
        let Some(index) = columns.iter().position(|column| column.name == name) else {
            let text = format!("{what:?} names no such column");
            return Err(Fault::new(text).at_column(&name));
        };
        cells[index] = raw(value).map_err(|fault| fault.at_column(&name))?;
    }
    Ok(cells)
}

fn raw(tree: Tree) -> std::result::Result<Raw, Fault> {
    Ok(match tree {
        Tree::Null => Raw::Absent,
        Tree::Bool(value) => Raw::Bool(value),
        Tree::Integer(value) => Raw::Integer(value),
        Tree::Text(text) => Raw::Text(text),
        Tree::List(list) => {
            Raw::List(list.into_iter().map(raw).collect::<std::result::Result<_, _>>()?)
        }
        Tree::Object(_) => return Err(Fault::new("an object cannot be a value")),
    })
}

fn text(tree: Tree, what: &str) -> std::result::Result<String, Fault> {
    match tree {
        Tree::Text(text) => Ok(text),
        other => Err(Fault::new(format!("{what:?} is {}, not a text", other.kind()))),
    }
}

fn list(tree: Tree, what: &str) -> std::result::Result<Vec<Tree>, Fault> {
    match tree {
        Tree::List(list) => Ok(list),
        other => Err(Fault::new(format!("{what:?} is {}, not a list", other.kind()))),
    }
}

/// The keys of an object that nobody has asked for yet.
struct Keys {
    left: Vec<(String, Tree)>,
}

impl Keys {
    fn of(tree: Tree, what: &str) -> std::result::Result<Keys, Fault> {
        match tree {
            Tree::Object(left) => Ok(Keys { left }),
            other => Err(Fault::new(format!("{what} is {}, not an object", other.kind()))),
        }
    }

    fn take(&mut self, key: &str) -> Option<Tree> {
        let index = self.left.iter().position(|(name, _)| name == key)?;
        Some(self.left.swap_remove(index).1)
    }

    fn needed(&mut self, key: &str) -> std::result::Result<Tree, Fault> {
        self.take(key).ok_or_else(|| Fault::new(format!("the key {key:?} is missing")))
    }

    fn end(self, what: &str) -> std::result::Result<(), Fault> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => {
                Err(Fault::new(format!("{what} has the unknown key {:?}", shortened(key))))
            }
        }
    }
}

impl Tree {
    fn kind(&self) -> &'static str {
        match self {
            Tree::Null => "null",
            Tree::Bool(_) => "a boolean",
            Tree::Integer(_) => "a number",
            Tree::Text(_) => "a text",
            Tree::List(_) => "a list",
            Tree::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> std::result::Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_bool<E>(self, value: bool) -> std::result::Result<Tree, E> {
        Ok(Tree::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> std::result::Result<Tree, E> {
        Ok(Tree::Integer(value))
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Tree, E> {
        i64::try_from(value).map(Tree::Integer).map_err(|_| E::custom("the number is too large"))
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> std::result::Result<Tree, E> {
        Err(E::custom(format!("{value} is not an integer; write a decimal as a text: \"0.5\"")))
    }
    fn visit_str<E>(self, text: &str) -> std::result::Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> std::result::Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = from.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> std::result::Result<Tree, A::Error> {
        let mut entries: Vec<(String, Tree)> = Vec::new();
        while let Some(key) = from.next_key::<String>()? {
            if entries.iter().any(|(name, _)| *name == key) {
                let shown = shortened(&key);
                return Err(A::Error::custom(format!("the key {shown:?} stands twice")));
            }
            entries.push((key, from.next_value()?));
        }
        Ok(Tree::Object(entries))
    }
}

//! The rule tables that a terminal judges by. How tables are written is told in the guide "Rules".

use crate::guard::guard;
use crate::memory::{self, Answer, Buffer};
use crate::seat::{self, Settled};
use crate::terminal::flags;
use crate::types::{PkResult, PkRuleTable, PkRulesAnswer, PkTerminal};
use pos_kernel_core::journal::Hash;
use pos_kernel_core::limits::RULE_TABLES_MAX;
use pos_kernel_core::rules::{RuleSet, Rules, Table};
use pos_kernel_core::{Code, Error, Result};
use serde_json::{Value, json};

/// Sets the tables that every line that is new or changed, every new tender and every sale is judged
/// by from here on; no tables end all rules. A refusal is PK_E_RULE_REFUSED, or
/// PK_E_APPROVAL_REQUIRED while there is no approval, and pk_last_error_json names table and rule.
///
/// `tables`: up to 16 tables. `key`: an idempotency key, or none. `out_answer` may be null.
/// Durable when it returns: on the device, in both durabilities.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3 (PK_E_BAD_RULES with row, line and column, PK_E_LIMIT for a table that
/// is too large or too intricate, PK_E_BAD_UTF8, PK_E_BAD_KEY, PK_E_BAD_ARGUMENT, PK_E_STRUCT_SIZE);
/// 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_set_rules(
    terminal: PkTerminal,
    tables: *const PkRuleTable,
    table_count: usize,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkRulesAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        let read = |table: &PkRuleTable| {
            flags("table.reserved", table.reserved, 0)?;
            // SAFETY: the caller promises the text.
            unsafe { memory::field(memory::RULE_SOURCE, table.source) }
        };
        // SAFETY: the caller promises the array and its texts.
        let sources =
            unsafe { memory::array("tables", tables, table_count, RULE_TABLES_MAX, read) }?;
        // SAFETY: the caller promises the text.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let seat = seat::terminal(terminal)?;
        let compiled = sources.into_iter().map(|source| Rules::compile(Table::read(source)?));
        let set = RuleSet::new(compiled.collect::<Result<_>>()?)?;
        let answer = seat.terminal.set_rules(&set, key)?;
        let Settled { value, sequence, replayed } = seat::settled(&seat.terminal, answer)?;
        let answer =
            PkRulesAnswer { struct_size: 0, replayed: replayed.into(), sequence, hash: value.hash };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// The rules that a terminal judges by: `{hash, tables}`, with what was found in each table, in their
/// order: the indexes of tables in the journal are theirs.
///
/// Codes: 1 (also when none were set); 2 (PK_E_CLOSED); 3; 4 with the length in `need`.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_rules_json(
    terminal: PkTerminal,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        let hash = seat.terminal.rules()?.ok_or_else(|| {
            Error::new(Code::NotFound, "no rules were set: nothing is judged by any")
        })?;
        let set = seat.terminal.rule_set()?;
        let tables: Vec<Value> = set.tables().map(Rules::show_report).collect();
        let text = json!({ "hash": Hash(hash).to_string(), "tables": tables }).to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

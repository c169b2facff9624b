//! The ticket of a suspended sale: `REGISTER_01.17.1203.1` names the terminal, the sale, the sequence
//! of its first record, and which of its suspensions this is. It says where the sale stands in a
//! journal, and nothing that could be forged: the journal is what is believed.

use crate::code::Code;
use crate::error::{Error, Result};
use std::fmt;

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Terminal where the sale was suspended.
    pub terminal: String,
    /// Number of the sale there.
    pub sale: u64,
    /// Sequence of its first record.
    pub first_sequence: u64,
    /// Which of its suspensions, from 1.
    pub suspension: u32,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { terminal, sale, first_sequence, suspension } = self;
        write!(f, "{terminal}.{sale}.{first_sequence}.{suspension}")
    }
}

impl Ticket {
    /// Reads a ticket.
    ///
    /// # Errors
    /// `PK_E_BAD_ARGUMENT`.
    ///
    /// ```
    /// use pos_kernel_core::sale::Ticket;
    /// let ticket = Ticket::parse("REGISTER_01.17.1203.1")?;
    /// assert_eq!((ticket.sale, ticket.first_sequence), (17, 1203));
    /// assert_eq!(ticket.to_string(), "REGISTER_01.17.1203.1");
    /// assert!(Ticket::parse("REGISTER_01.017.1203.1").is_err());
    /// # Ok::<(), pos_kernel_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = text.split('.');
        let mut next = || parts.next().unwrap_or_default();
        let terminal = next().to_owned();
        let (sale, first_sequence, suspension) = (next().parse(), next().parse(), next().parse());
        let refused = || {
            let shown: String = text.chars().take(80).collect();
            let message =
                format!("{shown:?} is no ticket such as REGISTER_01.17.1203.1; suspend gives one");
            Error::new(Code::BadArgument, message).with("argument", "ticket").with("value", shown)
        };
        let (Ok(sale), Ok(first_sequence), Ok(suspension)) = (sale, first_sequence, suspension)
        else {
            return Err(refused());
        };
        let ticket = Self { terminal, sale, first_sequence, suspension };
        if ticket.to_string() == text { Ok(ticket) } else { Err(refused()) }
    }
}

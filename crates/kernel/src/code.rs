//! The one table of error codes. A number, once given, never changes its meaning.
//!
//! `number` is the C detail, `result` the C result code (those of the classic interface), `family`
//! the TypeScript class, the name what programs match on. The generated twins are checked for drift.

macro_rules! codes {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $number:literal, family $family:ident, result $result:literal, $name:literal; )+) => {
        /// What exactly was refused or failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(i32)]
        #[non_exhaustive]
        pub enum Code {
            $( $(#[doc = $doc])+ $variant = $number, )+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// The name that programs match on.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)+ }
            }

            /// The family, which gives the class of the error.
            #[must_use]
            pub const fn family(self) -> Family {
                match self { $(Code::$variant => Family::$family,)+ }
            }

            /// The result code of the C interface.
            #[must_use]
            pub const fn result(self) -> i32 {
                match self { $(Code::$variant => $result,)+ }
            }
        }
    };
}

/// The class of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// An amount, a currency, a quantity.
    Money,
    /// The sale or the terminal is in another state.
    State,
    /// An argument is malformed or out of range.
    Input,
    /// The disk, or what stands on it.
    Storage,
    /// The terminal belongs to another process.
    Lock,
    /// A fault of ours.
    Internal,
}

impl Family {
    /// The family's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::State => "state",
            Self::Input => "input",
            Self::Storage => "storage",
            Self::Lock => "lock",
            Self::Internal => "internal",
        }
    }
}

codes! {
    /// No such sale, line, tender or receipt; look at `openSales()` or `lines()`.
    NotFound = 101, family State, result 1, "PK_E_NOT_FOUND";
    /// The terminal has been closed; open it again.
    Closed = 201, family State, result 2, "PK_E_CLOSED";
    /// The sale is completed or voided; begin a new one.
    AlreadyFinal = 202, family State, result 2, "PK_E_ALREADY_FINAL";
    /// Tenders do not cover the total; take another tender.
    Underpaid = 203, family State, result 2, "PK_E_UNDERPAID";
    /// A tender is still pending; confirm, decline or void it.
    PendingTender = 204, family State, result 2, "PK_E_PENDING_TENDER";
    /// Lines are frozen while a live tender exists; void the tenders first.
    TenderTaken = 205, family State, result 2, "PK_E_TENDER_TAKEN";
    /// Nothing is due, so no tender can be taken; complete the sale.
    NothingDue = 206, family State, result 2, "PK_E_NOTHING_DUE";
    /// The sale has no live line; add one, or void the sale.
    EmptySale = 207, family State, result 2, "PK_E_EMPTY_SALE";
    /// The line is voided already.
    LineVoided = 208, family State, result 2, "PK_E_LINE_VOIDED";
    /// The tender is not in a state that allows this.
    TenderState = 209, family State, result 2, "PK_E_TENDER_STATE";
    /// The sale is still open; complete or void it before closing it.
    StillOpen = 210, family State, result 2, "PK_E_STILL_OPEN";
    /// Other live lines belong to the line; void them first, or all in one call.
    LineHasChildren = 211, family State, result 2, "PK_E_LINE_HAS_CHILDREN";
    /// No signer is up; attach one, or open the terminal with one.
    SignerDown = 260, family State, result 2, "PK_E_SIGNER_DOWN";
    /// There is no sealed segment that may be archived yet.
    NothingToArchive = 261, family State, result 2, "PK_E_NOTHING_TO_ARCHIVE";
    /// Another process has the store open; the facts name it.
    StoreInUse = 262, family Lock, result 2, "PK_E_STORE_IN_USE";
    /// More is returned than was sold and not returned yet; the facts say how much is left.
    RefundExceeds = 230, family State, result 2, "PK_E_REFUND_EXCEEDS";
    /// The policy keeps returns and sales apart; finish one, then begin the other.
    MixedReturns = 231, family State, result 2, "PK_E_MIXED_RETURNS";
    /// The policy takes no return without its receipt; return a line of its receipt.
    UnboundReturn = 232, family State, result 2, "PK_E_UNBOUND_RETURN";
    /// The sale is suspended; resume it by its ticket.
    Suspended = 233, family State, result 2, "PK_E_SUSPENDED";
    /// The ticket's sale goes on already, here or on another terminal; the facts say where.
    AlreadyResumed = 234, family State, result 2, "PK_E_ALREADY_RESUMED";
    /// The cash of the ticket has arrived already, or was taken back; the facts say where.
    AlreadyReceived = 235, family State, result 2, "PK_E_ALREADY_RECEIVED";
    /// No terminal of the bank takes new sales; the facts say how each of them stands.
    NoTerminal = 236, family State, result 2, "PK_E_NO_TERMINAL";
    /// The call needs an approval; get one with `approve` and give its number.
    ApprovalRequired = 240, family State, result 9, "PK_E_APPROVAL_REQUIRED";
    /// Nobody is signed on, or another operator; sign on first.
    NotSignedOn = 241, family State, result 2, "PK_E_NOT_SIGNED_ON";
    /// An operator is signed on; sign that one off first.
    SignedOn = 242, family State, result 2, "PK_E_SIGNED_ON";
    /// No shift is open; open one with its float.
    ShiftClosed = 243, family State, result 2, "PK_E_SHIFT_CLOSED";
    /// A shift is open; close it first.
    ShiftOpen = 244, family State, result 2, "PK_E_SHIFT_OPEN";
    /// Sales are open, or hold cash; finish or void them, the facts name them.
    OpenSales = 245, family State, result 2, "PK_E_OPEN_SALES";
    /// The approval was used, or lapsed; ask for another.
    ApprovalUsed = 246, family State, result 2, "PK_E_APPROVAL_USED";
    /// Nothing was closed below since the last closing of this kind.
    NothingToClose = 247, family State, result 2, "PK_E_NOTHING_TO_CLOSE";
    /// Training and what counts do not mix: training moves no cash; switch it on or off first.
    Training = 248, family State, result 2, "PK_E_TRAINING";
    /// A rule of the till refuses the line or the tender; the facts name the table and the rule.
    RuleRefused = 249, family State, result 2, "PK_E_RULE_REFUSED";
    /// A limit ended the minimisation before there was any answer; raise the limit, or ask for less work.
    NoAnswer = 250, family State, result 2, "PK_E_NO_ANSWER";
    /// The terminal shuts down and begins nothing new; finish what is open, the facts say by when.
    ShuttingDown = 265, family State, result 2, "PK_E_SHUTTING_DOWN";
    /// A system configuration must have a higher version than the one in force; the facts name both.
    ConfigVersion = 266, family State, result 2, "PK_E_CONFIG_VERSION";
    /// The inbox is full; its terminal has to receive first, or the message to be shorter.
    InboxFull = 267, family State, result 2, "PK_E_INBOX_FULL";
    /// Another process holds the lock of this operation; wait for it, the facts say who it is.
    OperationLocked = 268, family Lock, result 2, "PK_E_OPERATION_LOCKED";
    /// The terminal is open in another process; close that process or choose another id.
    TerminalInUse = 220, family Lock, result 2, "PK_E_TERMINAL_IN_USE";
    /// The service does not let this user in, or does not do this for clients.
    NotAllowed = 270, family State, result 2, "PK_E_NOT_ALLOWED";
    /// Another process serves at this socket; stop it, or serve another store.
    ServiceInUse = 271, family Lock, result 2, "PK_E_SERVICE_IN_USE";
    /// No kernel service answers; nothing was done. Start one, then call again.
    ServiceDown = 272, family State, result 2, "PK_E_SERVICE_DOWN";
    /// This platform cannot do this.
    Unsupported = 273, family State, result 2, "PK_E_UNSUPPORTED";
    /// A text is empty, too long, or holds a control character.
    BadText = 301, family Input, result 3, "PK_E_BAD_TEXT";
    /// A terminal id is not 1 to 32 of A-Z, a-z, 0-9, `_` and `-`.
    BadId = 302, family Input, result 3, "PK_E_BAD_ID";
    /// An argument is missing or of the wrong type or value.
    BadArgument = 303, family Input, result 3, "PK_E_BAD_ARGUMENT";
    /// A configuration file cannot be read as what it should be.
    BadConfig = 304, family Input, result 3, "PK_E_BAD_CONFIG";
    /// An idempotency key is empty, too long, or holds a control character.
    BadKey = 305, family Input, result 3, "PK_E_BAD_KEY";
    /// A limit is reached; the facts name it.
    Limit = 306, family Input, result 3, "PK_E_LIMIT";
    /// A text is not UTF-8, or its length is not the one given in bytes.
    BadUtf8 = 307, family Input, result 3, "PK_E_BAD_UTF8";
    /// A structure's size is not one that this version knows; build against its header.
    StructSize = 308, family Input, result 3, "PK_E_STRUCT_SIZE";
    /// The buffer is too small; the length that it needs has been given, call again with that much.
    BufferTooSmall = 309, family Input, result 4, "PK_E_BUFFER_TOO_SMALL";
    /// A rule table is malformed, contradicts itself or leaves gaps; the facts say where.
    BadRules = 310, family Input, result 3, "PK_E_BAD_RULES";
    /// A message is malformed, or of a kind that is not known; the facts say what is wrong.
    BadMessage = 311, family Input, result 3, "PK_E_BAD_MESSAGE";
    /// What came over the socket is not the service's protocol, or is too large; the connection ended.
    BadFrame = 316, family Input, result 3, "PK_E_BAD_FRAME";
    /// Client and service speak different versions; install the same for both.
    ProtocolVersion = 317, family Input, result 3, "PK_E_PROTOCOL_VERSION";
    /// A currency is not one of ISO 4217, or not the sale's.
    BadCurrency = 320, family Money, result 3, "PK_E_BAD_CURRENCY";
    /// An amount is zero, of the wrong sign, or more than is allowed here.
    BadAmount = 321, family Money, result 3, "PK_E_BAD_AMOUNT";
    /// A quantity is zero, malformed, or has more than six decimal places.
    BadQuantity = 322, family Money, result 3, "PK_E_BAD_QUANTITY";
    /// A unit price is negative, malformed, or has more than six decimal places.
    BadPrice = 323, family Money, result 3, "PK_E_BAD_PRICE";
    /// An amount leaves the range of safe integers.
    Overflow = 324, family Money, result 3, "PK_E_OVERFLOW";
    /// A tax rate, a percentage or an exchange rate is malformed or out of range, or a tax stands twice.
    BadRate = 330, family Money, result 3, "PK_E_BAD_RATE";
    /// A policy is malformed, or its values are out of range or do not fit together.
    BadPolicy = 331, family Money, result 3, "PK_E_BAD_POLICY";
    /// A logic table cannot be read or contradicts itself; the facts say in which line and column.
    BadPla = 350, family Input, result 3, "PK_E_BAD_PLA";
    /// Durable bytes of the journal are damaged; the terminal is refused, `verify` says where.
    Corrupt = 601, family Storage, result 6, "PK_E_CORRUPT";
    /// Checksums hold and the hash chain does not: the journal was changed.
    ChainBroken = 602, family Storage, result 6, "PK_E_CHAIN_BROKEN";
    /// The journal was written by a newer version; use that version.
    Version = 603, family Storage, result 6, "PK_E_VERSION";
    /// A record contradicts the ones before it.
    Inconsistent = 604, family Storage, result 6, "PK_E_INCONSISTENT";
    /// A segment of the journal is missing.
    MissingSegment = 605, family Storage, result 6, "PK_E_MISSING_SEGMENT";
    /// A durable mark is unreadable; no record is lost, the next owner writes it anew.
    Mark = 606, family Storage, result 6, "PK_E_MARK";
    /// The anchor given is not part of this journal.
    AnchorMissing = 607, family Storage, result 6, "PK_E_ANCHOR_MISSING";
    /// A signature does not hold, or its key is none that is trusted.
    Signature = 608, family Storage, result 6, "PK_E_SIGNATURE";
    /// The signing key can be used by others, or its file holds no key.
    KeyFile = 609, family Storage, result 6, "PK_E_KEY_FILE";
    /// A manifest or a segment of an archive is not what was archived.
    Archive = 610, family Storage, result 6, "PK_E_ARCHIVE";
    /// A journal no longer holds what was merged from it: it was cut, replaced or rewritten.
    AuditContradicted = 620, family Storage, result 6, "PK_E_AUDIT_CONTRADICTED";
    /// Another process is merging this store's journals; stop it or wait.
    AuditInUse = 621, family Lock, result 2, "PK_E_AUDIT_IN_USE";
    /// The aggregated audit log was changed or is damaged; `store audit --verify` says where.
    AuditLog = 622, family Storage, result 6, "PK_E_AUDIT_LOG";
    /// The journals of a store do not fit together: what one took, another did not let go, or twice.
    TransferContradicted = 623, family Storage, result 6, "PK_E_TRANSFER_CONTRADICTED";
    /// The store's log holds writes that are not in their journals yet; open the store once.
    StoreUnsettled = 611, family Storage, result 6, "PK_E_STORE_UNSETTLED";
    /// A shared file or folder of the store is not what it must be; look at it and move it away.
    SharedFile = 615, family Storage, result 6, "PK_E_SHARED_FILE";
    /// A file operation failed; the facts name the file and the cause.
    Io = 701, family Storage, result 7, "PK_E_IO";
    /// No space for new work; free some, what is open can still be completed.
    NoSpace = 702, family Storage, result 7, "PK_E_NO_SPACE";
    /// The commit was under way when the disk failed; reopen the terminal to learn whether it is in.
    OutcomeUnknown = 703, family Storage, result 7, "PK_E_OUTCOME_UNKNOWN";
    /// An earlier disk failure ended this terminal; close it and open it again.
    Poisoned = 704, family Storage, result 7, "PK_E_POISONED";
    /// The idempotency key was used for something else; use a new key for a new call.
    IdempotencyMismatch = 801, family State, result 8, "PK_E_IDEMPOTENCY_MISMATCH";
    /// A fault of ours was caught at the border; the terminal reopens from its journal.
    Panic = 901, family Internal, result 255, "PK_E_PANIC";
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::HashSet;

    #[test]
    fn numbers_and_names_are_unique() {
        let numbers: HashSet<i32> = Code::ALL.iter().map(|code| *code as i32).collect();
        let names: HashSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(numbers.len(), Code::ALL.len());
        assert_eq!(names.len(), Code::ALL.len());
        assert!(names.iter().all(|name| name.starts_with("PK_E_")));
    }
}

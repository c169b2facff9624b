/**
 * The facts of each error code: the values behind the sentence, so that a host can make its own.
 * A field that may be absent is one that not every place that raises the code knows.
 */

/** The owner of a terminal, as its owner record tells it. */
export interface OwnerFacts {
  /** Process id. */
  readonly pid: number
  /** When that process started, in clock ticks since boot; 0 when unknown. */
  readonly processStart: number
  /** Boot of the machine; empty when unknown. */
  readonly bootId: string
  /** Host name. */
  readonly host: string
  /** Kernel version. */
  readonly version: string
  /** Version of the host layer. */
  readonly hostVersion: string | null
  /** Owner epoch in the journal. */
  readonly epoch: number
  /** When the terminal was opened, ISO 8601 in UTC. */
  readonly openedAt: string
  /** The owner has closed the terminal. */
  readonly released: boolean
}

/** Who has a terminal. */
export interface InUseFacts {
  /** Terminal id. */
  readonly terminal: string
  /** The owner; absent when its record cannot be read. */
  readonly owner?: OwnerFacts
  /** The client of a kernel service that uses it. */
  readonly holder?: PeerFacts
}

/** A process at the other end of a socket, as the system tells it. */
export interface PeerFacts {
  /** Process id; null where the system does not tell. */
  readonly pid: number | null
  /** User id; null where the system does not tell. */
  readonly uid: number | null
}

/** What a kernel service does not allow. */
export interface AllowedFacts {
  /** The user. */
  readonly uid?: number
  /** Users who may come in, or terminals that are served. */
  readonly allowed?: readonly (number | string)[]
  /** The socket that the user may not open. */
  readonly socket?: string
  /** The terminal that is not served. */
  readonly terminal?: string
  /** The method that clients may not call. */
  readonly method?: string
}

/** A kernel service that runs already. */
export interface ServiceInUseFacts {
  /** Its socket. */
  readonly socket: string
  /** Its process; null when its lock does not tell. */
  readonly pid: number | null
}

/** A kernel service that does not answer. */
export interface ServiceFacts {
  /** The socket. */
  readonly socket: string
  /** What the system said. */
  readonly cause: string
  /** Its number of that. */
  readonly osCode: number | null
}

/** What a platform cannot do. */
export interface UnsupportedFacts {
  /** What it is. */
  readonly what: string
}

/** What came over a socket and is not of the protocol. */
export interface FrameFacts {
  /** What was found. */
  readonly found?: string
  /** Bytes of the frame. */
  readonly bytes?: number
  /** Bytes that it may have. */
  readonly limit?: number
  /** Its kind. */
  readonly kind?: number
}

/** Two versions that do not go together. */
export interface ProtocolFacts {
  /** `protocol` or `package`. */
  readonly what: string
  /** That of the client. */
  readonly client: string
  /** That of the service. */
  readonly service: string
}

/** How a terminal ends. */
export interface ShuttingDownFacts extends TerminalFacts {
  /** Why. */
  readonly reason: string
  /** Until when what is open may be finished, ISO 8601 in UTC. */
  readonly until: string
  /** The terminal that asked for it; absent when its own host did. */
  readonly by?: string
}

/** Versions of a system configuration. */
export interface ConfigVersionFacts {
  /** The version that was refused. */
  readonly version: number
  /** The one that is in force. */
  readonly inForce: number
}

/** A full inbox. */
export interface InboxFacts extends TerminalFacts {
  /** `messages` or `bytes`. */
  readonly what: string
  /** How many it would have been. */
  readonly value: number
  /** How many may wait. */
  readonly limit: number
}

/** The lock of an operation. */
export interface OperationFacts {
  /** Name of the lock. */
  readonly name: string
  /** Its holder; absent when its record cannot be read. */
  readonly owner?: {
    /** Who it says that it is. */
    readonly owner: string
    /** Process id. */
    readonly pid: number
    /** Since when, ISO 8601 in UTC. */
    readonly since: string
  }
}

/** What is wrong with a message. */
export interface MessageFacts {
  /** Id of the message. */
  readonly id?: string
  /** Its kind. */
  readonly kind?: string
  /** What was found. */
  readonly found: string
}

/** Something in a shared folder. */
export interface SharedFileFacts {
  /** Where. */
  readonly path: string
  /** What was found. */
  readonly found: string
}

/** Who has a store. */
export interface StoreInUseFacts {
  /** Root folder of the store. */
  readonly root: string
  /** Process that has it open; absent while another one recovers it. */
  readonly pid?: number
}

/** A terminal. */
export interface TerminalFacts {
  /** Terminal id. */
  readonly terminal: string
}

/** A sale. */
export interface SaleFacts {
  /** Number of the sale. */
  readonly sale: number
}

/** A line of a sale. */
export interface LineFacts extends SaleFacts {
  /** Line number. */
  readonly line: number
}

/** A line and a live line that belongs to it. */
export interface LineChildFacts extends LineFacts {
  /** Number of the line that belongs to it. */
  readonly child: number
}

/** A return of more than is left of what was sold. */
export interface RefundFacts {
  /** The quantity that was to come back. */
  readonly value: string
  /** The quantity that was sold. */
  readonly sold: string
  /** The quantity that has not come back yet. */
  readonly left: string
}

/** A rate, a percentage or an exchange rate that is refused. */
export interface RateFacts {
  /** What was given: a decimal, or a count of parts per million. */
  readonly value: string | number
  /** Which argument. */
  readonly what?: string
  /** The largest rate there is, in parts per million. */
  readonly limit?: number
  /** Class of the tax that stands twice. */
  readonly class?: string
  /** Units that the exchange rate is for. */
  readonly per?: number
  /** Currency of the exchange rate. */
  readonly currency?: string
}

/** A rule of a policy that is refused. */
export interface PolicyFacts {
  /** Which rule. */
  readonly what?: string
  /** What was given. */
  readonly value?: string | number
  /** The least that it may be. */
  readonly least?: number
  /** The most that it may be. */
  readonly most?: number
}

/** A code that says all there is. */
export type NoFacts = Readonly<Record<string, never>>

/** A sale that is suspended. */
export interface SuspendedFacts extends SaleFacts {
  /** What it is resumed by. */
  readonly ticket: string
}

/** A ticket that is used up. */
export interface ResumedFacts {
  /** The ticket. */
  readonly ticket: string
  /** Terminal where its sale went on. */
  readonly terminal: string
}

/** What the C interface alone is refused for. */
export type BorderFacts = Readonly<Record<string, unknown>>

/** A tender of a sale. */
export interface TenderFacts extends SaleFacts {
  /** Tender number. */
  readonly tender: number
}

/** A tender and where it stands. */
export interface TenderStateFacts extends TenderFacts {
  /** Where it stands. */
  readonly state: string
}

/** A sale that is not paid for, in minor units. */
export interface UnderpaidFacts extends SaleFacts {
  /** What the sale comes to. */
  readonly gross: number
  /** What was tendered and confirmed. */
  readonly tendered: number
  /** What is still due; negative when it is to be paid out. */
  readonly due: number
}

/** What was looked for and is not there. */
export interface NotFoundFacts {
  /** Number of a sale. */
  readonly sale?: number
  /** Number of a line. */
  readonly line?: number
  /** Number of a tender. */
  readonly tender?: number
  /** Number of a receipt. */
  readonly receipt?: number
  /** Number of an approval. */
  readonly approval?: number
  /** Sequence of a record. */
  readonly record?: number
  /** Sequence that was waited for. */
  readonly sequence?: number
  /** Terminal id. */
  readonly terminal?: string
  /** Folder that was looked in. */
  readonly path?: string
}

/** A text that is refused. */
export interface TextFacts {
  /** Which text. */
  readonly what: string
  /** How many bytes it has. */
  readonly bytes?: number
  /** How many it may have. */
  readonly limit?: number
  /** The text, shortened. */
  readonly value?: string
}

/** A terminal id that is none. */
export interface IdFacts {
  /** The id as it was given; absent when none was. */
  readonly value?: string
  /** How many bytes it may have. */
  readonly limit?: number
}

/** An argument that is missing, or of the wrong type or value. */
export interface ArgumentFacts {
  /** Which one. */
  readonly argument?: string
  /** Which text, where a text stands for the argument. */
  readonly what?: string
  /** What was given, shortened. */
  readonly value?: unknown
  /** What is wanted. */
  readonly expected?: string
  /** The names or values that there are. */
  readonly allowed?: readonly string[]
  /** The range that there is. */
  readonly range?: string
  /** Line of the script. */
  readonly line?: number
  /** Name of the rule table that the argument is for. */
  readonly table?: string
}

/** A rule of the till that refuses a line or a tender. */
export interface RuleFacts extends SaleFacts {
  /** Name of the table. */
  readonly table: string
  /** Id of the row. */
  readonly rule: string
  /** What the table says to the cashier, where it says anything. */
  readonly reason?: string
}

/** What needs an approval; the rule is named where one wants it. */
export interface ApprovalFacts extends SaleFacts, Partial<Omit<RuleFacts, 'sale'>> {}

/** A rule table that is refused, and where. Lines, fields and rows count from 1. */
export interface RuleTableFacts {
  /** Name of the table, where it is known. */
  readonly table?: string
  /** Line of the file. */
  readonly line?: number
  /** Field of the line in CSV, character of the line in JSON. */
  readonly field?: number
  /** Row of the table. */
  readonly row?: number
  /** Name of the column. */
  readonly column?: string
  /** Ids of two rows that contradict each other. */
  readonly rows?: readonly string[]
  /** How many such pairs there are. */
  readonly contradictions?: number
}

/** A configuration file. */
export interface ConfigFacts {
  /** The file. */
  readonly path: string
}

/** A limit that is reached. */
export interface LimitFacts {
  /** What has the limit. */
  readonly what?: string
  /** How much it would be. */
  readonly value: number
  /** How much it may be. */
  readonly limit: number
}

/** A currency, a quantity or a price as it was given. */
export interface ValueFacts {
  /** What was given. */
  readonly value: string
  /** Which argument. */
  readonly what?: string
  /** Line number, where a line's quantity cannot become this. */
  readonly line?: number
}

/** An amount that does not fit. */
export interface AmountFacts {
  /** The amount; as digits when it is no safe integer. */
  readonly value: number | string
  /** Which argument. */
  readonly what?: string
  /** What is due, where that decides. */
  readonly due?: number
  /** Number of the sale, where it is a tender's amount. */
  readonly sale?: number
  /** The largest amount that there may be here; as digits when it is no safe integer. */
  readonly limit?: number | string
}

/** An amount beyond the safe integers. */
export interface OverflowFacts extends AmountFacts {
  /** The largest amount there is. */
  readonly limit: number
}

/** Where a journal is damaged. */
export interface DamageFacts {
  /** Segment. */
  readonly segment?: number
  /** Byte offset in it. */
  readonly offset?: number
  /** Sequence there. */
  readonly sequence?: number
  /** Newest sequence that was durable. */
  readonly durableSequence?: number
  /** How many good records follow. */
  readonly goodRecordsAfter?: number
  /** What was found. */
  readonly found?: string
}

/** A version that is not known. */
export interface VersionFacts {
  /** The version that was found. */
  readonly found?: number
  /** The newest that is known. */
  readonly known?: number
  /** Sequence of the record. */
  readonly sequence?: number
}

/** A file operation and why it failed. */
export interface FileFacts {
  /** The operation. */
  readonly operation?: string
  /** The file. */
  readonly path?: string
  /** The cause in words. */
  readonly cause?: string
  /** The operating system's code. */
  readonly osCode?: number | string | null
}

/** Room that is missing. */
export interface SpaceFacts extends FileFacts {
  /** How many bytes the next segment needs. */
  readonly segmentBytes?: number
}

/** An idempotency key that was used for something else. */
export interface KeyFacts {
  /** The key. */
  readonly key: string
  /** Sequence of the record that it made. */
  readonly sequence: number
}

/** A fault of the kernel. */
export interface FaultFacts {
  /** What is known about it. */
  readonly cause?: string
}

/** Who is signed on, and who was meant. */
export interface OperatorFacts {
  /** Who was meant; absent when anybody would have done. */
  readonly operator?: string
  /** Who is signed on. */
  readonly signedOn?: string | null
}

/** A shift. */
export interface ShiftFacts {
  /** Number of the shift. */
  readonly shift: number
}

/** Sales that are in the way. */
export interface OpenSalesFacts {
  /** Their numbers. */
  readonly sales: readonly number[]
}

/** An approval that cannot be used. */
export interface UsedApprovalFacts {
  /** Its number. */
  readonly approval: number
}

/** A kind of closing. */
export interface PeriodFacts {
  /** `day`, `month` or `year`. */
  readonly kind: string
}

/** Where a logic table is at fault. */
export interface PlaFacts {
  /** Line of the text, from 1. */
  readonly line?: number
  /** Column in bytes, from 1. */
  readonly column?: number
  /** Line of a row that says the opposite. */
  readonly otherLine?: number
  /** Row of a typed table, such as `f[2]`. */
  readonly row?: string
  /** Row of a typed table that says the opposite. */
  readonly otherRow?: string
}

/** What ended a minimisation before there was an answer. */
export interface NoAnswerFacts {
  /**
   * `time`, `memory`, `signal`, or `offRows` when the rows asked for are too many; of an isolated run
   * `wallTime`, `cpuTime`, `workerMemory`, `worker` when that ended, `workers` when all are busy.
   */
  readonly what: string
  /** The limit, in milliseconds or bytes. */
  readonly limit?: number
  /** How the worker ended. */
  readonly cause?: string
}

/** A signature, a key, or an archive. */
export interface ProofFacts {
  /** The receipt whose signature it is. */
  readonly receipt?: number
  /** The segment. */
  readonly segment?: number
  /** The key file. */
  readonly path?: string
  /** The permissions of the key file, three octal digits. */
  readonly mode?: string
}

/** How the terminals of a bank stand. */
export interface BankFacts {
  /** State of each terminal, by id. */
  readonly terminals: Readonly<Record<string, string>>
}

/** The log of a store's audit, or a journal that it was merged from. */
export interface AuditFacts {
  /** The file. */
  readonly path?: string
  /** The line that does not follow the one before it. */
  readonly line?: number
  /** The byte at which it begins. */
  readonly offset?: number
}

/** The facts of each code. */
export interface ErrorFacts {
  /** What was looked for. */
  readonly PK_E_NOT_FOUND: NotFoundFacts
  /** The terminal that is closed. */
  readonly PK_E_CLOSED: TerminalFacts
  /** The sale that is over. */
  readonly PK_E_ALREADY_FINAL: SaleFacts
  /** What is missing. */
  readonly PK_E_UNDERPAID: UnderpaidFacts
  /** The tender whose outcome is not known. */
  readonly PK_E_PENDING_TENDER: TenderFacts
  /** A live tender of the sale. */
  readonly PK_E_TENDER_TAKEN: TenderFacts
  /** The sale that is covered. */
  readonly PK_E_NOTHING_DUE: SaleFacts
  /** The sale without a live line. */
  readonly PK_E_EMPTY_SALE: SaleFacts
  /** The line that is voided already. */
  readonly PK_E_LINE_VOIDED: LineFacts
  /** The line, and one that belongs to it. */
  readonly PK_E_LINE_HAS_CHILDREN: LineChildFacts
  /** The quantity, what was sold and what is left. */
  readonly PK_E_REFUND_EXCEEDS: RefundFacts
  /** Nothing but the code. */
  readonly PK_E_MIXED_RETURNS: NoFacts
  /** The sale that a return without its receipt was meant for. */
  readonly PK_E_UNBOUND_RETURN: SaleFacts
  /** The sale that waits, and the ticket that it waits for. */
  readonly PK_E_SUSPENDED: SuspendedFacts
  /** The ticket, and the terminal where its sale went on. */
  readonly PK_E_ALREADY_RESUMED: ResumedFacts
  /** The ticket, and a terminal whose journal says where its cash is. */
  readonly PK_E_ALREADY_RECEIVED: ResumedFacts
  /** How each terminal of the bank stands. */
  readonly PK_E_NO_TERMINAL: BankFacts
  /** Who is signed on, and who was meant. */
  readonly PK_E_NOT_SIGNED_ON: OperatorFacts
  /** Who is signed on. */
  readonly PK_E_SIGNED_ON: OperatorFacts
  /** Nothing more to know. */
  readonly PK_E_SHIFT_CLOSED: NoFacts
  /** The shift that is open. */
  readonly PK_E_SHIFT_OPEN: ShiftFacts
  /** The sales that are open, or hold cash. */
  readonly PK_E_OPEN_SALES: OpenSalesFacts
  /** The approval that was used, or lapsed. */
  readonly PK_E_APPROVAL_USED: UsedApprovalFacts
  /** The kind of closing that holds nothing. */
  readonly PK_E_NOTHING_TO_CLOSE: PeriodFacts
  /** Nothing more to know. */
  readonly PK_E_TRAINING: NoFacts
  /** What needs an approval, and the rule that wants it. */
  readonly PK_E_APPROVAL_REQUIRED: ApprovalFacts
  /** The rule that refuses. */
  readonly PK_E_RULE_REFUSED: RuleFacts
  /** Why, until when, and who asked for it. */
  readonly PK_E_SHUTTING_DOWN: ShuttingDownFacts
  /** The version given, and the one that is in force. */
  readonly PK_E_CONFIG_VERSION: ConfigVersionFacts
  /** Whose inbox, and which limit. */
  readonly PK_E_INBOX_FULL: InboxFacts
  /** Which lock, and what its holder says of itself. */
  readonly PK_E_OPERATION_LOCKED: OperationFacts
  /** Which message, and what is wrong with it. */
  readonly PK_E_BAD_MESSAGE: MessageFacts
  /** The file or folder, and what stands there. */
  readonly PK_E_SHARED_FILE: SharedFileFacts
  /** The rate as it was given. */
  readonly PK_E_BAD_RATE: RateFacts
  /** Which rule, and its value. */
  readonly PK_E_BAD_POLICY: PolicyFacts
  /** Of the C interface: which text. */
  readonly PK_E_BAD_UTF8: BorderFacts
  /** Of the C interface: the size that was given and those that are known. */
  readonly PK_E_STRUCT_SIZE: BorderFacts
  /** Of the C interface: the length that is needed. */
  readonly PK_E_BUFFER_TOO_SMALL: BorderFacts
  /** The tender and the state it is in. */
  readonly PK_E_TENDER_STATE: TenderStateFacts
  /** The sale that is still open. */
  readonly PK_E_STILL_OPEN: SaleFacts
  /** Who has the terminal. */
  readonly PK_E_TERMINAL_IN_USE: InUseFacts
  /** Who has the store. */
  readonly PK_E_STORE_IN_USE: StoreInUseFacts
  /** Who or what is not allowed. */
  readonly PK_E_NOT_ALLOWED: AllowedFacts
  /** Which process serves there. */
  readonly PK_E_SERVICE_IN_USE: ServiceInUseFacts
  /** Which socket nobody answers at. */
  readonly PK_E_SERVICE_DOWN: ServiceFacts
  /** What the platform cannot do. */
  readonly PK_E_UNSUPPORTED: UnsupportedFacts
  /** What came over the socket. */
  readonly PK_E_BAD_FRAME: FrameFacts
  /** The two versions. */
  readonly PK_E_PROTOCOL_VERSION: ProtocolFacts
  /** Which text, how long it is, how long it may be. */
  readonly PK_E_BAD_TEXT: TextFacts
  /** The id. */
  readonly PK_E_BAD_ID: IdFacts
  /** Which argument, what was given, what is wanted. */
  readonly PK_E_BAD_ARGUMENT: ArgumentFacts
  /** The file. */
  readonly PK_E_BAD_CONFIG: ConfigFacts
  /** How long the key is and may be. */
  readonly PK_E_BAD_KEY: TextFacts
  /** What reached which limit. */
  readonly PK_E_LIMIT: LimitFacts
  /** Where in the table, and what contradicts what. */
  readonly PK_E_BAD_RULES: RuleTableFacts
  /** The currency as it was given. */
  readonly PK_E_BAD_CURRENCY: ValueFacts
  /** The amount, and what is due. */
  readonly PK_E_BAD_AMOUNT: AmountFacts
  /** The quantity as it was given. */
  readonly PK_E_BAD_QUANTITY: ValueFacts
  /** The price as it was given. */
  readonly PK_E_BAD_PRICE: ValueFacts
  /** The amount and the largest there is. */
  readonly PK_E_OVERFLOW: OverflowFacts
  /** Where the damage is. */
  readonly PK_E_CORRUPT: DamageFacts
  /** Where the chain breaks. */
  readonly PK_E_CHAIN_BROKEN: DamageFacts
  /** The version that was found. */
  readonly PK_E_VERSION: VersionFacts
  /** The record and what it contradicts. */
  readonly PK_E_INCONSISTENT: DamageFacts
  /** The segment that is missing. */
  readonly PK_E_MISSING_SEGMENT: DamageFacts
  /** The segment whose mark is unreadable. */
  readonly PK_E_MARK: DamageFacts
  /** Where it was looked for. */
  readonly PK_E_ANCHOR_MISSING: DamageFacts
  /** The receipt whose signature does not hold. */
  readonly PK_E_SIGNATURE: ProofFacts
  /** The key file and its permissions. */
  readonly PK_E_KEY_FILE: ProofFacts
  /** The archived segment. */
  readonly PK_E_ARCHIVE: ProofFacts
  /** Nothing more is known. */
  readonly PK_E_SIGNER_DOWN: ProofFacts
  /** The first segment that is not sealed. */
  readonly PK_E_NOTHING_TO_ARCHIVE: ProofFacts
  /** Nothing more is known: a merge tells of it as a fault, with its place. */
  readonly PK_E_AUDIT_CONTRADICTED: AuditFacts
  /** The file whose lock another process has. */
  readonly PK_E_AUDIT_IN_USE: AuditFacts
  /** The log, and where it was changed. */
  readonly PK_E_AUDIT_LOG: AuditFacts
  /** Nothing more is known: a check tells of it as a problem, with its terminal and record. */
  readonly PK_E_TRANSFER_CONTRADICTED: AuditFacts
  /** The terminal whose journal is not complete yet. */
  readonly PK_E_STORE_UNSETTLED: TerminalFacts
  /** The operation, the file and the cause. */
  readonly PK_E_IO: FileFacts
  /** How much was wanted, or which file operation failed. */
  readonly PK_E_NO_SPACE: SpaceFacts
  /** The operation that failed. */
  readonly PK_E_OUTCOME_UNKNOWN: FileFacts
  /** The operation that failed earlier. */
  readonly PK_E_POISONED: FileFacts
  /** The key and the record that it made. */
  readonly PK_E_IDEMPOTENCY_MISMATCH: KeyFacts
  /** Where the table is at fault. */
  readonly PK_E_BAD_PLA: PlaFacts
  /** Which limit it was. */
  readonly PK_E_NO_ANSWER: NoAnswerFacts
  /** What is known about the fault. */
  readonly PK_E_PANIC: FaultFacts
}

/**
 * pos-kernel: a point-of-sale kernel that does not lose a sale.
 *
 * What lives here: the public names, re-exported, and nothing else. What must not: code, and any
 * name of the generated binding. Everything a host needs begins with `openTerminal`.
 *
 * Read `kernel/terminal.ts` first (opening, selling, closing), then `kernel/sale.ts` (one sale
 * operation by operation), `kernel/errors.ts` (what can be refused) and `kernel/inspect.ts`
 * (reading journals from outside), `service/connect.ts` (a terminal that another process has). `kernel/logic.ts`, the logic minimiser, stands by itself.
 *
 * @module pos-kernel
 */
export type {
  AdjustmentCall,
  AdjustmentInput,
  Adjustments,
  Applied,
  Share,
  Worth,
} from './kernel/adjustment.js'
export type {
  AdjustmentAnswer,
  Answer,
  LineAnswer,
  PolicyAnswer,
  ReceiptAnswer,
  SaleState,
  SaleSummary,
  SaleTotals,
  TenderAnswer,
  Totals,
  VoidAnswer,
} from './kernel/answers.js'
export { type ErrorCode, type ErrorCodeRow, type ErrorFamily, errorCodes } from './kernel/codes.js'
export type {
  ConfigInput,
  Configured,
  Coordination,
  Drain,
  Drained,
  DrainInput,
} from './kernel/coordination.js'
export type {
  CloseMessage,
  ErrorMessage,
  FactMessage,
  OpenMessage,
} from './kernel/diagnostics.js'
export {
  type BankLoad,
  type BankState,
  createDispatcher,
  type Dispatcher,
  type DrainAnswer,
  type DrainOptions,
} from './kernel/dispatcher.js'
export type {
  ApprovalAnswer,
  ApprovalInput,
  CashAmount,
  CashInput,
  CountAnswer,
  CountInput,
  DrawerSum,
  OperatorInput,
  ReprintAnswer,
  ReprintInput,
  Shift,
  ShiftAnswer,
  ShiftClosedAnswer,
  ShiftInput,
  TrainingInput,
} from './kernel/drawer.js'
export {
  type BindingFacts,
  BindingLoadError,
  type ErrorJson,
  InputError,
  InternalError,
  isPosError,
  LockError,
  MoneyError,
  PosError,
  SaleStateError,
  StorageError,
} from './kernel/errors.js'
export {
  type Business,
  type ExportedFile,
  type ExportFormat,
  type ExportOptions,
  exportJournal,
  type JournalExport,
} from './kernel/export.js'
export { type ExportLine, type ExportLinesOptions, exportLines } from './kernel/export-lines.js'
export type {
  AllowedFacts,
  AmountFacts,
  ApprovalFacts,
  ArgumentFacts,
  AuditFacts,
  BankFacts,
  BorderFacts,
  ConfigFacts,
  ConfigVersionFacts,
  DamageFacts,
  ErrorFacts,
  FaultFacts,
  FileFacts,
  FrameFacts,
  IdFacts,
  InboxFacts,
  InUseFacts,
  KeyFacts,
  LimitFacts,
  LineChildFacts,
  LineFacts,
  MessageFacts,
  NoAnswerFacts,
  NoFacts,
  NotFoundFacts,
  OpenSalesFacts,
  OperationFacts,
  OperatorFacts,
  OverflowFacts,
  OwnerFacts,
  PeerFacts,
  PeriodFacts,
  PlaFacts,
  PolicyFacts,
  ProofFacts,
  ProtocolFacts,
  RateFacts,
  RefundFacts,
  ResumedFacts,
  RuleFacts,
  RuleTableFacts,
  SaleFacts,
  ServiceFacts,
  ServiceInUseFacts,
  SharedFileFacts,
  ShiftFacts,
  ShuttingDownFacts,
  SpaceFacts,
  StoreInUseFacts,
  SuspendedFacts,
  TenderFacts,
  TenderStateFacts,
  TerminalFacts,
  TextFacts,
  UnderpaidFacts,
  UnsupportedFacts,
  UsedApprovalFacts,
  ValueFacts,
  VersionFacts,
} from './kernel/facts.js'
export type {
  Expiry,
  ExpiryAnswer,
  SuspendAnswer,
  TakenOver,
  WaitingSale,
} from './kernel/handover.js'
export type { Approved, Keyed, Reasoned } from './kernel/input.js'
export {
  type ArchivedReport,
  type DecodedRecord,
  type InspectOptions,
  inspectJournal,
  type JournalRecord,
  type ListedSale,
  listSales,
  listTerminals,
  type SigningReport,
  type TerminalReport,
  type UnreadableSegment,
  type VerifyOptions,
  type VerifyProblem,
  type VerifyProgress,
  type VerifyReport,
  type Versions,
  verifyStore,
  versions,
} from './kernel/inspect.js'
export {
  type Ended,
  type JoinOptions,
  joinStore,
  type Membership,
} from './kernel/join-store.js'
export {
  type Isolation,
  type Literals,
  type Minimized,
  type MinimizedLayout,
  type MinimizeMode,
  type MinimizeOptions,
  type MinimizePhase,
  type MinimizeProgress,
  type MinimizeSyncOptions,
  minimize,
  minimizeSync,
  type PlaType,
} from './kernel/logic.js'
export {
  LogicCover,
  type LogicLayout,
  type LogicRow,
  type LogicTable,
} from './kernel/logic-table.js'
export {
  type ConfigureInput,
  type ConfigureReport,
  configureStore,
  type StoreShutdownInput,
  type StoreShutdownReport,
  shutDownStore,
} from './kernel/manage-store.js'
export type {
  Announcement,
  Letter,
  Message,
  MessageHandler,
  Messages,
  Sent,
  SentToAll,
} from './kernel/messages.js'
export type { Decimal } from './kernel/money.js'
export { type OperationLockOptions, withOperationLock } from './kernel/operation-lock.js'
export type {
  CashRounding,
  GrossSplit,
  Policy,
  PolicyInput,
  Prices,
  Rounding,
  TaxScope,
  UnboundReturns,
} from './kernel/policy.js'
export type {
  Anchor,
  AnchorOptions,
  ArchiveManifest,
  ArchiveOptions,
  ArchiveReport,
  Proof,
  ReceiptSignature,
  SigningDevice,
  SigningState,
  UnsignedReceipt,
} from './kernel/proof.js'
export type {
  Circle,
  ForeignMoney,
  LineKind,
  Perpetual,
  Receipt,
  ReceiptLine,
  ReceiptTender,
  SoldAt,
  TenderKind,
  TenderState,
} from './kernel/receipt.js'
export type {
  PeriodAnswer,
  PeriodInput,
  PeriodKind,
  Report,
  ReportAnswer,
  ReportCounters,
  Takings,
  TenderSum,
  Turnover,
} from './kernel/report.js'
export type { BeginReturnInput, ReturnInput, ReturnsOf } from './kernel/returns.js'
export {
  type Attributes,
  compileRules,
  compileRulesSync,
  type ExplainedAnswer,
  type HitPolicy,
  type RuleAnswer,
  type RuleContradiction,
  type RuleExplanation,
  type RuleGap,
  type RuleInput,
  type RuleReport,
  type Rules,
  type RulesAnswer,
  type RulesInForce,
  type RuleValue,
  type ShadowedRule,
} from './kernel/rules.js'
export type { Sale } from './kernel/sale.js'
export type {
  BeginInput,
  Cart,
  CartTender,
  Confirmed,
  LineInput,
  LineVoid,
  PriceOverride,
  TenderInput,
} from './kernel/sale-input.js'
export {
  type BroughtIn,
  type OpenStoreOptions,
  openStore,
  openStoreSync,
  Store,
  type StoreRecovery,
  type StoreStats,
  type StoreTerminalOptions,
} from './kernel/store.js'
export {
  type AuditCheck,
  type AuditCheckOptions,
  type AuditedTerminal,
  type AuditFault,
  type AuditHead,
  type AuditLineProblem,
  type AuditMerge,
  type AuditOptions,
  type AuditProgress,
  auditStore,
  auditStoreSync,
  checkStoreAudit,
  checkStoreAuditSync,
  type FollowOptions,
  followStoreAudit,
  type OnItsWay,
  reportStore,
  reportStoreSync,
  type StoreOptions,
  type StoreReport,
  type StoreReportKind,
  type StoreReportOptions,
  type StoreSums,
  type StoreTax,
  type StoreTenders,
  type StoreTransfers,
  type TransferFault,
  type TransferProblem,
} from './kernel/store-audit.js'
export {
  type Acknowledgement,
  acknowledgements,
  type ShutdownSignal,
  type StoreTerminal,
  type SystemConfig,
  storeConfig,
  storeShutdown,
  storeTerminals,
  type TerminalState,
} from './kernel/store-state.js'
export type { LineTax, Tax, TaxInput, TaxRow, TaxTotals } from './kernel/tax.js'
export {
  type Attendance,
  type Counters,
  type CutTail,
  type Durability,
  type FlushCounts,
  openTerminal,
  openTerminalSync,
  type PreviousOwner,
  type RecoveryReport,
  type Terminal,
  type TerminalOptions,
  type TerminalStats,
  type TerminalStatus,
} from './kernel/terminal.js'
export type {
  CashInTransit,
  CashReceived,
  CashTicket,
  SendCashInput,
} from './kernel/transfers.js'
export { type ConnectOptions, connectTerminal, connectTerminalSync } from './service/connect.js'
export { type KernelService, type ServeOptions, serveStore } from './service/serve.js'
export type { ServedOptions } from './service/served-terminals.js'

//! Sending and receiving, as far as the journal has a part in it.
//!
//! ```text
//! send    number given out -> own kinds: MessageSent, durable -> the message in its inbox, durable
//! accept  look again -> MessageReceived, durable -> the file moves to done
//! ```
//! One message of a terminal is sent at a time, so that a higher number never overtakes a lower one;
//! and accepting one accepts no later one of the same sender before it.

use super::{Terminal, TerminalId, terminal_dir};
use crate::code::Code;
use crate::coordination::terminals;
use crate::error::{Error, Result};
use crate::journal::{Fact, Hash, MessageReceived, MessageSent};
use crate::limits::{ACCEPTED_MAX, SEGMENT_BYTES_PER_SENDER, SENDERS_MAX};
use crate::messages::{
    Bell, Found, Inbox, Message, MessageName, bad_id, broadcast, deliver, finish_broadcasts,
    is_own_kind,
};
use serde_json::Value;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const NS_PER_MS: u64 = 1_000_000;
/// Received messages after which older ones are looked for.
const TIDY_EVERY: u64 = 128;
/// Whoever waits for a message sees so soon that the terminal was closed.
const HEARS_CLOSE: Duration = Duration::from_millis(250);
/// A folder on another machine's disk may tell of nothing: it is looked into all the same.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A message to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing<'a> {
    /// One of the kernel's kinds, or `x.` and a name.
    pub kind: &'a str,
    /// What it says.
    pub body: Value,
    /// Milliseconds after which it is worth nothing any more.
    pub ttl_ms: Option<u64>,
}

/// A message that went to all others.
#[derive(Debug, Clone, PartialEq)]
pub struct Broadcast {
    /// The message.
    pub message: Message,
    /// The terminals whose inboxes have it.
    pub sent: Vec<String>,
    /// The terminals whose inboxes would not take it, and why.
    pub refused: Vec<(String, Error)>,
}

impl Terminal {
    /// Sends a message to a terminal of the same store, which need not be open. Durable when it
    /// returns: the terminal will receive it, once.
    ///
    /// # Errors
    /// `PK_E_BAD_ID`, `PK_E_NOT_FOUND` for a terminal that the store has not, `PK_E_BAD_MESSAGE`,
    /// `PK_E_LIMIT` (256 KiB), `PK_E_INBOX_FULL`, `PK_E_SHARED_FILE`, `PK_E_IO`, `PK_E_NO_SPACE`,
    /// `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`, `PK_E_CLOSED`.
    pub fn send(&self, to: &str, outgoing: Outgoing<'_>) -> Result<Message> {
        let to = TerminalId::parse(to)?;
        if !terminal_dir(self.store(), &to).is_dir() {
            let message = format!("there is no terminal {to} in {}", self.store().display());
            return Err(Error::new(Code::NotFound, message).with("terminal", to.as_str()));
        }
        let inbox = Inbox::make(self.store(), &to)?;
        let mut count = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, message, bytes) = self.compose(&mut count, Some(&to), outgoing)?;
        deliver(&inbox, &name, &bytes)?;
        Ok(message)
    }

    /// Sends a message to all other terminals of the store, open or not. Durable when it returns:
    /// those that it names as sent will receive it, once.
    ///
    /// # Errors
    /// As [`Self::send`]; an inbox that does not take it is told in the answer.
    pub fn broadcast(&self, outgoing: Outgoing<'_>) -> Result<Broadcast> {
        let to = self.others()?;
        let mut count = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, message, bytes) = self.compose(&mut count, None, outgoing)?;
        let (mut sent, mut refused) = (Vec::new(), Vec::new());
        for (to, outcome) in broadcast(self.store(), &name, &bytes, to)? {
            match outcome {
                Ok(()) => sent.push(to.as_str().to_owned()),
                Err(error) => refused.push((to.as_str().to_owned(), error)),
            }
        }
        Ok(Broadcast { message, sent, refused })
    }

    /// Gives a message its number and its bytes; one of the kernel's kinds is in the journal then.
    fn compose(
        &self,
        count: &mut u64,
        to: Option<&TerminalId>,
        outgoing: Outgoing<'_>,
    ) -> Result<(MessageName, Message, Vec<u8>)> {
        let mut core = self.lock()?;
        let stamp = core.hlc.stamp(&*self.clock);
        let name = MessageName::next(stamp.hlc, &self.id, self.recovery.epoch, *count + 1)?;
        let ttl_ns = outgoing.ttl_ms.map(|ms| i64::try_from(ms.saturating_mul(NS_PER_MS)));
        let ttl_ns = ttl_ns.map(|ns| ns.unwrap_or(i64::MAX));
        let message = Message {
            id: name.id(),
            from: self.id().to_owned(),
            to: to.map(|to| to.as_str().to_owned()),
            kind: outgoing.kind.to_owned(),
            sent_ns: to_ms(stamp.wall_ns),
            // As far as a moment can be written.
            expires_ns: ttl_ns.map(|ns| to_ms(stamp.wall_ns.saturating_add(ns))),
            body: outgoing.body,
        };
        let bytes = message.to_bytes()?;
        if Message::parse(&bytes).as_ref() != Ok(&message) {
            let found = "its body is nested too deeply, or its time to live is too long";
            let error = Error::new(Code::BadMessage, format!("a message cannot be sent: {found}"));
            return Err(error.with("kind", message.kind).with("found", found));
        }
        if is_own_kind(&message.kind) {
            let fact = Fact::from(MessageSent {
                id: message.id.clone(),
                to: message.to.clone(),
                kind: message.kind.clone(),
                hash: Hash(*blake3::hash(&bytes).as_bytes()),
            });
            let sequence = self.append(&mut core, &[fact], 0)?.last_sequence;
            drop(core);
            self.wait_durable(sequence)?;
        }
        *count += 1;
        Ok((name, message, bytes))
    }

    /// The messages that wait, in the order in which they have to be accepted, at most `most` of them.
    /// Nothing counts as received yet: whoever has done what a message asks accepts it. What cannot
    /// be received is moved to `dead`, with the reason.
    ///
    /// # Errors
    /// `PK_E_SHARED_FILE`, `PK_E_IO`, `PK_E_CLOSED`.
    pub fn receive(&self, most: usize) -> Result<Vec<Message>> {
        let received = self.lock()?.till.coordination.clone();
        let now_ns = self.clock.wall_ns();
        let inbox = Inbox::of(self.store(), &self.id);
        let mut waiting = Vec::new();
        let mut behind: Vec<TerminalId> = Vec::new();
        let mut buried = false;
        for name in inbox.waiting(now_ns)? {
            if waiting.len() == most {
                break;
            }
            if behind.contains(&name.from) {
                continue;
            }
            match inbox.look(&name, now_ns) {
                // It was received, and its file was not moved any more.
                Found::Message { .. } if received.has_received(name.from.as_str(), name.number) => {
                    inbox.done(&name)?;
                }
                Found::Message { message, .. } => waiting.push(message),
                Found::Newer => behind.push(name.from),
                Found::Dead(reason, found) => {
                    inbox.bury(name.file().into(), reason, &found, now_ns)?;
                    buried = true;
                }
                Found::Gone => {}
            }
        }
        if buried {
            inbox.prune_dead()?;
        }
        Ok(waiting)
    }

    /// Waits until a message can be received, or the time is over: then it says false. Whoever puts a
    /// message into the inbox wakes it, where the system tells of such things (Linux); elsewhere it
    /// looks twenty times a second. It blocks this thread alone.
    ///
    /// # Errors
    /// `PK_E_SHARED_FILE`, `PK_E_IO`; `PK_E_CLOSED` when the terminal is closed meanwhile.
    pub fn wait_for_message(&self, timeout: Duration) -> Result<bool> {
        let began = Instant::now();
        // It listens before it looks: what comes in between rings.
        let bell = Bell::of(&Inbox::make(self.store(), &self.id)?.new_dir());
        loop {
            if !self.receive(1)?.is_empty() {
                return Ok(true);
            }
            let looked = Instant::now();
            loop {
                drop(self.lock()?);
                let left = timeout.saturating_sub(began.elapsed());
                if left.is_zero() {
                    return Ok(false);
                }
                if bell.wait(left.min(HEARS_CLOSE)) || looked.elapsed() >= LOOK_AGAIN {
                    break;
                }
            }
        }
    }

    /// Accepts messages that [`Self::receive`] gave, up to 64 at once: from here on they are received.
    /// Durable when it returns, as one frame. Returns how many were new; one that was accepted before
    /// counts no second time.
    ///
    /// # Errors
    /// `PK_E_BAD_MESSAGE` for what is no id, or no message; `PK_E_NOT_FOUND` for one that does not
    /// wait; `PK_E_BAD_ARGUMENT` for more than 64, or one before an earlier one of its sender;
    /// `PK_E_LIMIT` for more senders than can be remembered; `PK_E_SHARED_FILE`, `PK_E_IO`, and those
    /// of any call.
    pub fn accept(&self, ids: &[&str]) -> Result<usize> {
        if ids.len() > ACCEPTED_MAX {
            return Err(Error::limit("messages accepted in one call", ids.len(), ACCEPTED_MAX));
        }
        let inbox = Inbox::of(self.store(), &self.id);
        let names = ids.iter().map(|id| MessageName::of_id(id).ok_or_else(|| bad_id(id)));
        let mut names = names.collect::<Result<Vec<_>>>()?;
        names.sort_unstable_by(|a, b| (&a.from, a.number).cmp(&(&b.from, b.number)));
        names.dedup();
        let waiting = inbox.waiting(self.clock.wall_ns())?;
        let senders_max =
            SENDERS_MAX.min(self.wal.segment_bytes() as usize / SEGMENT_BYTES_PER_SENDER);
        let mut core = self.lock()?;
        let mut after = core.till.coordination.clone();
        let mut facts = Vec::new();
        for name in &names {
            let from = name.from.as_str();
            if after.has_received(from, name.number) {
                continue;
            }
            // An expired one was worth something when it was given.
            let (message, hash) = match inbox.look(name, i64::MIN) {
                Found::Message { message, hash } => (message, hash),
                Found::Gone => return Err(not_waiting(&name.id())),
                Found::Newer => return Err(unusable(&name.id(), "a newer version wrote it")),
                Found::Dead(_, found) => return Err(unusable(&name.id(), &found)),
            };
            let earlier = waiting.iter().find(|other| {
                other.from == name.from
                    && other.number < name.number
                    && !after.has_received(from, other.number)
            });
            if let Some(earlier) = earlier {
                return Err(too_early(&name.id(), &earlier.id()));
            }
            after.may_receive(from, senders_max)?;
            after.received.insert(from.to_owned(), name.number);
            facts.push(Fact::from(MessageReceived {
                id: message.id,
                from: message.from,
                number: name.number,
                kind: message.kind,
                hash: Hash(hash),
            }));
        }
        if !facts.is_empty() {
            let sequence = self.append(&mut core, &facts, 0)?.last_sequence;
            drop(core);
            self.wait_durable(sequence)?;
        }
        names.iter().try_for_each(|name| inbox.done(name))?;
        let new = facts.len() as u64;
        let before = self.accepted.fetch_add(new, Ordering::Relaxed);
        if before / TIDY_EVERY != (before + new) / TIDY_EVERY {
            inbox.tidy()?;
        }
        Ok(facts.len())
    }

    /// Gives a message up: it is moved to `dead`, with this reason, and is not received.
    ///
    /// # Errors
    /// `PK_E_BAD_MESSAGE` for what is no id, `PK_E_BAD_TEXT`, `PK_E_SHARED_FILE`, `PK_E_IO`,
    /// `PK_E_CLOSED`.
    pub fn give_up(&self, id: &str, reason: &str) -> Result<()> {
        crate::sale::input::reason(reason)?;
        let name = MessageName::of_id(id).ok_or_else(|| bad_id(id))?;
        drop(self.lock()?);
        let inbox = Inbox::of(self.store(), &self.id);
        inbox.bury(name.file().into(), "refused", reason, self.clock.wall_ns())?;
        inbox.prune_dead()
    }

    fn others(&self) -> Result<Vec<TerminalId>> {
        let all = terminals(self.store())?.into_iter().map(|terminal| terminal.id);
        Ok(all.filter(|id| *id != self.id).collect())
    }

    /// What an owner before this one left undone.
    pub(super) fn finish_messages(&self) -> Result<()> {
        let inbox = Inbox::of(self.store(), &self.id);
        inbox.tidy()?;
        finish_broadcasts(self.store(), &self.id, || self.others())
    }
}

fn to_ms(wall_ns: i64) -> i64 {
    let ns = NS_PER_MS.cast_signed();
    wall_ns.div_euclid(ns) * ns
}

fn not_waiting(id: &str) -> Error {
    let message = format!("message {id} does not wait at this terminal");
    Error::new(Code::NotFound, message).with("id", id)
}

fn unusable(id: &str, found: &str) -> Error {
    let message = format!("message {id} cannot be accepted: {found}");
    Error::new(Code::BadMessage, message).with("id", id).with("found", found)
}

fn too_early(id: &str, earlier: &str) -> Error {
    let message = format!("message {id} cannot be accepted before {earlier} of the same sender");
    Error::new(Code::BadArgument, message).with("argument", "id").with("value", id)
}

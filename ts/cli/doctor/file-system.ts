/** The file system below a store: its type, its room, how long it takes to make bytes durable. */
import { type FileHandle, open, statfs } from 'node:fs/promises'
import path from 'node:path'
import { broken, type Check, fine, reasonOf, risky } from './check.js'

/** Flushes that are timed. */
const FLUSHES = 32
/** A flush slower than this makes every acknowledged call slow enough to be felt. */
const SLOW_FLUSH_MS = 50
/** Room that a terminal needs for its segments, twice over. */
const ROOM_BYTES_MIN = 64 << 20
const BLOCK_BYTES = 4096

type Kind = 'local' | 'network' | 'memory' | 'unjournaled' | 'layer' | 'user'

/** Linux names a file system by a number; see `statfs(2)`. */
const linuxTypes: ReadonlyMap<number, readonly [string, Kind]> = new Map([
  [0xef53, ['ext4', 'local']],
  [0x58465342, ['xfs', 'local']],
  [0x9123683e, ['btrfs', 'local']],
  [0xf2f52010, ['f2fs', 'local']],
  [0x2fc12fc1, ['zfs', 'local']],
  [0xca451a4e, ['bcachefs', 'local']],
  [0x52654973, ['reiserfs', 'local']],
  [0x3153464a, ['jfs', 'local']],
  [0x01021994, ['tmpfs', 'memory']],
  [0x858458f6, ['ramfs', 'memory']],
  [0x794c7630, ['overlay', 'layer']],
  [0x4d44, ['vfat', 'unjournaled']],
  [0x2011bab0, ['exfat', 'unjournaled']],
  [0x6969, ['nfs', 'network']],
  [0x517b, ['smb', 'network']],
  [0xff534d42, ['cifs', 'network']],
  [0xfe534d42, ['smb2', 'network']],
  [0x5346414f, ['afs', 'network']],
  [0x00c36400, ['ceph', 'network']],
  [0x0bd00bd0, ['lustre', 'network']],
  [0x01021997, ['9p', 'network']],
  [0x65735546, ['fuse', 'user']],
])

const advice: Readonly<Record<Exclude<Kind, 'local'>, string>> = {
  network:
    'locks and flushes of a network file system are promises of another machine; put the store on a local disk',
  memory: 'everything is gone after a power cut; put the store on a disk',
  layer: 'this is the layer of a container and goes with it; mount a volume for the store',
  unjournaled:
    'a power cut can damage the folders themselves; use a journaling file system such as ext4 or xfs',
  user: 'whether flushes reach the device depends on the program behind it; prefer a local disk',
}

/** Names the file system and warns of those that cannot keep a promise. */
export async function checkType(folder: string): Promise<Check> {
  const name = 'file system'
  if (process.platform !== 'linux') return fine(name, `not looked up on ${process.platform}`)
  const { type } = await statfs(folder)
  const known = linuxTypes.get(type >>> 0)
  if (known === undefined) {
    const value = `unknown type 0x${(type >>> 0).toString(16)}`
    return risky(name, value, 'make sure that it is a local, journaling file system')
  }
  const [label, kind] = known
  return kind === 'local' ? fine(name, label) : risky(name, label, advice[kind])
}

/** Looks for room. */
export async function checkRoom(folder: string): Promise<Check> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const value = `${Math.floor(free / (1 << 20))} MiB free`
  return free >= ROOM_BYTES_MIN
    ? fine('room', value)
    : broken('room', value, `free ${ROOM_BYTES_MIN >> 20} MiB or more, or no new sale can begin`)
}

/** Times flushes of single blocks, as a journal makes them. */
export async function checkFlushes(folder: string): Promise<Check> {
  const name = 'disk flush'
  try {
    const file = await open(path.join(folder, 'flush'), 'wx')
    const times = await timeFlushes(file).finally(() => file.close())
    const median = times[times.length >> 1] ?? 0
    const worst = times.at(-1) ?? 0
    const value = `${shown(median)} median, ${shown(worst)} worst of ${FLUSHES}`
    return median < SLOW_FLUSH_MS
      ? fine(name, value)
      : risky(name, value, 'each acknowledged call waits this long; use a disk with faster flushes')
  } catch (error) {
    return broken(name, reasonOf(error), 'nothing can be made durable here; use another disk')
  }
}

async function timeFlushes(file: FileHandle): Promise<number[]> {
  const block = Buffer.alloc(BLOCK_BYTES, 0x5a)
  // Written over in place afterwards, as a segment is: growing would cost more than the flush.
  await file.write(Buffer.alloc(BLOCK_BYTES * FLUSHES))
  await file.sync()
  const times: number[] = []
  for (let index = 0; index < FLUSHES; index += 1) {
    await file.write(block, 0, BLOCK_BYTES, index * BLOCK_BYTES)
    const began = performance.now()
    await file.datasync()
    times.push(performance.now() - began)
  }
  return times.sort((a, b) => a - b)
}

function shown(ms: number): string {
  return ms < 1 ? `${Math.round(ms * 1000)} us` : `${ms.toFixed(1)} ms`
}

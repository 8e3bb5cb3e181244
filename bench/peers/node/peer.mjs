// Piscina (a pool of Node.js worker threads), doing one piece of work as often as the benchmark asks.
//
//     peer.mjs WORK clone|transfer COUNT
//
// Says {"version": …} once it is ready; then answers every line on standard input by one figure, {"value": …} in the unit of the
// work. Ends with its standard input. Every payload is checked: a wrong one ends the program.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Piscina } from 'piscina'

const [work, how, countText] = process.argv.slice(2)
const count = Number(countText)
const workers = 2
const page = 4096
const megabyte = 1 << 20
const filename = new URL('./worker.mjs', import.meta.url).href
const open = (threads = workers) => new Piscina({ filename, minThreads: threads, maxThreads: threads })
const seconds = started => Number(process.hrtime.bigint() - started) / 1e9
const median = values => values.sort((a, b) => a - b)[values.length >> 1]
const say = answer => process.stdout.write(JSON.stringify(answer) + '\n')

async function roundTrip(pool, rest) {
  const times = []
  for (let i = 0; i < count; i++) {
    if (rest) await new Promise(resolve => setTimeout(resolve, rest))
    const started = process.hrtime.bigint()
    const answer = await pool.run(i)
    times.push(seconds(started) * 1e6)
    assert.equal(answer, i)
  }
  return median(times)
}

const shared = {
  'round-trip': pool => roundTrip(pool, 0),
  'round-trip-rested': pool => roundTrip(pool, 2),

  async tasks(pool) {
    const started = process.hrtime.bigint()
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => pool.run(i)))
    const took = seconds(started)
    answers.forEach((answer, i) => assert.equal(answer, i))
    return count / took
  },

  async megabyte(pool) {
    const blocks = Array.from({ length: how === 'transfer' ? count : 8 }, (_, i) => new Uint8Array(megabyte).fill((i % 8) + 1))
    const started = process.hrtime.bigint()
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => how === 'transfer'
      ? pool.run(blocks[i], { name: 'checksum', transferList: [blocks[i].buffer] })
      : pool.run(blocks[i % 8], { name: 'checksum' })))
    const took = seconds(started)
    answers.forEach((answer, i) => assert.equal(answer, ((i % 8) + 1) * (megabyte / page)))
    return count * megabyte / 1e6 / took
  },
}

async function firstResult() {
  const started = process.hrtime.bigint()
  const pool = open()
  const answer = await pool.run(21, { name: 'double' })
  const took = seconds(started) * 1e3
  assert.equal(answer, 42)
  say({ value: took })
  await pool.destroy()
}

function proportionalMemory() {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))[1]) * 1024
}

// A thread has no memory of its own to read: what eight of them add to the program's.
async function idleMemory() {
  const before = proportionalMemory()
  const pool = open(8)
  await Promise.all(Array.from({ length: 800 }, (_, i) => pool.run(i)))
  await new Promise(resolve => setTimeout(resolve, 200))
  const value = (proportionalMemory() - before) / 8 / 1e6
  await pool.destroy()
  return value
}

// Both workers are busy and a task waits; one worker ends: how long after its task has failed does the waiting task start?
async function kill() {
  const pool = open()
  const flag = new Int32Array(new SharedArrayBuffer(16))
  let noticed
  const held = [1, 2].map(() => pool.run(flag, { name: 'hold' }).catch(() => { noticed ??= process.hrtime.bigint() }))
  while (Atomics.load(flag, 0) < workers) await new Promise(resolve => setTimeout(resolve, 1))
  const waiting = pool.run(0, { name: 'now' })
  Atomics.store(flag, 1, 1)
  Atomics.notify(flag, 1)
  const started = await waiting
  Atomics.store(flag, 3, 1)
  Atomics.notify(flag, 3)
  await Promise.all(held)
  await pool.destroy()
  return Number(started - noticed) / 1e6
}

if (work === 'first-result') {
  await firstResult()
  process.exit(0)
}

const pool = work in shared ? open() : null
if (pool) await Promise.all(Array.from({ length: 500 }, (_, i) => pool.run(i)))
const { version } = JSON.parse(readFileSync(new URL('./node_modules/piscina/package.json', import.meta.url)))
say({ version: `piscina ${version} on Node.js ${process.versions.node}` })
for await (const _ of createInterface({ input: process.stdin })) {
  say({ value: pool ? await shared[work](pool) : await (work === 'idle-memory' ? idleMemory() : kill()) })
}
process.exit(0)

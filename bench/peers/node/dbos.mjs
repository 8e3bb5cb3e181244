// DBOS (an engine that replays, on PostgreSQL), doing durable steps of many workflows as often as the benchmark asks.
//
//     dbos.mjs FOLDER WORKFLOWS SECONDS
//
// Starts a PostgreSQL of its own in FOLDER, with the settings that initdb gives. Says {"version": …} once it is ready; then answers every line on
// standard input by one figure, {"value": steps per second}. Ends with its standard input, and PostgreSQL with it.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { DBOS } from '@dbos-inc/dbos-sdk'

const [folder, workflowsText, secondsText] = process.argv.slice(2)
const workflows = Number(workflowsText)
const nanoseconds = BigInt(Math.round(Number(secondsText) * 1e9))
const say = answer => process.stdout.write(JSON.stringify(answer) + '\n')

// Installed, or only unpacked beside this folder.
const unpacked = new URL('../debian/', import.meta.url).pathname
const root = existsSync('/usr/lib/postgresql') ? '/' : unpacked
const postgres = `${root}usr/lib/postgresql`
const programs = `${postgres}/${readdirSync(postgres).at(-1)}/bin`
const environment = { ...process.env, LD_LIBRARY_PATH: `${unpacked}usr/lib/x86_64-linux-gnu:${unpacked}lib/x86_64-linux-gnu` }

// PostgreSQL does not run as root.
const isRoot = process.getuid() === 0
const numberOf = what => Number(execFileSync('id', [what, 'nobody']))
const as = { cwd: folder, env: environment, stdio: 'ignore', ...(isRoot ? { uid: numberOf('-u'), gid: numberOf('-g') } : {}) }

const freePort = () => new Promise(resolve => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})

mkdirSync(folder, { recursive: true })
if (isRoot) chownSync(folder, as.uid, as.gid)
execFileSync(`${programs}/initdb`, ['-D', `${folder}/data`, '-U', 'steps', '-A', 'trust'], as)
const port = await freePort()
const database = spawn(`${programs}/postgres`, ['-D', `${folder}/data`, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder], as)
const ended = new Promise(resolve => database.on('exit', resolve))
for (let tries = 0; ; tries++) {
  try {
    execFileSync(`${programs}/pg_isready`, ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'steps'], as)
    break
  } catch (error) {
    if (tries === 200) throw error
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

let isOver = false
const flow = DBOS.registerWorkflow(async () => {
  let steps = 0
  for (; !isOver; steps++) assert.equal(await DBOS.runStep(async () => steps, { name: 'step' }), steps)
  return steps
}, { name: 'flow' })
DBOS.setConfig({ name: 'steps', systemDatabaseUrl: `postgresql://steps@127.0.0.1:${port}/steps`, logLevel: 'error' })
await DBOS.launch()
const version = name => JSON.parse(readFileSync(new URL(`./node_modules/${name}/package.json`, import.meta.url))).version
say({ version: `DBOS ${version('@dbos-inc/dbos-sdk')}, PostgreSQL ${readFileSync(`${folder}/data/PG_VERSION`, 'utf8').trim()}` })

for await (const _ of createInterface({ input: process.stdin })) {
  isOver = false
  const started = process.hrtime.bigint()
  const running = Array.from({ length: workflows }, () => flow())
  await new Promise(resolve => setTimeout(resolve, Number(nanoseconds / 1_000_000n)))
  isOver = true
  const steps = (await Promise.all(running)).reduce((sum, one) => sum + one)
  say({ value: steps * 1e9 / Number(process.hrtime.bigint() - started) })
}

await DBOS.shutdown()
database.kill('SIGINT')
await ended
rmSync(folder, { recursive: true })

// What a worker of the Node peer can do; each answers what the caller can check.
const page = 4096

export default function same(x) {
  return x
}

export function double(x) {
  return x * 2
}

export function checksum(block) {
  let sum = 0
  for (let i = 0; i < block.length; i += page) sum += block[i]
  return sum
}

export function hold(flag) {
  Atomics.add(flag, 0, 1)
  Atomics.notify(flag, 0)
  Atomics.wait(flag, 1, 0)
  if (Atomics.load(flag, 1) === Atomics.add(flag, 2, 1) + 1) process.exit(1) // one of them dies, as a SIGKILL would make it
  Atomics.wait(flag, 3, 0)
}

export function now() {
  return process.hrtime.bigint()
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { lineOfPath } from '#domain/line.ts'
import type { Appended } from '../../demo/appender.ts'
import { connectTo, contentAt, ownPrefix, putOutside } from '../support/deployed.ts'
import { type Recording, recordTickets } from '../support/recorded-tickets.ts'

const processCount = 20
const linesEach = 50
const deadlineMs = 240_000

const appender = fileURLToPath(new URL('../../demo/appender.ts', import.meta.url))

describe('many append to one file', () => {
  const deployment = inject('deployment')
  const deployed = connectTo(deployment)
  const { lockstep } = deployed
  let recording: Recording

  beforeAll(async () => {
    recording = await recordTickets(deployment.endpoint)
  })
  afterAll(() => recording.stop())

  const appendFromProcess = async (path: string, name: string): Promise<Appended[]> => {
    const options = [JSON.stringify(deployment), path, name, String(linesEach)]
    const child = spawn(process.execPath, [appender, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect(code).toBe(0)
    return JSON.parse(output.split('\n')[1] ?? '') as Appended[]
  }

  test(
    `${processCount} processes append ${linesEach} lines each: every line exactly once, whole, in ticket order`,
    async () => {
      const path = `${ownPrefix('appends')}/shared.log`
      const names = Array.from({ length: processCount }, (_, number) => `process-${number}`)
      const appended = (await Promise.all(names.map((name) => appendFromProcess(path, name)))).flat()
      const content = (await contentAt(deployed, path))?.toString() ?? ''
      const found = content.split(/(?<=\n)/)
      expect(found).toHaveLength(processCount * linesEach)
      expect(found.toSorted()).toEqual(appended.map(({ line }) => line).toSorted())
      for (const { line, offset } of appended) expect(content.slice(offset, offset + line.length)).toBe(line)
      const tickets = recording.tickets.get(lineOfPath(path)) ?? new Map<string, number>()
      const byTicket = appended.toSorted((a, b) => (tickets.get(a.id) ?? 0) - (tickets.get(b.id) ?? 0))
      expect(appended.every(({ id }) => tickets.has(id)), 'every append was seen in the line').toBe(true)
      const byOffset = appended.toSorted((a, b) => a.offset - b.offset)
      expect(byTicket.map(({ id }) => id)).toEqual(byOffset.map(({ id }) => id))
    },
    deadlineMs,
  )

  test('an outside writer who overwrites the file meanwhile loses nothing of its own', async () => {
    const path = `${ownPrefix('outsider')}/shared.log`
    const appendCount = 60
    const appends = Promise.all(
      Array.from({ length: appendCount }, async (_, number) => {
        const operation = await lockstep.append(path, `append ${number}\n`)
        return operation.result({ timeoutMs: deadlineMs })
      }),
    )
    const isDone = appends.then(
      () => true,
      () => true,
    )
    let outside = ''
    let writes = 0
    do {
      writes += 1
      outside = `outside ${writes}\n`
      await putOutside(deployed, path, outside)
      // Nobody else writes outside Lockstep: until the next put, the file must begin with this one.
      for (let look = 0; look < 3; look += 1) {
        expect((await contentAt(deployed, path))?.toString().slice(0, outside.length)).toBe(outside)
      }
    } while (!(await Promise.race([isDone, Promise.resolve(false)])))
    const results = await appends
    const content = (await contentAt(deployed, path))?.toString() ?? ''
    expect(content.startsWith(outside)).toBe(true)
    const lines = content.slice(outside.length).split(/(?<=\n)/).filter((line) => line !== '')
    expect(new Set(lines).size, 'no append took effect twice').toBe(lines.length)
    expect(lines.every((line) => /^append \d+\n$/.test(line))).toBe(true)
    expect(results).toHaveLength(appendCount)
    expect(writes).toBeGreaterThan(1)
  }, deadlineMs)
})

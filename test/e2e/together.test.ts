import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { lineOfPath } from '#domain/line.ts'
import type { Appended } from '../../demo/appender.ts'
import { connectTo, contentAt, finalRecords, ownPrefix, putOutside, until } from '../support/deployed.ts'
import { differencesFromReplay, submitAtOnce } from '../support/mixed-run.ts'
import { randomRequests } from '../support/random-requests.ts'
import { recordAtClients } from '../support/recorded-tickets.ts'

const processCount = 20
const linesEach = 50

const operationCount = 500
const pathCount = 8

const outsideWrites = 10

/** Most operations here wait for others, so that a run takes as long as its longest line. Far more than it needs. */
const deadlineMs = 240_000

const appender = fileURLToPath(new URL('../../demo/appender.ts', import.meta.url))

describe('many at once', () => {
  const deployed = connectTo(inject('deployment'))
  const { lockstep } = deployed
  const seed = Date.now() % 1_000_000
  let recording: Awaited<ReturnType<typeof recordAtClients>>

  beforeAll(async () => {
    recording = await recordAtClients(deployed.deployment)
  })
  afterAll(() => recording.stop())

  const appendFromProcess = async (path: string, name: string, signal: AbortSignal): Promise<Appended[]> => {
    const options = [JSON.stringify(recording.deployment), path, name, String(linesEach)]
    const child = spawn(process.execPath, [appender, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
      signal,
    })
    const exit = once(child, 'exit') as Promise<[number | null]>
    const [output, [code]] = await Promise.all([text(child.stdout), exit])
    if (code !== 0) throw new Error(`${name} ended with ${code ?? 'a signal'}`)
    return JSON.parse(output.split('\n')[1] ?? '') as Appended[]
  }

  test(`${processCount} processes append ${linesEach} lines each to one file: every line once, whole, in ticket order`, {
    timeout: deadlineMs,
  }, async ({ signal }) => {
    const path = `${ownPrefix('appends')}/shared.log`
    const names = Array.from({ length: processCount }, (_, number) => `process-${number}`)
    const appended = (await Promise.all(names.map((name) => appendFromProcess(path, name, signal)))).flat()
    const content = (await contentAt(deployed, path))?.toString() ?? ''
    const found = content.split(/(?<=\n)/)
    expect(found).toHaveLength(processCount * linesEach)
    expect(found.toSorted()).toEqual(appended.map(({ line }) => line).toSorted())
    for (const { line, offset } of appended) expect(content.slice(offset, offset + line.length)).toBe(line)
    const tickets = recording.tickets.get(lineOfPath(path)) ?? new Map<string, number>()
    expect(
      appended.filter(({ id }) => !tickets.has(id)),
      'appends that were not seen in the line',
    ).toEqual([])
    const byTicket = appended.toSorted((a, b) => (tickets.get(a.id) ?? 0) - (tickets.get(b.id) ?? 0))
    const byOffset = appended.toSorted((a, b) => a.offset - b.offset)
    expect(byTicket.map(({ id }) => id)).toEqual(byOffset.map(({ id }) => id))
  })

  test(`${operationCount} random operations over ${pathCount} files end as a run in ticket order (seed ${seed})`, {
    timeout: deadlineMs,
  }, async () => {
    const prefix = ownPrefix('mix')
    const paths = Array.from({ length: pathCount }, (_, number) => `${prefix}/${number}.txt`)
    const requests = await submitAtOnce(recording, randomRequests(seed, operationCount, paths))
    const records = await finalRecords(deployed.ports, [...requests.keys()], deadlineMs)
    const { tickets } = recording
    expect(await differencesFromReplay(deployed, { paths, requests, records, tickets })).toEqual([])
  })

  test('an outside writer who overwrites a file during appends loses nothing of its own', {
    timeout: deadlineMs,
  }, async () => {
    const path = `${ownPrefix('outsider')}/shared.log`
    const submitAppends = (round: number) =>
      Promise.all(
        Array.from({ length: 4 }, (_, number) => lockstep.append(path, `append ${round}.${number}\n`)),
      )
    const operations = await submitAppends(0)
    let outside = ''
    for (let round = 1; round <= outsideWrites; round += 1) {
      operations.push(...(await submitAppends(round)))
      outside = `outside ${round}\n`
      await putOutside(deployed, path, outside)
      // Nobody else writes outside Lockstep: from here to the next put the file begins with this one.
      await until(
        'an append after the outside write',
        async () => {
          const content = (await contentAt(deployed, path))?.toString() ?? ''
          expect(content.slice(0, outside.length)).toBe(outside)
          return content.length > outside.length ? true : undefined
        },
        deadlineMs,
      )
    }
    for (const operation of operations) await operation.result({ timeoutMs: deadlineMs })
    const content = (await contentAt(deployed, path))?.toString() ?? ''
    expect(content.startsWith(outside)).toBe(true)
    const lines = content.slice(outside.length).split(/(?<=\n)/)
    expect(new Set(lines).size, 'no append took effect twice').toBe(lines.length)
    expect(lines.every((line) => /^append \d+\.\d\n$/.test(line))).toBe(true)
  })
})

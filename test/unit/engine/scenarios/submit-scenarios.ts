import assert from 'node:assert/strict'
import { limits } from '#domain/limits.ts'
import { lineOfPath } from '#domain/line.ts'
import { cancel } from '#engine/cancel.ts'
import { crashing, losingAnswers } from '#memory/intercept.ts'
import { entryName, openLine } from '#memory/memory-tables.ts'
import { arrivingLate, Mortal, pausing } from '#test/support/gates.ts'
import { Stage } from '#test/support/stage.ts'
import type { Scenario } from './scenario.ts'

const append = (body: string, id?: string) => ({
  kind: 'append',
  path: 'a',
  body,
  ...(id !== undefined && { id }),
})

/** The first submitter of `id` puts the record; its enter is held up in the network, and it gives up. */
const submitterWithLateEnter = async (stage: Stage, id: string) => {
  const late = arrivingLate('lines.enter')
  const mortal = new Mortal('before', 'lines.enterTogether')
  const dying = stage.process((call, proceed) => mortal.intercept(call, () => late.intercept(call, proceed)))
  await assert.rejects(stage.until(stage.accept(append('X', id), dying)))
  return late
}

export const submitScenarios: Record<string, Scenario> = {
  'final-retry': {
    law: 'a retry stops at a final record: the operation never comes back into its line',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      await stage.deliverAll()
      const again = await stage.until(stage.accept(append('X', id)))
      assert.equal(again.again, true)
      assert.equal(again.record.status, 'succeeded')
      assert.deepEqual(await stage.line('a'), [])
    },
  },

  'guarded-retry': {
    law: 'a retry enters only while the record waits, in one transaction',
    async play() {
      const stage = new Stage()
      const id = stage.newId()
      const first = pausing('before', 'lines.enter')
      const submitting = stage.accept(append('X', id), stage.process(first.intercept))
      await stage.until(first.reached)
      const isEnter = ({ method }: { method: string }) => method.startsWith('enter')
      const second = pausing('before', isEnter)
      const retrying = stage.accept(append('X', id), stage.process(second.intercept))
      await stage.until(second.reached)
      first.open()
      await stage.until(submitting)
      await stage.deliverAll()
      assert.equal(await stage.text('a'), 'X')
      second.open()
      const accepted = await stage.until(retrying)
      assert.equal(accepted.record.status, 'succeeded')
      assert.deepEqual(await stage.line('a'), [])
    },
  },

  'guarded-sweep': {
    law: 'the sweeper completes a submit only while the record waits, in one transaction',
    async play() {
      const stage = new Stage()
      const id = stage.newId()
      const slow = pausing('before', 'lines.enter')
      const submitting = stage.accept(append('X', id), stage.process(slow.intercept))
      await stage.until(slow.reached)
      await stage.pass(limits.submitStalledMs)
      const sweeper = pausing('before', ({ method }) => method.startsWith('enter'))
      const sweeping = stage.sweep(stage.process(sweeper.intercept))
      await sweeper.reached
      slow.open()
      await stage.settle()
      await stage.run(id)
      assert.equal(await stage.text('a'), 'X')
      sweeper.open()
      await stage.until(Promise.all([sweeping, submitting]))
      assert.deepEqual(await stage.line('a'), [])
    },
  },

  'late-enter': {
    law: 'an entry that arrives after its operation has ended leaves again, with nobody coming by',
    async play() {
      const stage = new Stage()
      const id = stage.newId()
      const late = await submitterWithLateEnter(stage, id)
      await stage.submit(append('X', id))
      await stage.deliverAll()
      assert.equal(stage.record(id).status, 'succeeded')
      await late.arrive()
      assert.deepEqual(await stage.line('a'), [id])
      await stage.live(8)
      assert.deepEqual(await stage.line('a'), [])
      assert.equal(await stage.text('a'), 'X')
    },
  },

  'late-enter-after-cancel': {
    law: 'an entry that arrives after its operation was cancelled leaves again, with nobody coming by',
    async play() {
      const stage = new Stage()
      const id = stage.newId()
      const late = await submitterWithLateEnter(stage, id)
      const record = await stage.until(cancel(stage.process(), id))
      assert.equal(record.status, 'cancelled')
      await late.arrive()
      assert.deepEqual(await stage.line('a'), [id])
      await stage.live(8)
      assert.deepEqual(await stage.line('a'), [])
      assert.equal(await stage.text('a'), null)
    },
  },

  'line-full': {
    law: 'what a full line refused is never run',
    async play() {
      const stage = new Stage()
      const line = openLine(stage.world.tables, lineOfPath('a'), stage.now)
      const crowd = Array.from({ length: limits.waiters + 1 }, () => stage.newId())
      for (const id of crowd) {
        line.entries.set(entryName('write', id), { id, mode: 'write', ticket: line.next })
        line.next += 1
      }
      const id = stage.newId()
      await assert.rejects(stage.submit(append('X', id)), { code: 'LineFull' })
      line.entries.clear()
      await stage.live(8)
      assert.equal(await stage.text('a'), null)
      assert.equal(stage.record(id).status, 'cancelled')
      await assert.rejects(stage.submit(append('X', id)), { code: 'LineFull' })
    },
  },

  'enter-without-answer': {
    law: 'an enter without an answer is never repeated as it is',
    async play() {
      const stage = new Stage()
      const id = stage.newId()
      const isEnter = ({ method }: { method: string }) => method.startsWith('enter')
      const lost = losingAnswers('lines.enter')
      const second = pausing('before', isEnter)
      let enters = 0
      const ports = stage.process((call, proceed) => {
        if (isEnter(call)) enters += 1
        return enters > 1 ? second.intercept(call, proceed) : lost(call, proceed)
      })
      const submitting = stage.accept(append('X', id), ports)
      await stage.until(second.reached)
      await stage.run(id)
      assert.equal(await stage.text('a'), 'X')
      second.open()
      await stage.until(submitting)
      assert.deepEqual(await stage.line('a'), [])
    },
  },

  'enqueue-twice': {
    law: 'a retry keeps its place in the line',
    async play() {
      const stage = new Stage()
      const first = await stage.submit(append('X'))
      const second = await stage.submit(append('Y'))
      await stage.submit(append('X', first))
      assert.deepEqual(await stage.line('a'), [first, second])
      await stage.deliverAll()
      assert.equal(await stage.text('a'), 'XY')
    },
  },

  'crossing-moves': {
    law: 'operations on several paths never wait for each other in a circle',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      await stage.outsider('b', 'B')
      const there = stage.accept({ kind: 'move', from: 'a', to: 'b' })
      const back = stage.accept({ kind: 'move', from: 'b', to: 'a' })
      const accepted = await stage.until(Promise.all([there, back]))
      await stage.live(3)
      for (const { record } of accepted) assert.equal(stage.record(record.id).status, 'succeeded')
      assert.deepEqual(await Promise.all([stage.text('a'), stage.text('b')]), ['A', null])
    },
  },

  'stalled-head-that-does-not-block': {
    law: 'an enqueuer sends a head that is too old, even one that does not block it',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const head = await stage.submit({ kind: 'read', path: 'a' })
      const mortal = new Mortal('before', 'lines.leave')
      await stage.deliver({ ports: stage.process(mortal.intercept), mortal })
      await stage.submit(append('X'))
      await stage.loseMessages()
      await stage.pass(limits.headStalledMs)
      await stage.submit({ kind: 'read', path: 'a' })
      assert.deepEqual(stage.messages(), [head])
    },
  },

  'nudge-storm': {
    law: 'a stalled head is sent at most once per line and half minute',
    async play() {
      const stage = new Stage()
      const head = await stage.submit(append('X'))
      await stage.loseMessages()
      await stage.pass(limits.headStalledMs)
      for (let count = 0; count < 3; count += 1) await stage.submit(append('Y'))
      assert.deepEqual(stage.messages(), [head])
      await stage.pass(limits.nudgeEveryMs)
      await stage.submit(append('Z'))
      assert.deepEqual(stage.messages(), [head, head])
    },
  },

  'half-a-submit': {
    law: 'a submit that died between its record and its entries is completed',
    async play() {
      const stage = new Stage()
      const id = stage.newId()
      const dying = stage.process(crashing('before', 'lines.enter'))
      await assert.rejects(stage.submit(append('X', id), dying))
      await stage.live(3)
      assert.equal(stage.record(id).status, 'succeeded')
      assert.equal(await stage.text('a'), 'X')
    },
  },
}

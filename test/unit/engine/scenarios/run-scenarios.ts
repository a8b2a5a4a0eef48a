import assert from 'node:assert/strict'
import { limits } from '#domain/limits.ts'
import { cancel } from '#engine/cancel.ts'
import { losingAnswers } from '#memory/intercept.ts'
import { Mortal, pausing } from '#test/support/gates.ts'
import { Stage, timeoutMs, visibilityMs } from '#test/support/stage.ts'
import type { Scenario } from './scenario.ts'

const append = (body: string) => ({ kind: 'append', path: 'a', body })
const leaseMs = timeoutMs + limits.leaseMarginMs

/** All tries of `id` but the last were spent by workers that died before they did anything. */
export const spendTries = async (stage: Stage, id: string, tries: number = limits.tries): Promise<void> => {
  for (let count = 0; count < tries; count += 1) {
    const mortal = new Mortal('after', 'operations.claim')
    await stage.run(id, stage.process(mortal.intercept)).catch(() => undefined)
    await stage.pass(leaseMs)
  }
  assert.equal(stage.record(id).tries, tries)
}

export const runScenarios: Record<string, Scenario> = {
  'objects-after-grant': {
    law: 'objects are read only after the grant was seen',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const deleting = await stage.submit({ kind: 'delete', path: 'a' })
      const writing = await stage.submit({ kind: 'write', path: 'a', body: 'X', ifNoneMatch: '*' })
      const early = pausing('before', 'lines.read')
      const outcome = stage.run(writing, stage.process(early.intercept))
      await stage.until(early.reached)
      await stage.run(deleting)
      early.open()
      await stage.until(outcome)
      await stage.deliverAll()
      assert.equal(stage.record(writing).status, 'succeeded')
      assert.equal(await stage.text('a'), 'X')
    },
  },

  'not-granted': {
    law: 'an operation that is not granted is not run, whoever sends it',
    async play() {
      const stage = new Stage()
      await stage.submit(append('X'))
      const second = await stage.submit(append('Y'))
      assert.deepEqual(await stage.run(second), { kind: 'done' })
      assert.equal(stage.record(second).status, 'waiting')
      await stage.deliverAll()
      assert.equal(await stage.text('a'), 'XY')
    },
  },

  'live-lease': {
    law: 'the message of an operation that a live worker holds is given back, not dropped',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const mortal = new Mortal('before', 'objects.put')
      const pause = pausing('before', 'objects.put')
      const ports = stage.process((call, next) => pause.intercept(call, () => mortal.intercept(call, next)))
      const first = stage.deliver({ ports, mortal })
      await pause.reached
      await stage.deliver({ messageId: stage.duplicate(id) })
      pause.open()
      await stage.until(first)
      assert.equal(stage.record(id).status, 'running')
      assert.equal(stage.messages().length, 2)
      await stage.pass(visibilityMs)
      await stage.deliverAll()
      assert.equal(await stage.text('a'), 'X')
    },
  },

  'one-claim': {
    law: 'two workers with one operation: one runs it, the other gives its message back',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const id = await stage.submit({ kind: 'delete', path: 'a' })
      const claiming = pausing('before', 'operations.claim')
      const slower = stage.run(id, stage.process(claiming.intercept))
      await claiming.reached
      const finishing = pausing('before', 'operations.finish')
      const faster = stage.run(id, stage.process(finishing.intercept))
      await finishing.reached
      claiming.open()
      assert.equal((await stage.until(slower)).kind, 'again')
      finishing.open()
      assert.equal((await stage.until(faster)).kind, 'done')
      assert.deepEqual(stage.record(id).result, { existed: true })
      assert.equal(stage.record(id).attempt, 1)
    },
  },

  'claim-without-answer': {
    law: 'a claim whose answer was lost is recognised as one’s own',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const ports = stage.process(losingAnswers('operations.claim'))
      const handled = await stage.until(stage.deliver({ ports }))
      assert.equal(handled?.outcome.kind, 'done')
      assert.equal(stage.record(id).attempt, 1)
    },
  },

  'lease-outlives-sandbox': {
    law: 'nobody takes over while the worker before may still live',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const slow = pausing('before', 'objects.put')
      const first = stage.deliver({ ports: stage.process(slow.intercept) })
      await slow.reached
      await stage.pass(timeoutMs - 1_000)
      const outcome = await stage.run(id)
      assert.equal(outcome.kind, 'again')
      assert.equal(stage.record(id).attempt, 1)
      slow.open()
      await stage.until(first)
      assert.equal(await stage.text('a'), 'X')
    },
  },

  'refused-finish': {
    law: 'a worker whose ending is refused gives its message back',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const slow = pausing('before', 'operations.finish')
      const first = stage.run(id, stage.process(slow.intercept))
      await slow.reached
      await stage.pass(leaseMs)
      const mortal = new Mortal('after', 'operations.claim')
      await assert.rejects(stage.run(id, stage.process(mortal.intercept)))
      slow.open()
      assert.equal((await stage.until(first)).kind, 'again')
      assert.equal(stage.record(id).status, 'running')
    },
  },

  'finish-by-attempt': {
    law: 'only the attempt that holds the claim ends the operation',
    async play() {
      const stage = new Stage()
      const id = await stage.submit({ kind: 'copy', from: 'a', to: 'b' })
      const zombie = pausing('before', 'operations.finish')
      const first = stage.run(id, stage.process(zombie.intercept))
      await zombie.reached
      await stage.pass(leaseMs)
      await stage.outsider('a', 'A')
      const second = pausing('before', 'operations.finish')
      const takeover = stage.run(id, stage.process(second.intercept))
      await second.reached
      assert.equal(await stage.text('b'), 'A')
      zombie.open()
      await stage.until(first)
      assert.equal(stage.record(id).status, 'running')
      second.open()
      await stage.until(takeover)
      assert.equal(stage.record(id).status, 'succeeded')
    },
  },

  'cancel-while-claimed': {
    law: 'a cancel ends only what still waits',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const late = pausing('before', 'operations.endWaiting')
      const cancelling = cancel(stage.process(late.intercept), id)
      await late.reached
      const worker = pausing('before', 'operations.finish')
      const running = stage.run(id, stage.process(worker.intercept))
      await worker.reached
      late.open()
      await stage.until(cancelling)
      worker.open()
      await stage.until(running)
      assert.equal(await stage.text('a'), 'X')
      assert.equal(stage.record(id).status, 'succeeded')
    },
  },

  'finish-before-release': {
    law: 'an operation leaves its lines only once it is final',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const mortal = new Mortal('before', 'operations.finish')
      await stage.deliver({ ports: stage.process(mortal.intercept), mortal })
      await stage.live(5)
      assert.equal(stage.record(id).status, 'succeeded')
      assert.equal(await stage.text('a'), 'X')
    },
  },

  'release-before-delete': {
    law: 'a message is there until its operation has left its lines',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const slow = pausing('before', 'lines.leave')
      const running = stage.deliver({ ports: stage.process(slow.intercept) })
      await slow.reached
      await stage.settle()
      assert.deepEqual(stage.messages(), [id])
      slow.open()
      await stage.until(running)
      assert.deepEqual(stage.messages(), [])
    },
  },

  'hand-off': {
    law: 'who leaves a line sends whom that grants, and nobody else need come by',
    async play() {
      const stage = new Stage()
      const ids = [await stage.submit(append('X')), await stage.submit(append('Y'))]
      ids.push(
        await stage.submit({ kind: 'read', path: 'a' }),
        await stage.submit({ kind: 'stat', path: 'a' }),
      )
      await stage.deliverAll()
      assert.deepEqual(
        ids.map((id) => stage.record(id).status),
        ids.map(() => 'succeeded'),
      )
      assert.equal(stage.record(ids[2] ?? '').result?.['body'], 'XY')
    },
  },

  'release-repeated': {
    law: 'a release that finds its entry gone sends everything granted in that line',
    async play() {
      const stage = new Stage()
      await stage.submit(append('X'))
      await stage.submit(append('Y'))
      const mortal = new Mortal('before', 'queue.send')
      await stage.deliver({ ports: stage.process(mortal.intercept), mortal })
      await stage.pass(60_000)
      await stage.deliverAll()
      assert.equal(await stage.text('a'), 'XY')
    },
  },

  'reader-never-waits-for-those-behind': {
    law: 'a reader never waits for a writer behind it',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const reading = await stage.submit({ kind: 'read', path: 'a' })
      await stage.submit(append('X'))
      await stage.deliverAll()
      assert.equal(stage.record(reading).result?.['body'], 'A')
      assert.equal(await stage.text('a'), 'AX')
    },
  },

  'dead-letter-during-lease': {
    law: 'a dead letter never ends what a live worker holds',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      await spendTries(stage, id, limits.tries - 1)
      const slow = pausing('before', 'objects.put')
      const running = stage.run(id, stage.process(slow.intercept))
      await slow.reached
      assert.equal(stage.record(id).tries, limits.tries)
      await stage.deadLetter(id)
      assert.equal(stage.record(id).status, 'running')
      slow.open()
      await stage.until(running)
      assert.equal(stage.record(id).status, 'succeeded')
    },
  },

  'dead-letter-looks': {
    law: 'an exhausted operation whose effect is there has succeeded',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      await spendTries(stage, id, limits.tries - 1)
      const mortal = new Mortal('after', 'objects.put')
      await assert.rejects(stage.run(id, stage.process(mortal.intercept)))
      await stage.pass(leaseMs)
      await stage.deadLetter(id)
      assert.equal(stage.record(id).status, 'succeeded')
      assert.deepEqual(await stage.line('a'), [])
    },
  },

  'stalled-is-sent': {
    law: 'an operation whose worker died and whose message is lost is sent again',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const mortal = new Mortal('before', 'objects.put')
      await stage.deliver({ ports: stage.process(mortal.intercept), mortal })
      await stage.loseMessages()
      await stage.live(4)
      assert.equal(stage.record(id).status, 'succeeded')
    },
  },

  'blocker-is-followed': {
    law: 'a head that ended without leaving its line is sent for the sake of those who wait',
    async play() {
      const stage = new Stage()
      await stage.submit(append('X'))
      const second = await stage.submit(append('Y'))
      const mortal = new Mortal('before', 'lines.leave')
      await stage.deliver({ ports: stage.process(mortal.intercept), mortal })
      await stage.loseMessages()
      await stage.live(4)
      assert.equal(stage.record(second).status, 'succeeded')
    },
  },

  'canceller-dies': {
    law: 'a cancelled operation stays in the index until it has left its lines',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      await stage.loseMessages()
      const mortal = new Mortal('before', 'lines.leave')
      await assert.rejects(stage.until(cancel(stage.process(mortal.intercept), id)))
      assert.deepEqual(await stage.line('a'), [id])
      await stage.live(8)
      assert.deepEqual(await stage.line('a'), [])
    },
  },
}

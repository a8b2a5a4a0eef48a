import assert from 'node:assert/strict'
import { limits } from '#domain/limits.ts'
import { stagingKey } from '#domain/path.ts'
import { cancel } from '#engine/cancel.ts'
import { type Call, chained, losingAnswers, refusing } from '#memory/intercept.ts'
import { PortFault } from '#ports/faults.ts'
import { arrivingLate, type Gate, Mortal, pausing } from '#test/support/gates.ts'
import { Stage, timeoutMs, visibilityMs } from '#test/support/stage.ts'
import type { Scenario } from './scenario.ts'

const append = (body: string) => ({ kind: 'append', path: 'a', body })
const move = { kind: 'move', from: 'a', to: 'b' }
const leaseMs = timeoutMs + limits.leaseMarginMs

/** A first attempt that dies at the call; its lease has ended and its message is there again. */
const dyingAttempt = async (stage: Stage, id: string, moment: 'before' | 'after', call: string) => {
  const mortal = new Mortal(moment, call)
  await stage.deliver({ ports: stage.process(mortal.intercept), mortal })
  assert.equal(stage.record(id).status, 'running')
  await stage.pass(visibilityMs)
}

/** The step of a move is recorded: its copy is there. */
const isStep = ({ method, args }: Call): boolean => {
  const [, , amendment] = args as [unknown, unknown, { work?: { copied?: unknown } } | undefined]
  return method === 'amend' && amendment?.work?.copied !== undefined
}

/** An append too large for one put: the parts of its body are joined to the file by a multipart upload. */
const largeAppend = async (stage: Stage): Promise<string> => {
  const size = limits.partMinBytes
  await stage.world.objects.write('a', Buffer.alloc(2 * size, 'A'))
  const upload = stage.newId()
  await stage.world.objects.write(stagingKey(upload), Buffer.alloc(size, 'B'))
  return stage.submit({ kind: 'append', path: 'a', upload, size })
}

export const effectScenarios: Record<string, Scenario> = {
  'base-of-first-claim': {
    law: 'the base is what the first claim saw: a takeover tells its own delete from an absent file',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const id = await stage.submit({ kind: 'delete', path: 'a' })
      await dyingAttempt(stage, id, 'after', 'objects.delete')
      await stage.deliverAll()
      assert.deepEqual(stage.record(id).result, { existed: true })
    },
  },

  'outsider-is-never-lost': {
    law: 'an outsider’s write that comes before the effect is kept: append goes behind it',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const slow = pausing('before', 'objects.put')
      const running = stage.run(id, stage.process(slow.intercept))
      await slow.reached
      await stage.outsider('a', 'OUT')
      slow.open()
      await stage.until(running)
      assert.equal(await stage.text('a'), 'OUTX')
      assert.equal(stage.record(id).result?.['offset'], 3)
    },
  },

  'moved-on-is-done': {
    law: 'a takeover never overwrites what came after its effect: moved on means done',
    async play() {
      const stage = new Stage()
      const id = await stage.submit({ kind: 'write', path: 'a', body: 'X' })
      await dyingAttempt(stage, id, 'after', 'objects.put')
      await stage.outsider('a', 'OUT')
      await stage.deliverAll()
      assert.equal(await stage.text('a'), 'OUT')
      assert.deepEqual(stage.record(id).result, { size: 1, superseded: true })
    },
  },

  'unanswered-try': {
    law: 'a refusal after a try without an answer is judged like a takeover, never applied again',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const outside = pausing('before', 'objects.head')
      let puts = 0
      const ports = stage.process(
        chained(losingAnswers('objects.put'), (call, proceed) => {
          if (call.method === 'put') puts += 1
          return call.method === 'head' && puts > 0 ? outside.intercept(call, proceed) : proceed()
        }),
      )
      const running = stage.run(id, ports)
      await outside.reached
      await stage.outsider('a', 'OUT')
      outside.open()
      await stage.until(running)
      assert.equal(await stage.text('a'), 'OUT')
      assert.equal(stage.record(id).result?.['superseded'], true)
    },
  },

  'rebase-is-recorded': {
    law: 'what a clean refusal found becomes the base: a takeover deletes the source that was copied',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const id = await stage.submit(move)
      const slow = pausing('before', 'objects.copy')
      const mortal = new Mortal('before', isStep)
      const ports = stage.process(chained(slow.intercept, mortal.intercept))
      const first = stage.deliver({ ports, mortal })
      await slow.reached
      await stage.outsider('a', 'OUT')
      slow.open()
      await stage.until(first)
      assert.equal(await stage.text('b'), 'OUT')
      await stage.pass(visibilityMs)
      await stage.deliverAll()
      assert.equal(stage.record(id).status, 'succeeded')
      assert.equal(await stage.text('a'), null)
    },
  },

  'rebase-after-unanswered-try': {
    law: 'a new source found after a try without an answer becomes the base, too',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const id = await stage.submit(move)
      const lost = pausing('before', 'objects.copy')
      const mortal = new Mortal('before', isStep)
      const ports = stage.process(
        chained(lost.intercept, refusing('objects.copy', 'unanswered'), mortal.intercept),
      )
      const first = stage.deliver({ ports, mortal })
      await lost.reached
      await stage.outsider('a', 'OUT')
      lost.open()
      await stage.until(first)
      assert.equal(await stage.text('b'), 'OUT')
      await stage.pass(visibilityMs)
      await stage.deliverAll()
      assert.equal(stage.record(id).status, 'succeeded')
      assert.equal(await stage.text('a'), null)
    },
  },

  'copy-in-flight': {
    law: 'a source replaced after a copy without an answer is never deleted, however late that copy arrives',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const id = await stage.submit(move)
      const late = arrivingLate('objects.copy')
      const looks: Gate[] = []
      let tried = false
      const ports = stage.process((call, proceed) => {
        if (call.method === 'copy') tried = true
        if (!tried || call.method !== 'head' || looks.length > 1) return late.intercept(call, proceed)
        const look = pausing('before', ({ args }) => args[0] === call.args[0])
        looks.push(look)
        return look.intercept(call, proceed)
      })
      const running = stage.run(id, ports)
      await late.reached
      await stage.settle()
      const [source, target] = looks
      target?.open() // the copy is not there yet
      await stage.settle()
      await late.arrive()
      await stage.outsider('a', 'OUT')
      source?.open()
      await stage.until(running)
      assert.equal(stage.record(id).status, 'succeeded')
      assert.deepEqual(await Promise.all([stage.text('a'), stage.text('b')]), ['OUT', 'A'])
    },
  },

  'unanswered-keeps-lease': {
    law: 'after a try without an answer nobody takes over before the lease ends: the try may still arrive',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const late = arrivingLate('objects.put')
      let tried = false
      const ports = stage.process((call, proceed) => {
        if (call.method === 'put') tried = true
        if (tried && call.method === 'head') throw new PortFault('busy', 'head')
        return late.intercept(call, proceed)
      })
      await stage.deliver({ ports })
      await stage.until(cancel(stage.process(), id))
      await stage.pass(1_000)
      await stage.deliverAll()
      assert.equal(stage.record(id).status, 'running')
      await late.arrive()
      await stage.pass(visibilityMs)
      await stage.deliverAll()
      assert.equal(stage.record(id).status, 'succeeded')
      assert.equal(await stage.text('a'), 'X')
    },
  },

  'rebase-by-attempt': {
    law: 'only the attempt that holds the claim applies again after a refusal',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      const zombie = pausing('before', 'objects.put')
      const first = stage.run(id, stage.process(zombie.intercept))
      await zombie.reached
      await stage.pass(leaseMs)
      await stage.run(id)
      await stage.submit(append('Y'))
      await stage.deliverAll()
      assert.equal(await stage.text('a'), 'XY')
      zombie.open()
      assert.equal((await stage.until(first)).kind, 'again')
      assert.equal(await stage.text('a'), 'XY')
    },
  },

  'source-replaced-after-copy': {
    law: 'a file that an outsider puts at a moved source is never deleted',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const id = await stage.submit(move)
      const slow = pausing('before', 'objects.delete')
      const running = stage.run(id, stage.process(slow.intercept))
      await slow.reached
      await stage.outsider('a', 'OUT')
      slow.open()
      await stage.until(running)
      assert.equal(stage.record(id).status, 'succeeded')
      assert.deepEqual(await Promise.all([stage.text('a'), stage.text('b')]), ['OUT', 'A'])
    },
  },

  'step-carries-source': {
    law: 'the recorded step of a move says which version of the source to delete',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const id = await stage.submit(move)
      await dyingAttempt(stage, id, 'before', 'objects.delete')
      await stage.outsider('a', 'OUT')
      await stage.deliverAll()
      assert.equal(stage.record(id).status, 'succeeded')
      assert.deepEqual(await Promise.all([stage.text('a'), stage.text('b')]), ['OUT', 'A'])
    },
  },

  'own-mark': {
    law: 'a takeover that finds its own mark on the file is done',
    async play() {
      const stage = new Stage()
      const id = await stage.submit(append('X'))
      await dyingAttempt(stage, id, 'after', 'objects.put')
      await stage.deliverAll()
      assert.equal(await stage.text('a'), 'X')
      assert.equal(stage.record(id).result?.['offset'], 0)
    },
  },

  'half-a-move': {
    law: 'a move that died between copy and delete is completed, not failed',
    async play() {
      const stage = new Stage()
      await stage.outsider('a', 'A')
      const id = await stage.submit(move)
      await dyingAttempt(stage, id, 'after', 'objects.copy')
      await stage.deliverAll()
      assert.equal(stage.record(id).status, 'succeeded')
      assert.deepEqual(await Promise.all([stage.text('a'), stage.text('b')]), [null, 'A'])
    },
  },

  'uploads-closed-before-ending': {
    law: 'before an ending without a commit its upload is closed, so that no zombie can complete it',
    async play() {
      const stage = new Stage()
      const id = await largeAppend(stage)
      const zombie = pausing('before', 'objects.complete')
      const first = stage.run(id, stage.process(zombie.intercept))
      await zombie.reached
      await stage.pass(leaseMs)
      await stage.until(cancel(stage.process(), id))
      const ended = pausing('after', 'operations.finish')
      const second = stage.run(id, stage.process(ended.intercept))
      await ended.reached
      assert.equal(stage.record(id).status, 'cancelled')
      zombie.open()
      await stage.settle()
      assert.equal((await stage.world.objects.head('a'))?.size, 2 * limits.partMinBytes)
      ended.open()
      await stage.until(Promise.all([first, second]))
      assert.deepEqual(await stage.world.objects.uploads(''), [])
    },
  },
}

import assert from 'node:assert/strict'
import { limits } from '#domain/limits.ts'
import { lineOfPath } from '#domain/line.ts'
import { breakLine } from '#engine/break.ts'
import { acquireHold, extendHold, releaseHold } from '#engine/hold.ts'
import { type OperationRequest, prepare } from '#engine/request.ts'
import type { Ports } from '#ports/ports.ts'
import { Mortal, pausing } from '#test/support/gates.ts'
import { Stage } from '#test/support/stage.ts'
import type { Scenario } from './scenario.ts'

const leaseMs = limits.holdLeaseMs

const append = (body: string, more: OperationRequest = {}) => ({ kind: 'append', path: 'a', body, ...more })

const acquire = async (
  stage: Stage,
  request: OperationRequest = {},
  ports: Ports = stage.process(),
): Promise<string> => {
  const options = { now: stage.now, newId: () => ports.ids.operationId() }
  const prepared = prepare({ kind: 'hold', paths: ['a'], ...request }, options)
  return (await stage.until(acquireHold(ports, prepared))).record.id
}

const release = (stage: Stage, id: string) => stage.until(releaseHold(stage.process(), id, { armed: true }))

export const holdScenarios: Record<string, Scenario> = {
  'under-own-hold': {
    law: 'an operation under a hold waits neither for its holder nor for those who wait for it',
    async play() {
      const stage = new Stage()
      const hold = await acquire(stage)
      await stage.submit(append('S'))
      const id = await stage.submit(append('H', { hold }))
      await stage.deliverAll()
      assert.equal(stage.record(id).status, 'succeeded')
      assert.equal(await stage.text('a'), 'H')
    },
  },

  'exclusion-after-hold': {
    law: 'whoever waits behind a hold waits for what still runs under it, also when the hold has ended',
    async play() {
      const stage = new Stage()
      const hold = await acquire(stage)
      const stranger = await stage.submit(append('S'))
      const id = await stage.submit(append('H', { hold }))
      const slow = pausing('before', 'objects.put')
      const running = stage.run(id, stage.process(slow.intercept))
      await stage.until(slow.reached)
      await release(stage, hold)
      await stage.until(stage.run(stranger))
      assert.equal(stage.record(stranger).status, 'waiting')
      slow.open()
      await stage.until(running)
      await stage.deliverAll()
      assert.equal(await stage.text('a'), 'HS')
    },
  },

  'enter-under-lost-hold': {
    law: 'nothing enters a line under a hold that has left it',
    async play() {
      const stage = new Stage()
      const hold = await acquire(stage)
      const id = stage.newId()
      const gate = pausing('before', 'lines.enter')
      const submitting = stage.accept(append('H', { hold, id }), stage.process(gate.intercept))
      await stage.until(gate.reached)
      await release(stage, hold)
      gate.open()
      await assert.rejects(stage.until(submitting))
      await stage.live(6)
      assert.equal(stage.record(id).error?.code, 'LeaseLost')
      assert.equal(await stage.text('a'), null)
    },
  },

  'run-under-lost-hold': {
    law: 'an operation whose hold has ended before its claim has no effect',
    async play() {
      const stage = new Stage()
      const hold = await acquire(stage)
      const id = await stage.submit(append('H', { hold }))
      await release(stage, hold)
      await stage.deliverAll()
      assert.equal(stage.record(id).error?.code, 'LeaseLost')
      assert.equal(await stage.text('a'), null)
    },
  },

  'cover-of-hold': {
    law: 'nothing is written under a hold that shares its path with readers',
    async play() {
      const stage = new Stage()
      const hold = await acquire(stage, { mode: 'read' })
      await acquire(stage, { mode: 'read' })
      await stage.until(stage.accept(append('H', { hold }))).catch(() => undefined)
      await stage.deliverAll()
      assert.equal(await stage.text('a'), null)
    },
  },

  'lease-ends': {
    law: 'a lease that ends frees the line, although nobody comes by',
    async play() {
      const stage = new Stage()
      await acquire(stage)
      const id = await stage.submit(append('X'))
      await stage.pass(leaseMs + 1_000)
      await stage.deliverAll()
      assert.equal(stage.record(id).status, 'succeeded')
    },
  },

  'extended-in-time': {
    law: 'a hold that is extended while its end is being noticed goes on',
    async play() {
      const stage = new Stage()
      const id = await acquire(stage)
      await stage.pass(leaseMs)
      const noticing = pausing('before', 'operations.endHold')
      const running = stage.run(id, stage.process(noticing.intercept))
      await stage.until(noticing.reached)
      await stage.until(extendHold(stage.process(), stage.record(id), leaseMs))
      noticing.open()
      await stage.until(running)
      assert.equal(stage.record(id).status, 'running')
    },
  },

  'late-extend': {
    law: 'an extend that arrives late takes nothing from a later one',
    async play() {
      const stage = new Stage()
      const id = await acquire(stage)
      const { leaseUntil } = stage.record(id)
      await stage.until(extendHold(stage.process(), stage.record(id), 3 * leaseMs))
      await stage.world.operations.extendHold(id, leaseUntil + 1)
      await stage.pass(leaseMs + 1_000)
      await stage.deliverAll()
      assert.equal(stage.record(id).status, 'running')
    },
  },

  'release-of-hold-stops': {
    law: 'a release that stops half-way is repeated by the message at the end of the lease',
    async play() {
      const stage = new Stage()
      const hold = await acquire(stage)
      const mortal = new Mortal('before', 'lines.leave')
      await assert.rejects(releaseHold(stage.process(mortal.intercept), hold, { armed: true }))
      await stage.pass(leaseMs)
      await stage.deliverAll()
      assert.deepEqual(await stage.line('a'), [])
    },
  },

  'message-of-released-hold': {
    law: 'a claim whose answer was lost, of a hold that was released since, repeats the release',
    async play() {
      const stage = new Stage()
      const first = await acquire(stage)
      const id = await acquire(stage)
      await stage.loseMessages()
      await release(stage, first)
      const gate = pausing('before', 'operations.claim')
      const running = stage.deliver({ ports: stage.process(gate.intercept) })
      await stage.until(gate.reached)
      const ports = stage.process()
      const wish = { seenAttempt: 0, leaseUntil: stage.now + leaseMs, nonce: 'n', base: {}, now: stage.now }
      await ports.operations.claim(id, wish)
      const mortal = new Mortal('before', 'lines.leave')
      await assert.rejects(releaseHold(stage.process(mortal.intercept), id, { armed: true }))
      gate.open()
      await stage.until(running)
      assert.deepEqual(await stage.line('a'), [])
    },
  },

  'breaker-dies': {
    law: 'a hold that is broken leaves its line, although whoever breaks it dies half-way',
    async play() {
      const stage = new Stage()
      await acquire(stage)
      await stage.loseMessages()
      const mortal = new Mortal('before', 'lines.leave')
      await assert.rejects(breakLine(stage.process(mortal.intercept), lineOfPath('a'), { by: 'somebody' }))
      await stage.live(6)
      assert.deepEqual(await stage.line('a'), [])
    },
  },

  'hold-times-out': {
    law: 'a hold whose time to wait is over is not granted to a client that is gone',
    async play() {
      const stage = new Stage()
      const first = await acquire(stage)
      const id = await acquire(stage, { timeoutMs: 1_000 })
      await stage.pass(1_000)
      await release(stage, first)
      await stage.deliverAll()
      assert.equal(stage.record(id).error?.code, 'Timeout')
    },
  },
}

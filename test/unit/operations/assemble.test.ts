import { beforeEach, describe, expect, it } from 'vitest'
import { limits } from '#domain/limits.ts'
import { Crash, crashing, type Intercept, intercepted } from '#memory/intercept.ts'
import { kindOf } from '#operations/registry.ts'
import type { Applied, Task } from '#operations/task.ts'
import type { ObjectStore } from '#ports/object-store.ts'
import {
  applied,
  type FakeOptions,
  type FakeTask,
  fakeTask,
  inline,
  MIB,
  memoryObjects,
  observe,
  pattern,
  text,
} from './fake-task.ts'
import { SizeStore } from './size-store.ts'

/** 32 parts of 64 MiB: four batches. */
const large = 2 * 1024 * MIB

let store: SizeStore

beforeEach(() => {
  store = new SizeStore()
})

interface Step {
  readonly outcome: Applied
  readonly task: FakeTask
}

const step = async (
  options: FakeOptions = {},
  given: { kind: string; args: object } = { kind: 'copy', args: { from: 'a', to: 'b' } },
  objects: ObjectStore = store.port,
): Promise<Step> => {
  const kind = kindOf(given.kind)
  const task = fakeTask(objects, kind, given.args, { large: true, ...options })
  return { task, outcome: await applied(kind, task, await observe(objects, kind, task.args)) }
}

const copied = (): number[] =>
  store.calls.filter((call) => call.startsWith('copyPart')).map((call) => Number(call.slice(9)))
const inBatches = { timeIsUp: () => true }
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

describe('large work', () => {
  it.each([
    ['copy', { from: 'a', to: 'b' }],
    ['move', { from: 'a', to: 'b' }],
    ['concat', { from: ['a', 'a'], to: 'b' }],
    ['concat', { from: ['a'], to: 'b' }],
    ['append', { path: 'a' }],
  ])('is handed over by the worker before it does anything: %s %j', async (kind, args) => {
    store.set('a', limits.smallWorkBytes + 1)
    const content = inline(text('x'))
    const { outcome, task } = await step({ large: false, content }, { kind, args })
    expect(outcome).toEqual({ kind: 'later' })
    expect([store.calls, task.saved]).toEqual([[], []])
  })

  it('is copied in parts within S3, attributes kept', async () => {
    store.set('a', large)
    const { outcome } = await step()
    expect(outcome).toEqual({ kind: 'done', result: { etag: store.objects.get('b')?.etag, size: large } })
    expect(copied()).toEqual(upTo(32))
    expect(store.open.size).toBe(0)
  })

  it('records its upload before the first part, and its progress when the time is up', async () => {
    store.set('a', large)
    const { outcome, task } = await step(inBatches)
    expect(outcome).toEqual({ kind: 'later' })
    const [uploadId] = store.open.keys()
    expect(task.saved.map((saved) => [saved.work.upload?.uploadId, saved.progress])).toEqual([
      [uploadId, undefined],
      [uploadId, { done: 8 * 64 * MIB, total: large, unit: 'bytes' }],
    ])
    expect(store.calls.slice(0, 2)).toEqual(['createUpload', 'copyPart 1'])
  })

  it('goes on with the parts that are missing', async () => {
    store.set('a', large)
    let { outcome, task } = await step(inBatches)
    for (let steps = 1; outcome.kind === 'later'; steps += 1) {
      expect(copied()).toEqual(upTo(8 * steps))
      ;({ outcome, task } = await step({ ...inBatches, work: task.work }))
    }
    expect(outcome.kind).toBe('done')
    expect(copied()).toEqual(upTo(32))
    expect(store.calls.filter((call) => call === 'createUpload')).toHaveLength(1)
  })

  it('starts anew, and aborts the old upload, if the source changed between two steps', async () => {
    store.set('a', large)
    const first = await step(inBatches)
    store.set('a', large)
    const second = await step({ work: first.task.work })
    expect(second.outcome.kind).toBe('done')
    expect(copied()).toEqual([...upTo(8), ...upTo(32)])
    expect(store.calls.indexOf('abort')).toBeLessThan(store.calls.lastIndexOf('createUpload'))
    expect(store.open.size).toBe(0)
  })

  it('keeps its upload on record until it is aborted, if the source changes under its hands', async () => {
    store.set('a', large)
    const timeIsUp = (): boolean => {
      store.set('a', 300 * MIB)
      return false
    }
    const first = await step({ timeIsUp })
    expect(first.outcome).toEqual({ kind: 'changed' })
    expect([...store.open.keys()]).toEqual([first.task.work.upload?.uploadId])
    const second = await step({ work: first.task.work })
    expect(second.outcome).toMatchObject({ kind: 'done', result: { size: 300 * MIB } })
    expect(store.open.size).toBe(0)
  })

  it('starts anew if the attributes of the source changed, though its ETag did not', async () => {
    const head = store.set('a', large)
    const first = await step(inBatches)
    store.objects.set('a', { ...head, attributes: { metadata: { other: '1' } } })
    const second = await step({ work: first.task.work })
    expect(second.outcome.kind).toBe('done')
    expect(copied()).toEqual([...upTo(8), ...upTo(32)])
  })

  it('copies a part again that is not as planned', async () => {
    store.set('a', large)
    const first = await step(inBatches)
    const [upload] = store.open.values()
    upload?.parts.set(3, { number: 3, etag: '"short"', size: 1 })
    const second = await step({ work: first.task.work })
    expect(second.outcome).toMatchObject({ kind: 'done', result: { size: large } })
    expect(copied().filter((number) => number === 3)).toEqual([3, 3])
  })

  it('commits the same upload onto what an outsider put at the target meanwhile', async () => {
    store.set('a', large)
    const kind = kindOf('copy')
    const task = fakeTask(store.port, kind, { from: 'a', to: 'b' }, { large: true })
    const seen = await observe(store.port, kind, task.args)
    store.set('b', 1)
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
    const again = await applied(kind, task, await observe(store.port, kind, task.args))
    expect(again.kind).toBe('done')
    expect(copied()).toEqual(upTo(32))
  })

  it('aborts its upload before it changes the target in another way', async () => {
    store.set('a', large)
    const { task } = await step(inBatches)
    store.set('a', 10)
    let openAtCopy = -1
    const copy: Intercept = async (call, proceed) => {
      if (call.method !== 'copy') return proceed()
      openAtCopy = store.open.size
      return { kind: 'done', etag: '"c"' }
    }
    const objects = intercepted<ObjectStore>(
      Object.assign(store, { copy: () => undefined }).port,
      'objects',
      copy,
    )
    const second = await step({ work: task.work }, undefined, objects)
    expect(second.outcome).toMatchObject({ kind: 'done' })
    expect(openAtCopy).toBe(0)
    expect(second.task.work.upload).toBeUndefined()
  })

  it('forgets an upload that somebody has aborted, and answers changed', async () => {
    store.set('a', large)
    const first = await step(inBatches)
    store.open.clear()
    const second = await step({ work: first.task.work })
    expect(second.outcome).toEqual({ kind: 'changed' })
    expect(second.task.work).toEqual({})
    expect((await step({ work: second.task.work })).outcome.kind).toBe('done')
  })

  it('forgets an upload that is aborted between two batches', async () => {
    store.set('a', large)
    const timeIsUp = (): boolean => {
      store.open.clear()
      return false
    }
    const { outcome, task } = await step({ timeIsUp })
    expect(outcome).toEqual({ kind: 'changed' })
    expect(task.work.upload).toBeUndefined()
  })

  it('copies at the limit, 5 GiB, and concatenates up to it', async () => {
    store.set('a', limits.fileBytes)
    expect((await step()).outcome).toMatchObject({ kind: 'done', result: { size: limits.fileBytes } })
    store.set('half', limits.fileBytes / 2)
    const concat = { kind: 'concat', args: { from: ['half', 'half'], to: 'c' } }
    expect((await step({}, concat)).outcome).toMatchObject({
      kind: 'done',
      result: { size: limits.fileBytes },
    })
    store.set('a', limits.fileBytes + 1)
    expect((await step()).outcome).toMatchObject({ kind: 'failed', error: { code: 'TooLarge' } })
  })
})

describe('the commit', () => {
  const answering = (outcome: object): ObjectStore =>
    intercepted<ObjectStore>(store.port, 'objects', async (call, proceed) =>
      call.method === 'complete' ? outcome : proceed(),
    )

  it.each(['void', 'no-upload'])(
    'answered with %s leaves no upload behind, and is looked at again',
    async (kind) => {
      store.set('a', large)
      const { outcome, task } = await step({}, undefined, answering({ kind }))
      expect(outcome).toEqual({ kind: 'changed' })
      expect(task.work.upload).toBeUndefined()
      expect(store.open.size).toBe(0)
    },
  )

  it('answered with bad-parts is a fault that starts anew', async () => {
    store.set('a', large)
    await expect(
      step({}, undefined, answering({ kind: 'bad-parts', reason: 'part 3 is another' })),
    ).rejects.toThrow('complete of b: S3 refused parts that we had placed: part 3 is another')
    expect(store.open.size).toBe(0)
  })
})

describe('a process that dies', () => {
  const sizes = { existing: 6 * MIB, body: text('more') }

  /** Runs into a crash, then once more with what was saved, as a takeover does. */
  const runTwice = async (crash: Intercept) => {
    const objects = memoryObjects()
    await objects.write('a', pattern(sizes.existing))
    const kind = kindOf('append')
    const content = inline(sizes.body)
    const first = fakeTask(
      intercepted<ObjectStore>(objects, 'objects', crash),
      kind,
      { path: 'a' },
      { content },
    )
    await expect(applied(kind, first, await observe(objects, kind, first.args))).rejects.toThrow(Crash)
    const orphans = await objects.uploads('')
    const second: Task = fakeTask(objects, kind, { path: 'a' }, { content, work: first.work })
    const outcome = await applied(kind, second, await observe(objects, kind, second.args))
    return { objects, outcome, orphans, recorded: first.work.upload?.uploadId }
  }

  it.each(['objects.copyPart', 'objects.uploadPart', 'objects.complete', 'objects.parts'])(
    'before %s leaves an upload on record, which the next attempt completes',
    async (call) => {
      const { objects, outcome, orphans, recorded } = await runTwice(crashing('before', call))
      expect(orphans.map((orphan) => orphan.uploadId)).toEqual([recorded])
      expect(outcome).toMatchObject({ kind: 'done', result: { offset: sizes.existing } })
      expect(await objects.uploads('')).toEqual([])
    },
  )

  it('right after createUpload leaves an empty upload, for the lifecycle rule', async () => {
    const { objects, outcome, recorded } = await runTwice(crashing('after', 'objects.createUpload'))
    expect(recorded).toBeUndefined()
    expect(outcome.kind).toBe('done')
    const [orphan, ...others] = await objects.uploads('')
    expect(others).toEqual([])
    expect(await objects.parts('a', orphan?.uploadId ?? '')).toEqual([])
  })
})

it('an attempt that lost its claim aborts the upload that it could not record', async () => {
  store.set('a', large)
  const kind = kindOf('copy')
  const task = fakeTask(store.port, kind, { from: 'a', to: 'b' }, { large: true })
  const lost: Task = { ...task, save: () => Promise.reject(new Error('claim lost')) }
  await expect(applied(kind, lost, await observe(store.port, kind, task.args))).rejects.toThrow('claim lost')
  expect(store.open.size).toBe(0)
})

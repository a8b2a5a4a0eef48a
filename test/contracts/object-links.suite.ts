import { beforeAll, expect, it } from 'vitest'
import type { ObjectStore } from '#ports/object-store.ts'
import type { ObjectStoreSetup, Setup } from './setups.ts'
import { bytesOf, filledTo, newId, oddNames, plain, textOf, uniquePath } from './support.ts'

/** The laws of links: pinned to one version, and good for any HTTP client. */
export const describeLinks = (setup: Setup<ObjectStoreSetup>): void => {
  let all: ObjectStoreSetup
  let objects: ObjectStore
  beforeAll(async () => {
    all = await setup()
    ;({ objects } = all)
  })
  const linkTo = async (path: string, text: string) => {
    await objects.put(path, bytesOf(text), 'absent', plain, { operationId: newId() })
    const head = await objects.head(path)
    if (head === null) throw new Error('not there')
    return objects.link(path, head, 900)
  }

  it('a link gives the bytes, to whoever sends its headers', async () => {
    const { status, bytes } = await all.follow(await linkTo(uniquePath('link'), 'linked'))
    expect({ status, text: textOf(bytes) }).toEqual({ status: 200, text: 'linked' })
  })

  it('a link never gives another version: the one it names, or none', async () => {
    const path = uniquePath('link')
    const link = await linkTo(path, 'first')
    await all.outsider.write(path, bytesOf('second'))
    const { status, bytes } = await all.follow(link)
    expect([200, 412]).toContain(status)
    expect(status === 200 ? textOf(bytes) : 'first').toBe('first')
  })

  it('a link to what was deleted gives the version it names, or none', async () => {
    const path = uniquePath('link')
    const link = await linkTo(path, 'first')
    await all.outsider.remove(path)
    const { status, bytes } = await all.follow(link)
    expect([200, 404, 412]).toContain(status)
    expect(status === 200 ? textOf(bytes) : 'first').toBe('first')
  })

  it('a link may lead to an odd key', async () => {
    for (const name of oddNames) {
      const { status, bytes } = await all.follow(await linkTo(`${uniquePath('link')}/${name}`, name))
      expect({ status, text: textOf(bytes) }).toEqual({ status: 200, text: name })
    }
    const long = filledTo(uniquePath('link'), 1024)
    expect((await all.follow(await linkTo(long, 'long'))).status).toBe(200)
  })
}

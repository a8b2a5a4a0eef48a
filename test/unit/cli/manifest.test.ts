import { describe, expect, test } from 'vitest'
import { readManifest } from '#cli/manifest.ts'

const good = '{"kind":"write","path":"a","body":"1"}'

describe('a manifest', () => {
  test('is one operation a line; empty lines and a byte order mark do not count', async () => {
    const lines = await readManifest(`\uFEFF${good}\r\n\n  \n{"kind":"delete","path":"b"}`)
    expect(lines.map(({ line }) => line)).toEqual([1, 4])
    expect(lines[1]?.request).toEqual({ kind: 'delete', path: 'b' })
    expect(await readManifest('')).toEqual([])
  })

  test('comes in any pieces', async () => {
    async function* pieces() {
      for (const byte of Buffer.from(`${good}\n{"kind":"delete","path":"bé"}\n`)) yield Buffer.from([byte])
    }
    const lines = await readManifest(pieces())
    expect(lines[1]?.request).toMatchObject({ path: 'bé' })
  })

  test('is refused as a whole if a line is bad, and each such line is named, with its field', async () => {
    const text = [good, '{"kind":"write","path":"/a","body":"1"}', 'nonsense', '[]', '{"kind":"no"}'].join(
      '\n',
    )
    await expect(readManifest(text)).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringMatching(
        /line 2: path: got "\/a", expected .*line 3: .*line 4: .*line 5: kind: .*Nothing was/,
      ) as string,
      details: { lines: [{ line: 2, details: { field: 'path' } }, { line: 3 }, { line: 4 }, { line: 5 }] },
    })
  })

  test('of a thousand bad lines names the first twenty', async () => {
    await expect(readManifest('x\n'.repeat(1000))).rejects.toMatchObject({
      message: expect.stringContaining('And 980 more.') as string,
    })
  })

  test('may hold content that is too large for a record', async () => {
    const body = 'x'.repeat(100_000)
    expect(await readManifest(JSON.stringify({ kind: 'append', path: 'a', body }))).toHaveLength(1)
  })
})

import { pipeline } from 'node:stream/promises'
import { styleText } from 'node:util'

/** A reader that has seen enough (`head`) is no failure: nothing more is said, and the command goes on. */
export const ignoreClosedPipes = (): void => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}

export const printLine = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** One JSON document on one line, whatever is at the other end. */
export const printJson = (value: unknown): void => printLine(JSON.stringify(value))

/** For people, beside the output: to standard error. */
export const note = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

export const strongError = (text: string): string =>
  styleText(['red', 'bold'], text, { stream: process.stderr })

export const dim = (text: string): string => styleText('dim', text, { stream: process.stdout })

/** Bytes as they are, no faster than the reader takes them. A reader that goes away ends it. */
export const printBytes = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
  try {
    await pipeline(chunks, process.stdout, { end: false })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
}

/** Columns as wide as their widest cell; the last one as it is. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const lineOf = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
  return [dim(lineOf(header)), ...rows.map(lineOf)].join('\n')
}

/** A name and a value a line. */
export const properties = (values: Readonly<Record<string, string>>): string => {
  const width = Math.max(...Object.keys(values).map((name) => name.length))
  return Object.entries(values)
    .map(([name, value]) => `${dim(name.padEnd(width))}  ${value}`)
    .join('\n')
}

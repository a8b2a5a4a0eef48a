import type { Input } from './input.ts'
import { sizeText } from './measures.ts'
import { bar, progressLine } from './progress.ts'

/** Options of the client that show the way of a content to S3, and what takes the line away again. */
export const uploadProgress = (label: string, { size }: Pick<Input, 'size'>) => {
  const line = progressLine()
  return { size, onSent: (sent: number) => line.show(transferText(label, sent, size)), end: () => line.end() }
}

/** `backup.tar [####----]  50% 1.0 GiB of 2.0 GiB`; without a size only what was moved so far. */
export const transferText = (label: string, done: number, total: number | undefined): string =>
  total === undefined
    ? `${label} ${sizeText(done)}`
    : `${label} ${bar(total === 0 ? 1 : done / total)} ${sizeText(done)} of ${sizeText(total)}`

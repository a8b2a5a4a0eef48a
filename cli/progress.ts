/** A line on standard error that tells how far something is. Silent unless that is a terminal. */
export interface ProgressLine {
  show(text: string): void
  /** Takes the line away. */
  end(): void
}

/** Of a terminal that does not tell its width. */
const usualColumns = 80

/** More often than this nobody can read. */
const refreshMs = 100

export const progressLine = (stream: NodeJS.WriteStream = process.stderr): ProgressLine => {
  if (!stream.isTTY || process.env['TERM'] === 'dumb') return { show: () => undefined, end: () => undefined }
  let shownAt = 0
  return {
    show(text) {
      const now = Date.now()
      if (now - shownAt < refreshMs) return
      shownAt = now
      stream.write(`\r\u001b[K${text.slice(0, (stream.columns || usualColumns) - 1)}`)
    },
    end() {
      if (shownAt > 0) stream.write('\r\u001b[K')
      shownAt = 0
    },
  }
}

const barCells = 24

/** `[######------]  42%` for a share from 0 to 1. */
export const bar = (share: number): string => {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * barCells)
  return `[${'#'.repeat(full)}${'-'.repeat(barCells - full)}] ${String(Math.floor(share * 100)).padStart(3)}%`
}

import { invalid } from '#domain/errors.ts'

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const duration = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/

/**
 * `30s`, `500ms`, `2m`, `1h` in milliseconds. A number without a unit is refused: people disagree on what it
 * means.
 */
export const parseDuration = (text: string, field = '--timeout'): number => {
  const [, amount, unit] = duration.exec(text) ?? []
  if (amount === undefined || unit === undefined)
    throw invalid(field, text, 'a duration like 500ms, 30s, 2m or 1h')
  return Number(amount) * units[unit as keyof typeof units]
}

/** Of the time from `from` (ISO 8601) to now: `12 s`, `3 min`, `2 h`, `5 d`. */
export const ageOf = (from: string, now: number): string => {
  const seconds = Math.max(0, Math.round((now - Date.parse(from)) / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}

const sizes = ['KiB', 'MiB', 'GiB', 'TiB'] as const

/** `512 B`, `1.5 MiB`. */
export const sizeText = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes / 1024
  let index = 0
  for (; value >= 1024 && index < sizes.length - 1; index += 1) value /= 1024
  return `${value.toFixed(1)} ${sizes[index]}`
}

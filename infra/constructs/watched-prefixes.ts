import type { Rule } from '#domain/rule.ts'

/**
 * Characters that S3 takes literally in a notification filter. It wants all others percent-encoded, spaces as
 * `+`, and `*` not at all, while the emulators compare them raw.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
 */
const literalStart = /^[A-Za-z0-9/._-]*/

/**
 * The prefixes that S3 must watch so that every file some rule asks for is announced.
 *
 * S3 refuses filters that overlap, so a prefix that lies under another is left out; of a prefix with unusual
 * characters only the plain start is watched. Both announce more files than the rules want. That is fine: the
 * uploads function matches the rules itself. An empty prefix means the whole bucket.
 */
export function watchedPrefixes(rules: readonly Pick<Rule, 'prefix'>[]): string[] {
  const starts = new Set(rules.map((rule) => literalStart.exec(rule.prefix)?.[0] ?? ''))
  const merged: string[] = []
  // Sorted, a prefix comes right before all that it covers, so that looking at the last one kept is enough.
  for (const start of [...starts].sort()) {
    const last = merged.at(-1)
    if (last === undefined || !start.startsWith(last)) merged.push(start)
  }
  return merged
}

import type { Command } from 'commander'

/** Puts examples before everything else that `--help` prints: most who ask for help want one of them. */
export const examplesFirst = (
  command: Command,
  examples: readonly (readonly [line: string, what: string])[],
): Command => {
  const width = Math.max(...examples.map(([line]) => line.length))
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`)
  return command.addHelpText('before', `Examples:\n${lines.join('\n')}\n`)
}

import { readFileSync } from 'node:fs'

/** As package.json of this checkout, or of the installed package, says. */
export const version = (): string => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

import type { Command } from 'commander'
import { invalid } from '#domain/errors.ts'
import { parseDuration } from './measures.ts'

/** Options that several commands share, each with its one meaning. */

export interface JsonFlag {
  readonly json?: boolean
}

export const withJson = (command: Command, what = 'print one JSON document'): Command =>
  command.option('--json', what)

export interface WaitFlags extends JsonFlag {
  readonly wait?: boolean
  /** Milliseconds. */
  readonly timeout?: number
}

/** Of commands that submit: without them the id is printed once the operation is durably accepted. */
export const withWait = (command: Command): Command =>
  withTimeout(command.option('--wait', 'wait until it is done; exit 1 if it fails'))

export const withTimeout = (command: Command): Command =>
  withJson(
    command.option('--timeout <TIME>', 'wait at most this long (30s, 2m); then exit 124', (text) =>
      parseDuration(text),
    ),
  )

/** Of commands that work on one path or one named lock. */
export interface NameFlag {
  readonly name?: string
}

/** Exactly one of both. */
export const oneTarget = (path: string | undefined, name: string | undefined): string | { name: string } => {
  if ((path === undefined) === (name === undefined))
    throw invalid('PATH', path, 'a path, or --name instead of it')
  return name === undefined ? (path ?? '') : { name }
}

export interface SubmitFlags {
  readonly id?: string
  readonly ifMatch?: string
  readonly ifNoneMatch?: string
}

export const withId = (command: Command): Command =>
  command.option('--id <ID>', 'a ULID or any key: the same id with the same request runs once')

export const withConditions = (command: Command): Command =>
  withId(command)
    .option('--if-match <ETAG>', 'only if the file written is this version (* = exists)')
    .option('--if-none-match <ETAG>', 'only if it is not this version (* = does not exist)')

export interface ContentFlags extends SubmitFlags {
  readonly contentType?: string
  readonly metadata?: Readonly<Record<string, string>>
}

export const withContentOptions = (command: Command): Command =>
  withConditions(command)
    .option('--content-type <TYPE>', 'media type of the file')
    .option('--metadata <NAME=VALUE>', 'user metadata; may be repeated', collectMetadata)

/** `a=b` added to what was collected before. */
export const collectMetadata = (
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> => {
  const at = text.indexOf('=')
  if (at < 1) throw invalid('--metadata', text, 'NAME=VALUE')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/** A whole number of at least 1. */
export const countOf =
  (option: string) =>
  (text: string): number => {
    if (!/^[1-9]\d{0,8}$/.test(text)) throw invalid(option, text, 'a whole number from 1')
    return Number(text)
  }

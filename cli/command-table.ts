import type { Command } from 'commander'

/** What a module of `commands/` gives: it adds arguments, options and the action to its command. */
export interface CommandModule {
  readonly define: (command: Command) => void
}

interface CommandRow {
  readonly usage: string
  readonly summary: string
  /** Loaded only for the command that is meant. */
  readonly load: () => Promise<CommandModule>
}

/** Every command, in the order in which `--help` lists them. */
export const commandTable = {
  write: {
    usage: 'PATH [FILE|-]',
    summary: 'replace a file, or create it',
    load: () => import('./commands/write.ts'),
  },
  append: {
    usage: 'PATH [FILE|-]',
    summary: 'add to the end of a file, or create it',
    load: () => import('./commands/append.ts'),
  },
  read: {
    usage: 'PATH [-o FILE]',
    summary: 'print a file, after all that was submitted before',
    load: () => import('./commands/read.ts'),
  },
  stat: {
    usage: 'PATH',
    summary: 'print size, ETag, type and metadata of a file',
    load: () => import('./commands/stat.ts'),
  },
  copy: { usage: 'FROM TO', summary: 'copy a file', load: () => import('./commands/copy.ts') },
  move: { usage: 'FROM TO', summary: 'move a file', load: () => import('./commands/move.ts') },
  delete: { usage: 'PATH', summary: 'delete a file', load: () => import('./commands/delete.ts') },
  concat: {
    usage: 'FROM... TO',
    summary: 'make a file of others, one after another',
    load: () => import('./commands/concat.ts'),
  },
  checksum: {
    usage: 'PATH --algorithm NAME',
    summary: 'compute a checksum of a file',
    load: () => import('./commands/checksum.ts'),
  },
  put: {
    usage: 'FILE... PATH',
    summary: 'write files of any size, in parallel parts',
    load: () => import('./commands/put.ts'),
  },
  get: {
    usage: 'PATH FILE',
    summary: 'read a file of any size, in parallel ranges',
    load: () => import('./commands/get.ts'),
  },
  ls: { usage: '[PREFIX]', summary: 'list files', load: () => import('./commands/ls.ts') },
  run: {
    usage: 'MANIFEST.jsonl|-',
    summary: 'submit many operations, one a line',
    load: () => import('./commands/run.ts'),
  },
  show: { usage: 'ID', summary: 'print an operation', load: () => import('./commands/show.ts') },
  wait: { usage: 'ID...', summary: 'wait for operations to end', load: () => import('./commands/wait.ts') },
  list: {
    usage: '[--path PATH] [--status STATUS]',
    summary: 'list operations: open ones, then finished ones',
    load: () => import('./commands/list.ts'),
  },
  cancel: { usage: 'ID', summary: 'cancel an operation', load: () => import('./commands/cancel.ts') },
  lock: {
    usage: 'PATH... [--name NAME] -- COMMAND...',
    summary: 'run a command while holding files, or named locks',
    load: () => import('./commands/lock.ts'),
  },
  break: {
    usage: 'PATH|--name NAME',
    summary: 'take a lock away from its holder',
    load: () => import('./commands/break.ts'),
  },
  line: {
    usage: 'PATH|--name NAME',
    summary: 'who holds a file or a lock, who waits, and since when',
    load: () => import('./commands/line.ts'),
  },
  lines: {
    usage: '',
    summary: 'the files and locks in whose line somebody stands',
    load: () => import('./commands/lines.ts'),
  },
  doctor: {
    usage: '',
    summary: 'check the deployment, part by part',
    load: () => import('./commands/doctor.ts'),
  },
  local: {
    usage: 'up|down|status|reset',
    summary: 'a whole deployment on this machine',
    load: () => import('./commands/local.ts'),
  },
} as const satisfies Record<string, CommandRow>

export type CommandName = keyof typeof commandTable

export const commandNames = Object.keys(commandTable) as readonly CommandName[]

export const isCommandName = (word: string): word is CommandName => Object.hasOwn(commandTable, word)

import { Command, CommanderError } from 'commander'
import { commandNames, commandTable, isCommandName } from './command-table.ts'
import { exitCodes, isHelpInstead, reportFailure } from './failure.ts'
import { examplesFirst } from './help.ts'
import { Interrupted } from './interrupt.ts'
import { ignoreClosedPipes } from './output.ts'
import { version } from './version.ts'

/** Options of every command that take a value: what follows them is no name of a command. */
const globalOptions = ['--stage', '--endpoint', '--region'] as const

/**
 * The command that is meant: the first word, or the one after `help`. Only its module is loaded, since each
 * costs a few milliseconds and its dependencies many more.
 */
const commandIn = (words: readonly string[]): string | undefined => {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (globalOptions.some((option) => option === word)) index += 1
    else if (!word.startsWith('-') && word !== 'help') return word
  }
  return undefined
}

const buildProgram = async (words: readonly string[]): Promise<Command> => {
  const program = new Command('lockstep')
    .description('Asynchronous file operations on plain S3 objects, in order and exactly once.')
    .version(version(), '-V, --version', 'print the version')
    .option('--stage <NAME>', 'use the deployment of this stage (default: LOCKSTEP_STAGE, or dev)')
    .option('--endpoint <URL>', 'of an emulator (default: AWS_ENDPOINT_URL)')
    .option('--region <NAME>', 'of the deployment (default: AWS_REGION)')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
  examplesFirst(program, [
    ['lockstep local up', 'a whole deployment on this machine'],
    ['lockstep write notes/hello.txt hello.txt --wait', 'write a file, and wait until it is there'],
    ['echo more | lockstep append notes/hello.txt', 'append; prints the id of the operation'],
    ['lockstep read notes/hello.txt', 'read it, after all that was submitted before'],
    ['lockstep put backup.tar backups/ --wait', 'a large file, in parallel parts'],
    ['lockstep line notes/hello.txt', 'who holds the file, and who waits'],
    ['lockstep doctor', 'what is wrong, and what to do about it'],
  ])
  const meant = commandIn(words)
  for (const name of commandNames) {
    const command = program.command(name).summary(commandTable[name].summary)
    command.description(commandTable[name].summary)
    if (name === meant) (await commandTable[name].load()).define(command)
    else command.usage(commandTable[name].usage)
  }
  return program
}

/** With `--json` even a failure to understand the command line is one JSON document. */
const wantsJson = (words: readonly string[]): boolean => {
  const end = words.indexOf('--')
  return (end < 0 ? words : words.slice(0, end)).includes('--json')
}

const isHelp = (error: unknown): boolean => error instanceof CommanderError && error.exitCode === 0

const main = async (words: readonly string[]): Promise<void> => {
  ignoreClosedPipes()
  try {
    const program = await buildProgram(words)
    await program.parseAsync(words, { from: 'user' })
  } catch (error) {
    if (isHelp(error)) return
    if (isHelpInstead(error) && !wantsJson(words)) {
      process.exitCode = exitCodes.usage
      return
    }
    const meant = commandIn(words)
    const command = meant !== undefined && isCommandName(meant) ? `lockstep ${meant}` : 'lockstep'
    process.exitCode = reportFailure(error, { json: wantsJson(words), command })
    // Standard input may be waiting for somebody, and would keep the process.
    if (error instanceof Interrupted) process.exit()
  }
}

await main(process.argv.slice(2))

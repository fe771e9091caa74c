#!/usr/bin/env node
/**
 * Runs the command line: reads arguments, prints help, and loads the commands when one runs. This file and `help.ts` must
 * not need the rest of the library, so that `--help` and `--version` work without the addon.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type * as Commands from './commands';
import { COMMANDS, type CommandName, helpOf, OVERVIEW } from './help';

/** Exit codes: 0 nothing found, 1 findings or differences, 2 wrong arguments or an unreadable source. */
const UNREADABLE = 2;

const commands = () => require('./commands') as typeof Commands;

async function main([name, ...rest]: string[]): Promise<number> {
  if (name === undefined) return fail(OVERVIEW);
  if (/^(?:-h|--help|help)$/.test(name)) return print(isCommand(rest[0]) ? helpOf(rest[0]) : OVERVIEW);
  if (/^(?:-V|--version)$/.test(name)) return print(version());
  if (!isCommand(name)) {
    const [similar] = commands().similarNames(name, Object.keys(COMMANDS));
    const hint = similar === undefined ? '' : `Did you mean ${similar}? `;
    return fail(`Unknown command ${JSON.stringify(name)}. ${hint}Run with --help for the list.`);
  }
  const { values, positionals } = readArguments(name, rest);
  if (values.help === true) return print(helpOf(name));
  const { least, most } = COMMANDS[name].operands;
  if (positionals.length < least || positionals.length > most) return fail(helpOf(name));
  return commands().run[name](positionals, values);
}

function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(COMMANDS, name);
}

function readArguments(name: CommandName, args: string[]): { values: Commands.Values; positionals: string[] } {
  const { options } = COMMANDS[name];
  try {
    return parseArgs({ args, options, allowPositionals: true }) as { values: Commands.Values; positionals: string[] };
  } catch (error) {
    const { message } = error as Error;
    const unknown = /^Unknown option '-*([^']+)'/.exec(message)?.[1];
    const similar = unknown === undefined ? undefined : commands().similarNames(unknown, Object.keys(options))[0];
    const hint = similar === undefined ? '' : ` Did you mean --${similar}?`;
    const said = unknown === undefined ? message : `Unknown option --${unknown}.`;
    throw Object.assign(new Error(`${said}${hint} Run ${name} --help for the list.`), { exitCode: UNREADABLE });
  }
}

function version(): string {
  return JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')).version;
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function fail(text: string): number {
  process.stderr.write(`${text}\n`);
  return UNREADABLE;
}

/** A reader that has seen enough, such as `head`, closes the pipe. */
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
  process.exit(code === 'EPIPE' ? undefined : UNREADABLE),
);
process.stderr.on('error', () => {});

// The process ends by itself: process.exit() would cut off output to a pipe.
main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error & { exitCode?: number }) => {
    process.exitCode = fail(
      error.exitCode === undefined ? String(error.stack) : `prometheus-metrics: ${error.message}`,
    );
  },
);

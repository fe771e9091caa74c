/**
 * Names the platform of this process as the prebuilt packages do. The C library is the one that the process runs with:
 * a machine may have files of the other one too. Does not depend on packages.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';

/** A C library of Linux. */
export type LibC = 'glibc' | 'musl';

/** The operating system and processor as the packages are named: `linux-x64`, `darwin-arm64`. */
export function systemName(): string {
  return `${process.platform}-${process.arch}`;
}

/** The names of the packages that fit this process: those of both C libraries if the one of the process is unknown. */
export function fittingNames(): readonly string[] {
  const names = platformNames();
  return process.platform === 'linux' && runningLibC() === undefined ? names : [names[0]];
}

/** The names of the packages to try, the likely one first: on Linux one for each C library. */
export function platformNames(): readonly string[] {
  const system = systemName();
  if (process.platform === 'win32') return [`${system}-msvc`];
  if (process.platform !== 'linux') return [system];
  const names = [`${system}-gnu`, `${system}-musl`];
  return runningLibC() === 'musl' ? names.reverse() : names;
}

/**
 * The C library of this process; `undefined` if it cannot be told. Reads the executable's interpreter, which takes a
 * tenth of the time of a diagnostic report.
 */
export function runningLibC(): LibC | undefined {
  try {
    const interpreter = interpreterOf(process.execPath);
    if (interpreter === undefined) return undefined;
    return basename(interpreter).startsWith('ld-musl-') ? 'musl' : 'glibc';
  } catch {
    // The permission model may forbid to read the executable.
    return undefined;
  }
}

/** The type of the entry of an ELF file that names its interpreter. */
const PT_INTERP = 3;

/** The dynamic loader that a 64-bit ELF file names; tools that patch executables may have moved the table to its end. */
function interpreterOf(path: string): string | undefined {
  const file = openSync(path, 'r');
  const read = (offset: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
  };
  try {
    const header = read(0, 64);
    const [at, size, count] = [Number(header.readBigUInt64LE(32)), header.readUInt16LE(54), header.readUInt16LE(56)];
    const table = read(at, size * count);
    for (let entry = 0; entry < table.length; entry += size) {
      if (table.readUInt32LE(entry) !== PT_INTERP) continue;
      const [start, length] = [entry + 8, entry + 32].map((field) => Number(table.readBigUInt64LE(field)));
      return read(start, length).toString('latin1').replace(/\0.*$/s, '');
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

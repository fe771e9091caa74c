/**
 * Checks a Linux addon that is to be published: the newest symbol version of glibc that it needs, that it is never
 * unloaded, and its size. Reads the ELF file itself, so that it also checks binaries of other processors.
 *
 * `node .ci/release-binary.mjs <file>` prints the findings and fails if one is wrong.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The glibc of CentOS 7 and everything since. */
const GLIBC_MAX = '2.17';
const BYTES_MAX = 4_000_000;

const SHT_DYNAMIC = 6;
const SHT_GNU_VERNEED = 0x6ffffffe;
const DT_FLAGS_1 = 0x6ffffffb;
const DF_1_NODELETE = 0x8;

/** The facts about an addon. `glibc` is undefined if it needs none, as with musl. */
export function inspect(bytes) {
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) {
    throw new Error('Expected a 64-bit little-endian ELF file');
  }
  const sections = sectionsOf(bytes);
  const versions = sections
    .filter(({ type }) => type === SHT_GNU_VERNEED)
    .flatMap((s) => versionsOf(bytes, s, sections));
  const glibc = versions.filter((version) => /^GLIBC_[0-9.]+$/.test(version)).map((version) => version.slice(6));
  return {
    glibc: glibc.sort(compareVersions).at(-1),
    isNeverUnloaded: sections.filter(({ type }) => type === SHT_DYNAMIC).some((section) => isNoDelete(bytes, section)),
    bytes: bytes.length,
  };
}

/** What is wrong with an addon, one sentence each. */
export function faultsOf({ glibc, isNeverUnloaded, bytes }) {
  const faults = [];
  if (glibc !== undefined && compareVersions(glibc, GLIBC_MAX) > 0) {
    faults.push(`Expected symbols of glibc ${GLIBC_MAX} at most but received ${glibc}`);
  }
  if (!isNeverUnloaded) faults.push('Expected the linker flag NODELETE but it is missing');
  if (bytes > BYTES_MAX) faults.push(`Expected at most ${BYTES_MAX} bytes but received ${bytes}`);
  return faults;
}

function sectionsOf(bytes) {
  const [table, size, count] = [Number(bytes.readBigUInt64LE(40)), bytes.readUInt16LE(58), bytes.readUInt16LE(60)];
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * size;
    return {
      type: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      length: Number(bytes.readBigUInt64LE(at + 32)),
      link: bytes.readUInt32LE(at + 40),
      entries: bytes.readUInt32LE(at + 44),
    };
  });
}

/** The names in a section of needed versions: a list of libraries, each with a list of versions. */
function versionsOf(bytes, { offset, link, entries }, sections) {
  const names = [];
  for (let library = offset, left = entries; left > 0; left--) {
    let version = library + bytes.readUInt32LE(library + 8);
    for (let count = bytes.readUInt16LE(library + 2); count > 0; count--) {
      const start = sections[link].offset + bytes.readUInt32LE(version + 8);
      names.push(bytes.toString('latin1', start, bytes.indexOf(0, start)));
      version += bytes.readUInt32LE(version + 12);
    }
    library += bytes.readUInt32LE(library + 12);
  }
  return names;
}

function isNoDelete(bytes, { offset, length }) {
  for (let at = offset; at < offset + length; at += 16) {
    if (Number(bytes.readBigUInt64LE(at)) !== DT_FLAGS_1) continue;
    return (Number(bytes.readBigUInt64LE(at + 8)) & DF_1_NODELETE) !== 0;
  }
  return false;
}

function compareVersions(one, other) {
  const [a, b] = [one, other].map((version) => version.split('.').map(Number));
  const index = a.findIndex((number, at) => number !== (b[at] ?? 0));
  return index === -1 ? a.length - b.length : a[index] - (b[index] ?? 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file] = process.argv.slice(2);
  const found = inspect(readFileSync(file));
  console.log(
    `${file}: glibc ${found.glibc ?? 'none'}, never unloaded: ${found.isNeverUnloaded}, ${found.bytes} bytes`,
  );
  const faults = faultsOf(found);
  for (const fault of faults) console.error(`✗ ${fault}`);
  if (faults.length > 0) process.exit(1);
}

// Uses the exposition functions of the subpath for tests.

import { type Registry, register } from '@llm-devops/prometheus-metrics';
import {
  diffSnapshots,
  type Exposition,
  ExpositionError,
  type ParsedFamily,
  type ParsedSample,
  parseExposition,
  replay,
  type SnapshotDiff,
  synthesize,
} from '@llm-devops/prometheus-metrics/testing';

const exposition: Exposition = parseExposition('a 1\n', { format: 'text', strict: true });
const [family]: readonly ParsedFamily[] = exposition.families;
const [sample]: ParsedSample[] = family.samples;
export const values: (number | undefined)[] = [
  sample.value,
  sample.timestamp,
  sample.exemplar?.value,
  exposition.value('a', { b: 1, c: true, d: undefined }),
  exposition.family('a')?.samples.length,
];
export const diff: SnapshotDiff = diffSnapshots('a 1\n', exposition);
export const deltas: number[] = [diff.delta('a', { b: 'c' }), ...diff.changed.map(({ delta }) => delta)];
export const registries: Registry[] = [
  register,
  replay(exposition),
  replay(Buffer.from('a 1\n')),
  synthesize({ seed: 1, families: 2, series: 3, hostile: true, contentType: register.contentType }),
];
try {
  parseExposition('');
} catch (error) {
  if (error instanceof ExpositionError) [error.code, error.line.toFixed(), error.column.toFixed()] satisfies string[];
}
// @ts-expect-error: there is no such format
parseExposition('', { format: 'json' });
// @ts-expect-error: a snapshot is an exposition, not a registry
diffSnapshots(register, register);

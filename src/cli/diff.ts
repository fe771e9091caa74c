/**
 * Compares two expositions: metrics and their label names, series, and values.
 */
import { api } from '../realm';
import { familiesOf } from './families';
import { readExposition } from './source';
import { shown, writeJson, writeLine } from './terminal';
import { CommandError, type Values } from './values';

export async function diff([before, after]: string[], values: Values): Promise<number> {
  if (before === '-' && after === '-') throw new CommandError('Expected one operand to be a URL or a file');
  const [old, now] = [await readExposition(before, values), await readExposition(after, values)];
  const { SnapshotDiff, diffSnapshots } = api.testing();
  const whole = diffSnapshots(old, now);
  const changes = values.schema === true ? new SnapshotDiff([], [], [], whole.families) : whole;
  const labels = changedLabels(labelsOf(old), labelsOf(now));
  if (values.json === true) {
    const { added, removed, changed, families } = changes;
    writeJson({ equal: changes.isEmpty && labels.length === 0, families, labels, added, removed, changed });
  } else {
    const lines = changes.isEmpty && labels.length > 0 ? [] : changes.toString().split('\n');
    // The first line counts series, which `--schema` does not compare.
    for (const line of values.schema === true && lines.length > 1 ? lines.slice(1) : lines) writeLine(shown(line));
    for (const { name, before, after } of labels) {
      writeLine(shown(`  ~ labels of ${name}: ${before.join(', ') || '-'} → ${after.join(', ') || '-'}`));
    }
  }
  return changes.isEmpty && labels.length === 0 ? 0 : 1;
}

function labelsOf(exposition: Parameters<typeof familiesOf>[0]): Map<string, string[]> {
  const families = familiesOf(exposition).filter(({ series }) => series > 0);
  return new Map(families.map(({ name, labels }) => [name, [...labels.keys()].sort()]));
}

/** Metrics of both expositions whose series have other label names. */
function changedLabels(old: Map<string, string[]>, now: Map<string, string[]>) {
  return [...old].flatMap(([name, before]) => {
    const after = now.get(name);
    return after === undefined || after.join() === before.join() ? [] : [{ name, before, after }];
  });
}

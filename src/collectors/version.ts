/**
 * Shows the version of Node.js.
 */
import { commonLabels, makeGauge, type Naming, type Part } from './part';

const OWN: readonly string[] = ['version', 'major', 'minor', 'patch'];

export function versionPart(naming: Naming): Part {
  const [major, minor, patch] = process.version.match(/\d+/g)?.map(Number) ?? [];
  const gauge = makeGauge(
    naming,
    {
      name: 'nodejs_version_info',
      help: 'Node.js version info.',
      own: OWN,
      aggregator: 'first',
    },
    // Set at each scrape, so that it returns after a reset.
    () => series.set(1),
  );
  const series = gauge.labels({ version: process.version, major, minor, patch, ...commonLabels(naming.labels, OWN) });
  return { metrics: [gauge], refresh: () => series.set(1) };
}

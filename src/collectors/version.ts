/**
 * Shows the version of Node.js.
 */
import { makeGauge, type Naming, type Part } from './part';

export function versionPart(naming: Naming): Part {
  const [major, minor, patch] = process.version.match(/\d+/g)?.map(Number) ?? [];
  const gauge = makeGauge(
    naming,
    {
      name: 'nodejs_version_info',
      help: 'The version of Node.js, in labels',
      own: ['version', 'major', 'minor', 'patch'],
      aggregator: 'first',
    },
    // Set at each scrape, so that it returns after a reset.
    () => series.set(1),
  );
  const series = gauge.labels({ version: process.version, major, minor, patch, ...naming.labels });
  return { metrics: [gauge], refresh: () => series.set(1) };
}

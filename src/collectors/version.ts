/**
 * Which Node.js this is.
 */
import { gaugeOf, type Naming, type Part } from './part';

export function versionPart(naming: Naming): Part {
  const [major, minor, patch] = process.version.match(/\d+/g)?.map(Number) ?? [];
  const gauge = gaugeOf(
    naming,
    {
      name: 'nodejs_version_info',
      help: 'The version of Node.js, in labels',
      own: ['version', 'major', 'minor', 'patch'],
      aggregator: 'first',
    },
    // At each scrape, so that it is back after a reset.
    () => series.set(1),
  );
  const series = gauge.labels({ version: process.version, major, minor, patch, ...naming.labels });
  return { metrics: [gauge], refresh: () => series.set(1) };
}

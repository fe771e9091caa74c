// Exemptions for the OpenMetrics format.

import { isText } from '../calls.mjs';
import { mapHelp, mapSamples } from '../exposition.mjs';
import { mapText } from './results.mjs';

export function openMetricsRenames(call, next) {
  if (!isOpenMetricsText(call)) {
    return next(call);
  }
  const counters = call.raw.getMetricsAsArray().filter(({ type }) => type === 'counter');
  const names = counters.map(({ name }) => name);
  for (const counter of counters) {
    counter.name = counter.name.replace(/_total$/, '');
  }
  return next(call).finally(() => {
    counters.forEach((counter, i) => {
      counter.name = names[i];
    });
  });
}

export function openMetricsHelpUnescaped(call, next) {
  return mapOpenMetrics(call, next, (text) => mapHelp(text, (help) => help.replaceAll('"', '\\"')));
}

export function openMetricsBucketBounds(call, next) {
  const canonical = (labels) => labels.replace(/^le="([^"]*)"/, (_, bound) => `le="${canonicalBound(bound)}"`);
  return mapOpenMetrics(call, next, (text) =>
    mapSamples(text, (sample) =>
      sample.name.endsWith('_bucket') ? { ...sample, labels: canonical(sample.labels) } : sample,
    ),
  );
}

export function openMetricsBlankLine(call, next) {
  return mapOpenMetrics(call, next, (text) => (text === '\n# EOF\n' ? '# EOF\n' : text));
}

export function openMetricsUntyped(call, next) {
  return mapOpenMetrics(call, next, (text) => text.replace(/^(# TYPE \S+) untyped$/gm, '$1 unknown'));
}

export function openMetricsNegativeBuckets(call, next) {
  // The first bucket comes before the other samples of a family, so its lowest bound is known by then.
  let negative = false;
  const keeps = (line) => {
    const first = /^\S+_bucket\{le="([^"]*)"/.exec(line);
    negative = line.startsWith('# ') ? false : negative || Number(first?.[1]) < 0;
    return !(negative && /^[^\s{]+_(sum|count)[ {]/.test(line));
  };
  return mapOpenMetrics(call, next, (text) => text.split('\n').filter(keeps).join('\n'));
}

function mapOpenMetrics(call, next, change) {
  return isOpenMetricsText(call) ? mapText(call, next, change) : next(call);
}

function isOpenMetricsText(call) {
  return isText(call) && call.raw.contentType === call.peer.Registry.OPENMETRICS_CONTENT_TYPE;
}

/**
 * A bucket bound as Go prints it: shortest digits; an exponent of two digits from 1e+06 and below 1e-04; otherwise a
 * decimal point.
 */
function canonicalBound(text) {
  const bound = Number(text);
  if (!Number.isFinite(bound)) {
    return text;
  }
  const [mantissa, exponent] = bound.toExponential().split('e');
  if (Number(exponent) < -4 || Number(exponent) >= 6) {
    return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  return Number.isInteger(bound) ? `${bound}.0` : text;
}

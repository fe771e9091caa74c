// Lists every place where this library deliberately differs from a peer, or where the peers differ from each other. An
// exemption is one named function around a peer's call that makes the peer behave like this library (see
// adapted-peer.mjs). A restriction is one named function that keeps something out of the generated programs.
// docs/compatibility.md gives each reason in the section of the same name, and exemptions.test.mjs shows that the peer
// still differs.

import {
  aggregatorUnchecked,
  bucketsUnchecked,
  configurationErrorsAreErrors,
  defaultLabelNamesUnchecked,
  failedConstructorRegisters,
  infiniteBucket,
  invalidNamesUnnamed,
  repeatedLabelName,
  unknownLabelsSorted,
  unknownMetricUnnamed,
} from './exemptions/construction.mjs';
import {
  exemplarLabelsAsGiven,
  exemplarMetricChild,
  exemplarMetricPlainValue,
  exemplarOfZeroIsOne,
  exemplarsNeedOpenMetrics,
  exemplarTooLong,
  exemplarValueIsTotal,
  exemplarWithoutLabels,
} from './exemptions/exemplars.mjs';
import {
  childrenShareSeries,
  counterLabelsUnchecked,
  emptyLabelIsAbsent,
  gaugeSetReplacesLabels,
  labelObjectKept,
  labelSetsCollide,
  loneSurrogatesKept,
  nullAsFirstValue,
  zeroReplacesLabels,
  zeroUnchecked,
} from './exemptions/labels.mjs';
import {
  openMetricsBlankLine,
  openMetricsBucketBounds,
  openMetricsHelpUnescaped,
  openMetricsNegativeBuckets,
  openMetricsRenames,
  openMetricsUntyped,
} from './exemptions/openmetrics.mjs';
import {
  collectFailsScrape,
  collectRunsWhileOthersPrint,
  getReturnsLiveEntries,
  jsonDefaultsReplaceFalsy,
  jsonInfinityWithoutExemplar,
  jsonKeepsLabelTypes,
  nanSpelling,
} from './exemptions/scrapes.mjs';
import {
  counterTakesFalsyValues,
  firstDeltaKeepsZeroSign,
  gaugeDecCoerces,
  gaugeNullDelta,
  incReturnsHash,
  labelsCheckedFirst,
  observeForgetsFalsyValues,
} from './exemptions/values.mjs';

/** The exemptions in the order in which they wrap a call, outermost first, and their peers. */
export const exemptions = [
  [labelObjectKept, 'both'],
  [loneSurrogatesKept, 'both'],
  [nullAsFirstValue, 'both'],
  [failedConstructorRegisters, 'both'],
  [invalidNamesUnnamed, 'prom-client'],
  [repeatedLabelName, 'both'],
  [defaultLabelNamesUnchecked, 'both'],
  [unknownMetricUnnamed, 'both'],
  [configurationErrorsAreErrors, 'both'],
  [infiniteBucket, 'both'],
  [bucketsUnchecked, 'both'],
  [aggregatorUnchecked, 'both'],
  [unknownLabelsSorted, '@prometheus-io/client'],
  [collectFailsScrape, 'both'],
  [collectRunsWhileOthersPrint, 'both'],
  [exemplarsNeedOpenMetrics, 'both'],
  [exemplarMetricPlainValue, 'both'],
  [labelsCheckedFirst, 'prom-client'],
  [exemplarTooLong, 'both'],
  [exemplarWithoutLabels, 'both'],
  [exemplarLabelsAsGiven, 'both'],
  [exemplarMetricChild, 'both'],
  [counterTakesFalsyValues, 'both'],
  [observeForgetsFalsyValues, 'both'],
  [gaugeNullDelta, 'prom-client'],
  [gaugeDecCoerces, 'both'],
  [incReturnsHash, 'prom-client'],
  [zeroUnchecked, 'prom-client'],
  [counterLabelsUnchecked, 'both'],
  [labelSetsCollide, 'both'],
  [emptyLabelIsAbsent, 'both'],
  [gaugeSetReplacesLabels, 'prom-client'],
  [childrenShareSeries, 'both'],
  [zeroReplacesLabels, 'both'],
  [exemplarValueIsTotal, '@prometheus-io/client'],
  [exemplarOfZeroIsOne, 'prom-client'],
  [firstDeltaKeepsZeroSign, 'both'],
  [getReturnsLiveEntries, 'both'],
  [jsonDefaultsReplaceFalsy, 'prom-client'],
  [jsonKeepsLabelTypes, 'both'],
  [jsonInfinityWithoutExemplar, 'both'],
  [nanSpelling, 'both'],
  [openMetricsRenames, 'both'],
  [openMetricsHelpUnescaped, 'both'],
  [openMetricsBucketBounds, 'both'],
  [openMetricsBlankLine, 'both'],
  [openMetricsUntyped, 'both'],
  [openMetricsNegativeBuckets, 'both'],
].map(([exemption, peers]) => ({
  name: exemption.name,
  exemption,
  peers: peers === 'both' ? ['prom-client', '@prometheus-io/client'] : [peers],
}));

/** The functions that wrap the calls of one peer. The exemption named in the argument is left out. */
export function exemptionsFor(peerName, without) {
  return exemptions
    .filter(({ name, peers }) => peers.includes(peerName) && name !== without)
    .map(({ exemption }) => exemption);
}

// Restrictions: they keep something out of programs, because no other call would make the peer agree.

export function bucketOfMinusOne(bounds) {
  return bounds.filter((bound) => bound !== -1);
}

export function namesThatClash(names) {
  const written = (name) => ['', '_total', '_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix}`);
  return names.filter((name) => !names.some((other) => other !== name && written(other).includes(name)));
}

export const restrictions = [bucketOfMinusOne, namesThatClash];

// The loops that summary.mjs times. Each library imports it with its own query string, so each has its own call sites and
// thus its own type feedback.

import { hot, LABEL_NAMES, LAP } from './inputs.mjs';

/** Skewed durations in seconds, all different: digests have to do their work. Sums are not exact. */
export const durations = Float64Array.from({ length: LAP }, (_, i) => Math.exp((((i * 7919) % LAP) / LAP) * 8) / 1000);

const WINDOW = { maxAgeSeconds: 600, ageBuckets: 5 };

/** By case id: a function that sets the case up and returns its loop over `calls` calls. */
export const loops = {
  none: (world, name) => unlabelled(world.summary(name)),
  labels: (world, name) => labelled(world.summary(name, LABEL_NAMES)),
  child: (world, name) => {
    const [method, route, status] = [hot.method[0], hot.route[0], hot.status[0]];
    const child = world.summary(name, LABEL_NAMES).labels({ method, route, status });
    return (calls) => {
      for (let i = 0; i < calls; i++) child.observe(durations[i & (LAP - 1)]);
    };
  },
  'window-none': (world, name) => unlabelled(world.summary(name, [], WINDOW)),
  'window-labels': (world, name) => labelled(world.summary(name, LABEL_NAMES, WINDOW)),
};

function unlabelled(summary) {
  return (calls) => {
    for (let i = 0; i < calls; i++) summary.observe(durations[i & (LAP - 1)]);
  };
}

function labelled(summary) {
  const { method, route, status } = hot;
  return (calls) => {
    for (let i = 0; i < calls; i++) {
      const at = i & 7;
      summary.observe({ method: method[at], route: route[at], status: status[at] }, durations[i & (LAP - 1)]);
    }
  };
}

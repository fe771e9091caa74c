// The loops that record.mjs times, for libraries with prom-client's API. Each library imports it with its own query
// string, so each has its own call sites and thus its own type feedback.

import { amounts, halves, hot, LABEL_NAMES, latencies, wide, wideOrder } from './inputs.mjs';

/** By case id: a function that sets the case up and returns its loop over `calls` calls. */
export const loops = {
  'counter-ones': (world, name) => {
    const counter = world.counter(name);
    return (calls) => {
      for (let i = 0; i < calls; i++) counter.inc();
    };
  },
  counter: (world, name) => {
    const counter = world.counter(name);
    return (calls) => {
      for (let i = 0; i < calls; i++) counter.inc(amounts[i & 1023]);
    };
  },
  'counter-child': (world, name) => {
    const child = childrenOf(world.counter(name, LABEL_NAMES))[0];
    return (calls) => {
      for (let i = 0; i < calls; i++) child.inc(amounts[i & 1023]);
    };
  },
  'counter-children': (world, name) => {
    const children = childrenOf(world.counter(name, LABEL_NAMES));
    return (calls) => {
      for (let i = 0; i < calls; i++) children[i & 7].inc(amounts[i & 1023]);
    };
  },
  'counter-hot': (world, name) => {
    const counter = world.counter(name, LABEL_NAMES);
    const { method, route, status } = hot;
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = i & 7;
        counter.inc({ method: method[at], route: route[at], status: status[at] }, amounts[i & 1023]);
      }
    };
  },
  'counter-wide': (world, name) => {
    const counter = world.counter(name, LABEL_NAMES);
    const { method, route, status } = wide;
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = wideOrder[i & 16383];
        counter.inc({ method: method[at], route: route[at], status: status[at] }, amounts[i & 1023]);
      }
    };
  },
  'counter-hot-fresh': (world, name) => {
    const counter = world.counter(name, LABEL_NAMES);
    const [method, route, status] = [halves(hot.method), halves(hot.route), halves(hot.status)];
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = i & 7;
        const labels = {
          method: method.heads[at] + method.tails[at],
          route: route.heads[at] + route.tails[at],
          status: status.heads[at] + status.tails[at],
        };
        counter.inc(labels, amounts[i & 1023]);
      }
    };
  },
  'counter-wide-fresh': (world, name) => {
    const counter = world.counter(name, LABEL_NAMES);
    const [method, route, status] = [halves(wide.method), halves(wide.route), halves(wide.status)];
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = wideOrder[i & 16383];
        const labels = {
          method: method.heads[at] + method.tails[at],
          route: route.heads[at] + route.tails[at],
          status: status.heads[at] + status.tails[at],
        };
        counter.inc(labels, amounts[i & 1023]);
      }
    };
  },
  histogram: (world, name) => {
    const histogram = world.histogram(name);
    return (calls) => {
      for (let i = 0; i < calls; i++) histogram.observe(latencies[i & 1023]);
    };
  },
  'histogram-child': (world, name) => {
    const child = childrenOf(world.histogram(name, LABEL_NAMES))[0];
    return (calls) => {
      for (let i = 0; i < calls; i++) child.observe(latencies[i & 1023]);
    };
  },
  'histogram-hot': (world, name) => {
    const histogram = world.histogram(name, LABEL_NAMES);
    const { method, route, status } = hot;
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = i & 7;
        histogram.observe({ method: method[at], route: route[at], status: status[at] }, latencies[i & 1023]);
      }
    };
  },
  'histogram-wide': (world, name) => {
    const histogram = world.histogram(name, LABEL_NAMES);
    const { method, route, status } = wide;
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = wideOrder[i & 16383];
        histogram.observe({ method: method[at], route: route[at], status: status[at] }, latencies[i & 1023]);
      }
    };
  },
  gauge: (world, name) => {
    const gauge = world.gauge(name);
    return (calls) => {
      for (let i = 0; i < calls; i++) gauge.set(amounts[i & 1023]);
    };
  },
};

function childrenOf(metric) {
  return hot.method.map((method, at) => metric.labels({ method, route: hot.route[at], status: hot.status[at] }));
}

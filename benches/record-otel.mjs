// The loops that record.mjs times, for OpenTelemetry, which takes the value first and has no children.

import { amounts, halves, hot, latencies, wide, wideOrder } from './inputs.mjs';

/** By case id: a function that sets the case up and returns its loop over `calls` calls. */
export const loops = {
  'counter-ones': (world, name) => {
    const counter = world.counter(name);
    return (calls) => {
      for (let i = 0; i < calls; i++) counter.add(1);
    };
  },
  counter: (world, name) => {
    const counter = world.counter(name);
    return (calls) => {
      for (let i = 0; i < calls; i++) counter.add(amounts[i & 1023]);
    };
  },
  'counter-hot': (world, name) => {
    const counter = world.counter(name);
    const { method, route, status } = hot;
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = i & 7;
        counter.add(amounts[i & 1023], { method: method[at], route: route[at], status: status[at] });
      }
    };
  },
  'counter-wide': (world, name) => {
    const counter = world.counter(name);
    const { method, route, status } = wide;
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = wideOrder[i & 16383];
        counter.add(amounts[i & 1023], { method: method[at], route: route[at], status: status[at] });
      }
    };
  },
  'counter-hot-fresh': (world, name) => {
    const counter = world.counter(name);
    const [method, route, status] = [halves(hot.method), halves(hot.route), halves(hot.status)];
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = i & 7;
        const labels = {
          method: method.heads[at] + method.tails[at],
          route: route.heads[at] + route.tails[at],
          status: status.heads[at] + status.tails[at],
        };
        counter.add(amounts[i & 1023], labels);
      }
    };
  },
  'counter-wide-fresh': (world, name) => {
    const counter = world.counter(name);
    const [method, route, status] = [halves(wide.method), halves(wide.route), halves(wide.status)];
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = wideOrder[i & 16383];
        const labels = {
          method: method.heads[at] + method.tails[at],
          route: route.heads[at] + route.tails[at],
          status: status.heads[at] + status.tails[at],
        };
        counter.add(amounts[i & 1023], labels);
      }
    };
  },
  histogram: (world, name) => {
    const histogram = world.histogram(name);
    return (calls) => {
      for (let i = 0; i < calls; i++) histogram.record(latencies[i & 1023]);
    };
  },
  'histogram-hot': (world, name) => {
    const histogram = world.histogram(name);
    const { method, route, status } = hot;
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = i & 7;
        histogram.record(latencies[i & 1023], { method: method[at], route: route[at], status: status[at] });
      }
    };
  },
  'histogram-wide': (world, name) => {
    const histogram = world.histogram(name);
    const { method, route, status } = wide;
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = wideOrder[i & 16383];
        histogram.record(latencies[i & 1023], { method: method[at], route: route[at], status: status[at] });
      }
    };
  },
  gauge: (world, name) => {
    const gauge = world.gauge(name);
    return (calls) => {
      for (let i = 0; i < calls; i++) gauge.record(amounts[i & 1023]);
    };
  },
};

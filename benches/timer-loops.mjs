// The loops that timers.mjs times. Each library imports it with its own query string, so each has its own call sites and
// thus its own type feedback.

import { hot, LABEL_NAMES } from './inputs.mjs';

const { method, route, status } = hot;

/** By case id: a function that sets the case up and returns its loop over `calls` timers. */
export const loops = {
  none: (world, name) => {
    const histogram = world.histogram(name);
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const end = histogram.startTimer();
        end();
      }
    };
  },
  child: (world, name) => {
    const child = world.histogram(name, LABEL_NAMES).labels({ method: method[0], route: route[0], status: status[0] });
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const end = child.startTimer();
        end();
      }
    };
  },
  labels: (world, name) => startedWithLabels(world.histogram(name, LABEL_NAMES)),
  late: (world, name) => {
    const histogram = world.histogram(name, LABEL_NAMES);
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = i & 7;
        const end = histogram.startTimer();
        end({ method: method[at], route: route[at], status: status[at] });
      }
    };
  },
  both: (world, name) => {
    const histogram = world.histogram(name, LABEL_NAMES);
    return (calls) => {
      for (let i = 0; i < calls; i++) {
        const at = i & 7;
        const end = histogram.startTimer({ method: method[at], route: route[at] });
        end({ status: status[at] });
      }
    };
  },
  summary: (world, name) => startedWithLabels(world.summary(name, LABEL_NAMES)),
};

function startedWithLabels(metric) {
  return (calls) => {
    for (let i = 0; i < calls; i++) {
      const at = i & 7;
      const end = metric.startTimer({ method: method[at], route: route[at], status: status[at] });
      end();
    }
  };
}

// Runs every failing callback at every place, one after the other, and tells the parent which one it is at.

import { CALLED_BY_THE_ENGINE, places } from './places.mjs';
import { manners, thrownValues } from './values.mjs';

for (const [manner, values] of JSON.parse(process.argv[2])) {
  for (const value of values) {
    for (const [place, use] of Object.entries(places)) {
      process.send({ manner, value, place });
      if (manner.startsWith('rejects') && CALLED_BY_THE_ENGINE.includes(place)) continue;
      await use(manners[manner](thrownValues()[value]), manner);
    }
  }
}
// Rejections that nothing handles are reported when the loop turns; collected promises too.
await new Promise((resolve) => setTimeout(resolve, 50));
process.send('done');
process.disconnect();

// Each exemption is needed and is enough: without it the peer still differs from us, with it the peer agrees, and
// docs/compatibility.md says why. An exemption that a new version of a peer makes obsolete fails here.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { adapted, peers, subject } from './clients.mjs';
import { releaseClock, stopClock } from './clock.mjs';
import { exemptions, restrictions } from './exemptions.mjs';
import { restrictionWitnesses, witnesses } from './witnesses.mjs';

// Callbacks that fail on purpose are warned about.
process.removeAllListeners('warning');

const page = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');
const sections = [...page.matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name);

async function on(client, { program }) {
  stopClock();
  try {
    return await program(client);
  } finally {
    releaseClock();
  }
}

for (const { name, peers: names } of exemptions) {
  const witness = witnesses[name];

  test.serial(`${name}: here`, async (t) => {
    t.deepEqual(await on(subject.client, witness), witness.here);
  });

  for (const peer of peers.filter((candidate) => names.includes(candidate.name))) {
    test.serial(`${name}: ${peer.name} still differs, and the exemption is all there is`, async (t) => {
      t.notDeepEqual(await on(peer.client, witness), witness.here);
      t.notDeepEqual(await on(adapted(peer, name).client, witness), witness.here);
      t.deepEqual(await on(adapted(peer).client, witness), witness.here);
    });
  }
}

for (const { name } of restrictions) {
  const { here, program } = restrictionWitnesses[name];

  test.serial(`${name}: here`, async (t) => {
    t.deepEqual(await on(subject.client, { program }), here);
  });

  for (const peer of peers) {
    test.serial(`${name}: ${peer.name} still differs`, async (t) => {
      t.notDeepEqual(await on(adapted(peer).client, { program }), here);
    });
  }
}

test('every exemption and restriction has its section, and every section is of one', (t) => {
  const names = [...exemptions, ...restrictions].map(({ name }) => name);
  t.deepEqual([...sections].sort(), [...names].sort());
});

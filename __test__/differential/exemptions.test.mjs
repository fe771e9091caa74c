// Each exemption is necessary and sufficient: without it the peer differs from this library, with it the peer agrees.
// docs/compatibility.md gives the reason. An exemption that a new version of a peer makes obsolete fails here.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { adapted, peers, subject } from './clients.mjs';
import { releaseClock, stopClock } from './clock.mjs';
import { exemptions, restrictions } from './exemptions.mjs';
import { restrictionWitnesses } from './restriction-witnesses.mjs';
import { witnesses } from './witnesses.mjs';

// Silence the warnings about callbacks that fail on purpose.
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
    test.serial(`${name}: ${peer.name} still differs, and the exemption makes it agree`, async (t) => {
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

test('every exemption and restriction has a section, and no other section exists', (t) => {
  const names = [...exemptions, ...restrictions].map(({ name }) => name);
  t.deepEqual([...sections].sort(), [...names].sort());
});

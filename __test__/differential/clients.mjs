// The libraries under comparison. The clock is installed first, before any of them can keep the real one.

import './clock.mjs';
import { createRequire } from 'node:module';
import { adaptPeer } from './adapted-peer.mjs';
import { exemptionsFor } from './exemptions.mjs';

const require = createRequire(import.meta.url);

/** Another module in place of this library, to show that a defect in it is found. */
const subjectName = process.env.DIFFERENTIAL_SUBJECT ?? '@llm-devops/prometheus-metrics';

export const subject = { name: subjectName, client: require(subjectName) };

export const peers = ['prom-client', '@prometheus-io/client'].map((name) => ({ name, client: require(name) }));

/** The subject, then each peer with its exemptions around it, without the one of that name if given. */
export function compared(without) {
  return [subject, ...peers.map((peer) => adapted(peer, without))];
}

export function adapted({ name, client }, without) {
  return { name, client: adaptPeer(client, exemptionsFor(name, without)) };
}

// Loads the compared libraries. The clock is installed first, because a library may keep the real clock's functions.

import './clock.mjs';
import { createRequire } from 'node:module';
import { adaptPeer } from './adapted-peer.mjs';
import { exemptionsFor } from './exemptions.mjs';

const require = createRequire(import.meta.url);

/** Another module in place of this library, used to show that its defects are found. */
const subjectName = process.env.DIFFERENTIAL_SUBJECT ?? '@llm-devops/prometheus-metrics';

const subjectClient = require(subjectName);

/** A compared library: its name, its API with the exemptions, and its function that combines the JSON forms of a cluster. */
export const subject = { name: subjectName, client: subjectClient, aggregate: aggregateOf(subjectClient) };

export const peers = ['prom-client', '@prometheus-io/client'].map((name) => ({ name, client: require(name) }));

/** The subject, then each peer with its exemptions. The exemption named in the argument is left out. */
export function compared(without) {
  return [subject, ...peers.map((peer) => adapted(peer, without))];
}

export function adapted({ name, client }, without) {
  return { name, client: adaptPeer(client, exemptionsFor(name, without)), aggregate: aggregateOf(client) };
}

function aggregateOf({ AggregatorRegistry }) {
  return (lists) => AggregatorRegistry.aggregate(lists);
}

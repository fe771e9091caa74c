// A web configuration file that admits clients by the names in their certificates, under each version of TLS.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import https from 'node:https';
import test from 'ava';
import { certificates } from './support/certificates.mjs';
import { exporter } from './support/doors.mjs';
import { smallRegistry } from './support/registries.mjs';

const FILE = (names) => `tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_ca_file: ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [${names}]
`;

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test.serial(`${version}: only a client with an admitted name is served`, async (t) => {
    const made = await certificates(t);
    const open = async (names) => {
      await writeFile(made.path('web.yml'), FILE(names));
      return exporter(t, { registry: smallRegistry(), webConfigFile: made.path('web.yml') });
    };
    const status = async ({ port }, client = {}) => {
      const ca = made.read('ca.crt');
      const versions = { minVersion: version, maxVersion: version };
      const request = https.get({
        host: '127.0.0.1',
        port,
        path: '/metrics',
        ca,
        agent: false,
        ...versions,
        ...client,
      });
      try {
        const [response] = await once(request, 'response');
        response.resume();
        return response.statusCode;
      } catch {
        return 'refused';
      }
    };
    const admitting = await open("'other', 'scraper'");
    t.is(await status(admitting, made.client('client')), 200);
    t.is(await status(admitting), 'refused', 'no certificate');
    t.is(await status(admitting, made.client('stranger')), 'refused', 'a certificate of another authority');
    // The client's certificate is of the authority, but its name is not admitted.
    t.is(await status(await open("'other'"), made.client('client')), 'refused');
  });
}

// Next.js: the endpoint as a route handler, on the Node.js runtime. Copy it to app/metrics/route.ts of your application,
// and name the package in next.config.ts, so that Next.js loads its addon instead of bundling it:
//
//   export default { serverExternalPackages: ['@llm-devops/prometheus-metrics'] };
//
//   npx next dev
//   curl localhost:3000/ask
//   curl localhost:3000/metrics

import { createFetchHandler } from '@llm-devops/prometheus-metrics';

// Next.js removes `content-encoding` from the answers of route handlers, so the handler does not compress for it.
const metrics = createFetchHandler();

export const dynamic = 'force-dynamic';
export const GET = (request: Request) => metrics(request);
export const HEAD = GET;

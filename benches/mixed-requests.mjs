// Draws the requests that the application of mixed-app.mjs serves: before anything is timed, at random, and skewed, so that
// some routes and models are frequent. A fixed seed gives each library the same requests. It knows no metrics.

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'];
const CODES = ['200', '404', '500', '201', '304', '400', '429', '503'];
const POOLS = ['main', 'replica', 'cache', 'queue'];
const STATES = ['idle', 'busy', 'waiting'];
const PROVIDERS = ['openai', 'anthropic', 'google'];
const MODELS = ['gpt-4o', 'claude-sonnet', 'gemini-pro', 'gpt-4o-mini', 'claude-haiku'];
const TYPES = ['input', 'output', 'cached'];
const OUTCOMES = ['success', 'error', 'timeout'];
const OPERATIONS = ['chat', 'embeddings', 'completion'];
const ROUTES = numbered('/api/', 40);
const TENANTS = numbered('tenant-', 12);
/** With five methods and eight codes 100,000 label sets; some 10,000 of them are drawn. */
const ITEMS = numbered('/items/', 2_500);

let seed = 42;

/** Powers of two, so that a loop goes round them with a mask. */
export const requests = Array.from({ length: 4_096 }, () => draw(ROUTES, skewed));
/** Requests for so many routes that almost each of their label sets is used once in a lap. */
export const wideRequests = Array.from({ length: 16_384 }, () => draw(ITEMS, even));
/** Values for histograms, spread over the default buckets. */
export const observations = Float64Array.from({ length: 4_096 }, () => random() * random() * 12);

function draw(routes, pickRoute) {
  const route = pickRoute(routes);
  const code = skewed(CODES);
  const [routeHead, routeTail] = halves(route);
  const [codeHead, codeTail] = halves(code);
  return {
    method: skewed(METHODS),
    route,
    code,
    codeNumber: Number(code),
    // Joined at a call they are strings that the engine has not seen, as a router or a parser makes them.
    routeHead,
    routeTail,
    codeHead,
    codeTail,
    pool: skewed(POOLS),
    state: skewed(STATES),
    provider: skewed(PROVIDERS),
    model: skewed(MODELS),
    type: skewed(TYPES),
    outcome: skewed(OUTCOMES),
    operation: skewed(OPERATIONS),
    tenant: skewed(TENANTS),
    bytes: Math.floor(random() * 5_000),
    dollars: random() / 100,
    depth: Math.floor(random() * 30),
    seconds: random() * random() * 3,
  };
}

function numbered(prefix, size) {
  return Array.from({ length: size }, (_, index) => prefix + index);
}

function even(values) {
  return values[Math.floor(random() * values.length)];
}

function skewed(values) {
  return values[Math.floor(random() * random() * values.length)];
}

function halves(text) {
  const middle = text.length >> 1;
  return [text.slice(0, middle), text.slice(middle)];
}

/** A linear congruential generator: the same numbers on every platform. From 0 to below 1. */
function random() {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed / 0x80000000;
}

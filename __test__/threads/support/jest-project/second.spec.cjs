const client = require('@llm-devops/prometheus-metrics');
const { exposition, place, record } = require('../recording.cjs');

test('the exposition is this file’s alone', async () => {
  expect(place()).toBe(process.env.RUNNER_PLACE);
  expect(await record(client, 2)).toBe(exposition(2));
});

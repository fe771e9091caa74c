import * as client from '@llm-devops/prometheus-metrics';
import { expect, test } from 'vitest';
import { exposition, place, record } from '../recording.cjs';

test('the exposition is this file’s alone', async () => {
  expect(place()).toBe(process.env.RUNNER_PLACE);
  expect(await record(client, 1)).toBe(exposition(1));
});

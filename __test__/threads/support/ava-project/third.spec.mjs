import * as client from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { exposition, place, record } from '../recording.cjs';

test('the exposition is this file’s alone', async (t) => {
  t.is(place(), process.env.RUNNER_PLACE);
  t.is(await record(client, 3), exposition(3));
});

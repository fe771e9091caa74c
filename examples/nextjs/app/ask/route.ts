// Next.js: a route handler that counts. It needs nothing of the metrics route: the process has one default registry.

import { register } from '@llm-devops/prometheus-metrics';

// Get or create: in development Next.js loads a changed module again, and a constructor would throw then.
const questions = register.counter({ name: 'questions_total', help: 'Questions asked', labelNames: ['language'] });

export const dynamic = 'force-dynamic';
export const GET = (request: Request) => {
  const language = request.headers.get('accept-language')?.startsWith('de') ? 'de' : 'en';
  questions.inc({ language });
  return new Response(language === 'de' ? 'Wie bitte?' : 'Pardon?');
};

// Why an attempt failed, in a person's words.

import { t, type PlainKey } from '../../../i18n';

/** The words of the upstream crate. Those we do not know are written as they come. */
const WORDS: Record<string, PlainKey> = {
  account_dead: 'failure.account_dead',
  challenge: 'failure.challenge',
  connect: 'failure.connect',
  context_overflow: 'failure.context_overflow',
  cut_off: 'failure.cut_off',
  forbidden: 'failure.forbidden',
  invalid_request: 'failure.invalid_request',
  model_not_found: 'failure.model_not_found',
  not_eligible: 'failure.not_eligible',
  overloaded: 'failure.overloaded',
  policy: 'failure.policy',
  program: 'failure.program',
  protocol: 'failure.protocol',
  rate_limited: 'failure.rate_limited',
  reasoning_rejected: 'failure.reasoning_rejected',
  server: 'failure.server',
  timeout: 'failure.timeout',
  too_large: 'failure.too_large',
  unauthorized: 'failure.unauthorized',
  unavailable: 'failure.unavailable',
  usage_limit: 'failure.usage_limit',
  usage_not_included: 'failure.usage_not_included',
};

export function failureOf(name: string): string {
  const key = WORDS[name];
  return key === undefined ? name : t(key);
}

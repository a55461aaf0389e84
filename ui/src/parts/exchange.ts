// What became of an exchange, in a person's words.

import { t, type PlainKey } from '../i18n';
import { moment, percent, timeOfDay } from '../i18n/format';
import type { Exchange } from '../api/types';
import type { Tone } from '../shared/Mark.svelte';
import type { Screen } from '../router.svelte';

export function outcomeOf(exchange: Exchange): { tone: Tone; text: string } {
  switch (exchange.outcome) {
    case 'completed':
      return { tone: 'good', text: t('outcome.completed') };
    case 'cancelled':
      return { tone: 'idle', text: t('outcome.cancelled') };
    case 'refused':
      return { tone: 'bad', text: t('outcome.refused') };
    case 'failed':
      return { tone: 'bad', text: t('outcome.failed') };
  }
}

/** A long night's work is told by the time of the day. */
const TODAY = 12 * 3_600_000;

export function when(at: number, now: number): string {
  return now - at < TODAY ? timeOfDay(at) : moment(at, now);
}

/** `claude-sonnet-4-5 → gpt-6.1-sol`; once, if both are the same. */
export function models({ asked, model }: { asked: string; model: string }): string {
  return asked === '' || asked === model ? model : model === '' ? asked : `${asked} → ${model}`;
}

/** How much of the input came from the prompt cache. */
export function cachedShare(exchange: Exchange): string | null {
  const tokens = exchange.tokens;
  return tokens === null || tokens.input === 0 ? null : percent((100 * tokens.cached) / tokens.input);
}

/** What to do about an error, by its code. */
const CURES: Record<string, { text: PlainKey; screen: Screen | null }> = {
  usage_limit: { text: 'cure.usage_limit', screen: 'accounts' },
  usage_not_included: { text: 'cure.usage_not_included', screen: 'accounts' },
  rate_limited: { text: 'cure.rate_limited', screen: null },
  overloaded: { text: 'cure.overloaded', screen: null },
  server: { text: 'cure.overloaded', screen: null },
  unavailable: { text: 'cure.overloaded', screen: null },
  unauthorized: { text: 'cure.account_dead', screen: 'accounts' },
  account_dead: { text: 'cure.account_dead', screen: 'accounts' },
  not_eligible: { text: 'cure.not_eligible', screen: 'accounts' },
  no_account: { text: 'cure.no_account', screen: 'onboarding' },
  context_overflow: { text: 'cure.context_overflow', screen: null },
  too_large: { text: 'cure.context_overflow', screen: null },
  model_not_found: { text: 'cure.model_not_found', screen: null },
  connect: { text: 'cure.connect', screen: null },
  timeout: { text: 'cure.connect', screen: null },
  challenge: { text: 'cure.challenge', screen: null },
  // What the gateway itself refuses is called as the client hears it.
  authentication_error: { text: 'cure.authentication', screen: 'clients' },
  not_found_error: { text: 'cure.unknown_model', screen: 'models' },
  request_too_large: { text: 'cure.context_overflow', screen: null },
  timeout_error: { text: 'cure.connect', screen: null },
};

export function cureOf(exchange: Exchange): { text: string; screen: Screen | null } | null {
  const cure = exchange.error === null ? undefined : CURES[exchange.error];
  return cure === undefined ? null : { text: t(cure.text), screen: cure.screen };
}

/** The last troubles, one for each kind of error, unless it went well on the same account since. */
export function troubles(recent: Exchange[]): Exchange[] {
  const seen = new Set<string>();
  const well = new Set<string | null>();
  return recent.filter((exchange) => {
    if (exchange.outcome === 'completed') well.add(exchange.account);
    if (exchange.outcome !== 'refused' && exchange.outcome !== 'failed') return false;
    const kind = `${exchange.error} ${exchange.account}`;
    if (seen.has(kind)) return false;
    seen.add(kind);
    return !well.has(exchange.account);
  });
}

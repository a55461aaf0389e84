// A row of the list in a person's words. Pure: the moment is an argument.

import { t } from '../../i18n';
import { moment, percent, timeOfDay } from '../../i18n/format';
import { outcomeOf } from '../../parts/exchange';
import type { Exchange } from '../../api/types';
import type { Tone } from '../../shared/Mark.svelte';
import type { Entry } from '../../state/requests/head';

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

/** How it stands with one, and how that looks. */
export function standing(entry: Entry): { tone: Tone; text: string } {
  const { done, open } = entry;
  if (done !== null) {
    const { tone, text } = outcomeOf(done);
    const plain = done.outcome === 'completed' || done.outcome === 'cancelled' || done.status === null;
    return { tone, text: plain ? text : t('requests.with_status', { outcome: text, status: String(done.status) }) };
  }
  if (open !== null && open.first_byte_ms !== null) return { tone: 'busy', text: t('requests.answering') };
  if (open !== null && open.attempts > 1) return { tone: 'busy', text: t('requests.trying', { attempt: open.attempts }) };
  return { tone: 'busy', text: t('requests.asking') };
}

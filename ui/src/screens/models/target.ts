// Models and efforts in a person's words.

import { t } from '../../i18n';
import { amount } from '../../i18n/format';
import type { Target } from '../../api/routes';
import type { Model } from '../../api/types';

/** Efforts that can be set, the weakest first. What a catalogue lists beyond them no request can say. */
export const EFFORTS = ['none', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
/** Those that have a name of ours. */
const NAMED = ['minimal', ...EFFORTS, 'ultra'] as const;

/** The efforts of a model; all of them, if nobody knows it. */
export function effortsOf(name: string, models: Model[]): string[] {
  const known = models.find((model) => model.model === name);
  return EFFORTS.filter((effort) => known === undefined || known.efforts.includes(effort));
}

/** In words of ours; one that is new, as it comes. */
export function effortText(effort: string): string {
  const named = NAMED.find((name) => name === effort);
  return named === undefined ? effort : t(`effort.${named}`);
}

/** `gpt-6-sol · High` */
export function targetText({ model, effort }: Target): string {
  return effort === null ? model : `${model} · ${effortText(effort)}`;
}

/** As the API writes a default: `model` or `model:effort`. */
export function parsed(text: string): Target {
  const effort = EFFORTS.find((effort) => text.endsWith(`:${effort}`));
  return effort === undefined ? { model: text, effort: null } : { model: text.slice(0, -effort.length - 1), effort };
}

/** How much a model reads at once. */
export function windowText(model: Model): string | null {
  if (model.context_window === null) return null;
  if (model.usable_tokens === null) return t('models.window', { window: amount(model.context_window) });
  return t('models.window_usable', { window: amount(model.context_window), usable: amount(model.usable_tokens) });
}

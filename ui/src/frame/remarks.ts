// What on a screen needs somebody. Read anew whenever what it is made of changes.

import { t } from '../i18n';
import type { Screen } from '../router.svelte';
import type { Tone } from '../shared/Mark.svelte';
import { live } from '../state/live.svelte';

export interface Remark {
  tone: Tone;
  text: string;
}

export function remarks(): Partial<Record<Screen, Remark>> {
  const ill = live.accounts.filter((account) => account.state === 'needs_sign_in').length;
  const drifted = live.drifted.length;
  return {
    ...(ill > 0 ? { accounts: { tone: 'bad', text: t('overview.need_sign_in', { count: ill }) } } : {}),
    ...(drifted > 0 ? { clients: { tone: 'warn', text: t('clients.drifted', { count: drifted }) } } : {}),
  };
}

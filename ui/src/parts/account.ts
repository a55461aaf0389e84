// An account in a person's words. Pure: the moment is an argument.

import { t } from '../i18n';
import { moment, percent, span, windowLength } from '../i18n/format';
import type { Account, QuotaWindow, SignInTold } from '../api/types';
import type { Tone } from '../shared/Mark.svelte';
import { phrase } from './sentence';

const WEEK = 10_080;
/** The family of windows that every account has. */
const MAIN = 'codex';
/** What is older than this may no longer be so, and says how old it is. */
const STALE = 30 * 60_000;

export interface Health {
  tone: Tone;
  /** In a few words. */
  text: string;
  /** What to know beyond that. */
  more: string | null;
  cure: 'sign_in' | 'wake' | 'resume' | null;
}

/** What its owner calls it. */
export function nameOf(account: Pick<Account, 'id' | 'label' | 'email'>): string {
  return account.label ?? account.email ?? account.id;
}

/** The second line: what the name does not say already. */
export function detailsOf(account: Account): string[] {
  const kind = t(`kind.${account.kind}`);
  const plan = account.plan === null ? null : planName(account.plan);
  const other = account.label !== null && account.email !== null && account.label !== account.email ? account.email : null;
  return [other, kind, plan, account.url].filter((part): part is string => part !== null);
}

/** Plans are called by their names; those we do not know are written as they come. */
export function planName(plan: string): string {
  return plan.slice(0, 1).toUpperCase() + plan.slice(1);
}

export function health(account: Account, now: number): Health {
  if (account.state === 'needs_sign_in') {
    return { tone: 'bad', text: t('health.needs_sign_in'), more: phrase(account.why), cure: canSignIn(account) ? 'sign_in' : null };
  }
  if (account.paused) return { tone: 'idle', text: t('health.paused'), more: null, cure: 'resume' };
  if (account.state === 'cooling_down') {
    const until = moment(Date.parse(account.until), now);
    return { tone: 'warn', text: t('health.resting', { until }), more: t(`cooldown.${account.why}`), cure: 'wake' };
  }
  if (account.state === 'blocked') {
    return { tone: 'bad', text: t('health.blocked'), more: t(`cooldown.${account.why}`), cure: 'wake' };
  }
  if (account.in_flight > 0) {
    return { tone: 'busy', text: t('health.working', { count: account.in_flight }), more: null, cure: null };
  }
  return { tone: 'good', text: t('health.ready'), more: null, cure: null };
}

/** It could serve a request that names no account. */
export function canServe(account: Account): boolean {
  return account.state === 'ready' && !account.paused && !account.named;
}

/** Its sign-in is ours to renew. */
export function canSignIn(account: Account): boolean {
  return (account.kind === 'plan' || account.kind === 'codex') && account.read_only === null;
}

/** The windows that count for every request, the shortest first. */
export function mainWindows(account: Account): QuotaWindow[] {
  return account.quota?.windows.filter((window) => window.family === MAIN) ?? [];
}

/** Windows of single models or features. */
export function otherWindows(account: Account): QuotaWindow[] {
  return account.quota?.windows.filter((window) => window.family !== MAIN) ?? [];
}

/** A window is called by its length, never by its position. */
export function windowName(window: QuotaWindow): string {
  const length = window.minutes === WEEK ? t('window.week') : windowLength(window.minutes);
  return window.family === MAIN ? length : `${window.title ?? window.family} · ${length}`;
}

/** What is left, and when it begins anew, as a sentence. */
export function windowSentence(window: QuotaWindow, now: number): string {
  const name = windowName(window);
  const left = percent(Math.max(0, 100 - window.used_percent));
  const resets = window.resets_at === null ? null : Date.parse(window.resets_at);
  if (resets === null || resets <= now) return t('window.left', { name, left });
  return t('window.left_until', { name, left, until: moment(resets, now) });
}

/** The line under a bar: when it begins anew, and when it runs dry before that. */
export function windowNote(window: QuotaWindow, now: number): string | null {
  const forecast = window.forecast === null ? null : Date.parse(window.forecast);
  if (forecast !== null && forecast > now) return t('window.empty_at', { at: moment(forecast, now) });
  const resets = window.resets_at === null ? null : Date.parse(window.resets_at);
  return resets === null || resets <= now ? null : t('window.resets', { at: moment(resets, now), left: span(resets - now) });
}

/** Whether what is known of it is too old to be shown without saying so. */
export function isStale(seenAt: string, now: number): boolean {
  return now - Date.parse(seenAt) > STALE;
}

/** Somebody is signing in right now. */
export function underWay(signIns: SignInTold[]): SignInTold | null {
  return signIns.find((told) => told.state === 'waiting' || told.state === 'exchanging') ?? null;
}

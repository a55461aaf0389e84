import { describe, expect, it } from 'vitest';
import type { Account, QuotaWindow } from '../api/types';
import { canServe, detailsOf, health, mainWindows, windowName, windowNote, windowSentence } from './account';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const later = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();

const account = (over: Partial<Account> = {}): Account =>
  ({
    id: 'acc_0123456789abcdef',
    kind: 'codex',
    email: 'ada@example.com',
    label: 'work',
    plan: 'plus',
    active: false,
    named: false,
    url: null,
    ephemeral: false,
    state: 'ready',
    paused: false,
    priority: 0,
    read_only: null,
    in_flight: 0,
    quota: null,
    warning: null,
    ...over,
  }) as Account;

const window = (over: Partial<QuotaWindow> = {}): QuotaWindow => ({
  minutes: 300,
  family: 'codex',
  title: null,
  used_percent: 62,
  resets_at: later(90),
  seen_at: later(0),
  forecast: null,
  ...over,
});

describe('an account', () => {
  it('is told in words, with a cure where there is one', () => {
    expect(health(account({ active: true }), NOW)).toMatchObject({ tone: 'good', cure: null });
    expect(health(account({ paused: true }), NOW)).toMatchObject({ tone: 'idle', cure: 'resume' });
    expect(health(account({ in_flight: 2 }), NOW)).toMatchObject({ tone: 'busy', text: 'Answering 2 requests' });
    const resting = account({ state: 'cooling_down', until: later(60), why: 'usage_limit' } as Partial<Account>);
    expect(health(resting, NOW)).toMatchObject({ tone: 'warn', cure: 'wake', more: 'The plan’s window is used up.' });
    const out = { state: 'needs_sign_in', why: 'revoked' } as Partial<Account>;
    expect(health(account(out), NOW)).toMatchObject({ tone: 'bad', cure: 'sign_in', more: 'revoked' });
    expect(health(account({ ...out, read_only: '/home/ada/.codex/auth.json' }), NOW).cure, 'another program signs in').toBe(null);
    expect(health(account({ ...out, paused: true }), NOW).tone, 'worse than being paused').toBe('bad');
  });

  it('serves when it is ready, wanted and not asked for by name', () => {
    expect(canServe(account())).toBe(true);
    expect(canServe(account({ paused: true }))).toBe(false);
    expect(canServe(account({ named: true }))).toBe(false);
  });

  it('says once who it is', () => {
    expect(detailsOf(account())).toEqual(['ada@example.com', 'Codex sign-in, unofficial', 'Plus']);
    expect(detailsOf(account({ label: null }))).not.toContain('ada@example.com');
  });
});

describe('a window', () => {
  it('is called by its length, never by its position', () => {
    expect(windowName(window())).toBe('5 hours');
    expect(windowName(window({ minutes: 10_080 }))).toBe('Week');
    expect(windowName(window({ family: 'spark', title: 'Spark' }))).toBe('Spark · 5 hours');
    const week = window({ minutes: 10_080 });
    const quota = { windows: [week, window({ family: 'spark' })], credits: null, plan: null, reset_credits: null, seen_at: later(0) };
    expect(mainWindows(account({ quota }))).toEqual([week]);
  });

  it('says what is left and until when', () => {
    expect(windowSentence(window(), NOW)).toMatch(/^5 hours: 38% left, resets .+$/);
    expect(windowSentence(window({ resets_at: null, used_percent: 120 }), NOW)).toBe('5 hours: 0% left');
    expect(windowNote(window({ forecast: later(30) }), NOW)).toMatch(/^at this pace empty/);
    expect(windowNote(window(), NOW)).toMatch(/^resets .+, in 1 hr 30 min$/);
    expect(windowNote(window({ resets_at: later(-1) }), NOW), 'a moment that has passed is no news').toBe(null);
  });
});

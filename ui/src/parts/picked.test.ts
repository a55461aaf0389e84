import { expect, it } from 'vitest';
import type { Account, Rotation } from '../api/types';
import { standing } from './picked';

const account = (id: string, more: Partial<Account> = {}) =>
  ({ id, state: 'ready', paused: false, named: false, active: false, priority: 0, ...more }) as Account;
const all = (rotation: Rotation, ...accounts: Account[]) =>
  accounts.map((one) => standing(one, accounts, rotation).replace('picked.', '')).join(' ');
const resting = { state: 'cooling_down', until: '2026-11-20T12:00:00Z', why: 'usage_limit' } as const;

it('is the active one alone in personal mode, whether it can serve or not', () => {
  expect(all('personal', account('a', { active: true }), account('b'), account('c', { paused: true }))).toBe('here not_chosen held');
  expect(all('personal', account('a', { active: true, ...resting }), account('b'))).toBe('refused not_chosen');
});

it('is the next in order while the active one is blocked', () => {
  expect(all('sticky', account('a'), account('b', { active: true }))).toBe('stands_by here');
  expect(all('sticky', account('b', { active: true, ...resting }), account('a', { priority: 1 }), account('c'))).toBe(
    'over_until steps_in stands_by',
  );
});

it('is each of the highest rank in turn', () => {
  expect(all('round_robin', account('a'), account('b'))).toBe('turn turn');
  expect(all('round_robin', account('a', { priority: 1 }), account('b', { active: true }))).toBe('here stands_by');
  expect(all('least_in_flight', account('a', { priority: 1, paused: true }), account('b'), account('c'))).toBe('held turn turn');
});

it('is the highest that can serve, of equals the active one', () => {
  expect(all('fill_first', account('a'), account('b', { active: true }))).toBe('stands_by here');
  expect(all('fill_first', account('a', { priority: 1 }), account('b', { active: true }))).toBe('here stands_by');
  expect(all('fill_first', account('a', { priority: 1, ...resting }), account('b'))).toBe('over_until here');
});

import { describe, expect, it } from 'vitest';
import type { Account, Exchange } from '../../api/types';
import type { Crossing } from '../../state/live.svelte';
import { line, place, ROOM, ROW, shores } from './crossing';

const crossing = (id: string, over: Partial<Crossing> = {}): Crossing => ({
  id,
  at: `2026-11-20T12:00:0${id}Z`,
  client: 'claude-code',
  dialect: 'anthropic',
  asked: 'x',
  model: `m${id}`,
  effort: null,
  streamed: true,
  account: 'a',
  attempts: 1,
  first_byte_ms: null,
  after: null,
  ...over,
});
const account = (id: string, over: Partial<Account> = {}): Account =>
  ({ id, label: id, email: null, active: false, named: false, ...over }) as Account;
const past = (client: string, on: string): Exchange => ({ client, account: on }) as Exchange;

describe('the crossing', () => {
  it('has one lane for each client and account, in the mood that says the most', () => {
    const open = [crossing('1'), crossing('2', { first_byte_ms: 5 }), crossing('3', { attempts: 2, account: 'b' })];
    const { lanes, clients } = shores(open, [], [], [account('a'), account('b')]);
    expect(clients).toEqual(['claude-code']);
    expect(lanes).toMatchObject([
      { account: 'a', mood: 'flows', count: 2, last: { model: 'm2' } },
      { account: 'b', mood: 'retries', count: 1 },
    ]);
  });

  it('shows where the last ones went, and for a moment how one ended', () => {
    const { lanes } = shores([], [{ exchange: crossing('1'), outcome: 'refused' }], [past('laptop', 'a')], [account('a')]);
    expect(lanes).toMatchObject([
      { client: 'laptop', mood: 'rest', count: 0 },
      { client: 'claude-code', mood: 'failed', count: 0 },
    ]);
  });

  it('leads to the gateway and no further while nobody is picked', () => {
    expect(shores([crossing('1', { account: null })], [], [], []).lanes).toMatchObject([{ account: null, mood: 'asked' }]);
    expect(line(14, null, 28)).not.toContain('100');
    expect(line(14, 42, 28)).toContain('100 42');
  });

  it('has room for some, the active account among them', () => {
    const many = Array.from({ length: 9 }, (_, at) => account(`a${at}`, { active: at === 8 }));
    const clients = Array.from({ length: 9 }, (_, at) => past(`c${at}`, 'a8'));
    const found = shores([], [], clients, many);
    expect(found.accounts).toHaveLength(ROOM);
    expect(found.accounts[0]?.id).toBe('a8');
    expect(found.clients).toHaveLength(ROOM);
    expect(found.lanes).toHaveLength(ROOM);
  });

  it('centres each shore', () => {
    expect(place(0, 1, 2 * ROW)).toBe(ROW);
    expect(place(1, 2, 2 * ROW)).toBe(1.5 * ROW);
  });
});

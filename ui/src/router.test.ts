import { describe, expect, it } from 'vitest';
import { href, parse } from './router.svelte';

describe('routes', () => {
  it('are read from the address', () => {
    expect(parse('#/accounts')).toEqual({ screen: 'accounts', id: null, query: '' });
    expect(parse('#/accounts/acc_01')).toEqual({ screen: 'accounts', id: 'acc_01', query: '' });
    expect(parse('#/requests/req_01').id).toBe('req_01');
    expect(parse('#settings')).toEqual({ screen: 'settings', id: null, query: '' });
    expect(parse('#/requests/req_01?q=a?b&c=%3F')).toEqual({ screen: 'requests', id: 'req_01', query: 'q=a?b&c=%3F' });
    expect(parse('#/requests?outcome=failed')).toEqual({ screen: 'requests', id: null, query: 'outcome=failed' });
  });

  it('lead to the overview when nobody knows them', () => {
    for (const hash of ['', '#', '#/', '#/nothing', '#/../x', '#//evil']) {
      expect(parse(hash), hash).toEqual({ screen: 'overview', id: null, query: '' });
    }
    expect(parse('#/accounts/%E0%A4%A').id).toBe(null);
  });

  it('come back from their own address', () => {
    expect(parse(href('accounts', 'a b/ü'))).toEqual({ screen: 'accounts', id: 'a b/ü', query: '' });
    expect(parse(href('requests', null, 'q=1'))).toEqual({ screen: 'requests', id: null, query: 'q=1' });
  });
});

import { describe, expect, it } from 'vitest';
import type { Setting } from '../api/types';
import { clean, hidden, told, written } from './diagnostics';

describe('what is given to others', () => {
  it.each([
    ['jane.doe+x@mail.example is signed in', '[e-mail] is signed in'],
    ['(名字@例子.cn)', '([e-mail])'],
    ['asked http://jane:pass@host.example/v1', 'asked http://[hidden]@host.example/v1'],
    ['GET /x?code=abc123&state=z', 'GET /x?code=[hidden]&state=[hidden]'],
    ['Authorization: Bearer abc.def-1', 'Authorization: Bearer [hidden]'],
    ['key cf_wtz3wMOdOIaRPpx4zJsCxQ2tu141ASPpRedUvT5H21g', 'key [hidden]'],
    ['sk-proj-12345678', '[hidden]'],
    ['eyJhbGciOi.eyJzdWIi.c2ln', '[hidden]'],
    ['f'.repeat(64), '[hidden]'],
    ['/home/jane/.codeferry', '~/.codeferry'],
    ['/Users/jane/x', '~/x'],
    ['C:\\Users\\jane\\x', '~\\x'],
  ])('%s', (text, left) => expect(hidden(text)).toBe(left));

  it('still says what happened', () => {
    for (const text of ['codeferry::life', 'listening on 127.0.0.1:8081', 'gpt-6.1-sol answered in 320 ms', '018f3c1e-7d2a-7c3b-9f10-2b3c4d5e6f70']) {
      expect(hidden(text)).toBe(text);
    }
  });

  it('has nothing in any of its members', () => {
    const line = { fields: { api_key: 'short', tokens: 12, by: ['a@b.example'], 'a@b.example': 1 } };
    expect(clean(line)).toEqual({ fields: { api_key: '[hidden]', tokens: 12, by: ['[e-mail]'], '[e-mail]': 1 } });
  });

  const setting = (key: string, value: Setting['value'], usual: Setting['default'], allowed = ''): Setting => ({
    ...{ key, value, default: usual, set: true, allowed, doc: '' },
  });
  const settings = [
    setting('port', 9000, 8081),
    setting('rotation', 'sticky', 'personal', 'personal or sticky'),
    setting('host', '10.1.2.3', '127.0.0.1', 'an IP address'),
    setting('allowed_hosts', ['jane.example'], []),
    setting('grace_seconds', 10, 10),
    setting('alias.jane', 'gpt-a', null),
  ];

  it('tells of settings what cannot be private', () => {
    expect(told(settings)).toEqual({
      settings: { port: 9000, rotation: 'sticky', host: '[changed, not told]', allowed_hosts: '[changed, not told]' },
      own_entries: 1,
    });
  });

  it('is JSON, and clean as a whole', () => {
    const text = written({
      ...{ made_at: '', version: '0.1.0', started_at: '', page: '', log: [], ...told(settings) },
      doctor: { verdict: 'ok', rows: [{ check: 'account', verdict: 'ok', message: 'jane@mail.example is ready' }] },
    });
    expect(JSON.parse(text)).toMatchObject({ version: '0.1.0', doctor: { rows: [{ message: '[e-mail] is ready' }] } });
    expect(text).not.toContain('jane');
  });
});

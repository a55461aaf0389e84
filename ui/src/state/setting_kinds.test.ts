import { describe, expect, it } from 'vitest';
import { isLoopback, kindOf, matches, read, same } from './setting_kinds';

describe('the kind of a setting', () => {
  it.each([
    [true, 'true or false', { kind: 'flag' }],
    [64, 'a number from 1 to 1024', { kind: 'number', min: 1, max: 1024 }],
    [8081, 'a number from 0 to 65535 (0: any free port)', { kind: 'number', min: 0, max: 65535 }],
    [1.5, 'dollars', { kind: 'number', min: null, max: null }],
    ['off', 'auto or off', { kind: 'choice', options: ['auto', 'off'] }],
    ['sticky', 'personal, sticky or round_robin', { kind: 'choice', options: ['personal', 'sticky', 'round_robin'] }],
    ['window', 'one of window, browser', { kind: 'choice', options: ['window', 'browser'] }],
    ['127.0.0.1', 'an IP address, or localhost', { kind: 'text' }],
    ['other', 'auto or off', { kind: 'text' }],
    [[], 'host names separated by commas', { kind: 'list' }],
  ])('%j of "%s"', (value, allowed, kind) => {
    expect(kindOf({ value, allowed })).toEqual(kind);
  });

  it('is how what was typed is read', () => {
    expect(read('list', ' a.example, ,b.example ')).toEqual(['a.example', 'b.example']);
    expect(read('list', '')).toEqual([]);
    expect(read('number', '12')).toBe(12);
    expect(read('number', ' ')).toBe(null);
    expect(read('number', 'twelve')).toBe(null);
    expect(read('text', ' x ')).toBe('x');
  });
});

describe('settings', () => {
  it('are found by words of their key and of their sentence', () => {
    const setting = { key: 'log_keep_days', doc: 'Log files of so many days are kept.' };
    expect(matches(setting, 'log keep')).toBe(true);
    expect(matches(setting, 'LOG_KEEP')).toBe(true);
    expect(matches(setting, 'files kept')).toBe(true);
    expect(matches(setting, 'log port')).toBe(false);
  });

  it('are the same by what is in them', () => {
    expect(same(['a'], ['a'])).toBe(true);
    expect(same(['a'], ['b'])).toBe(false);
    expect(same(1, '1')).toBe(false);
  });

  it('stay on this machine or do not', () => {
    expect(['localhost', '127.0.0.1', '127.1.2.3', '::1'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '192.168.1.2'].some(isLoopback)).toBe(false);
  });
});

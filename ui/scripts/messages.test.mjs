import { describe, expect, it } from 'vitest';
import { named, parameters, problems, types } from './messages.mjs';

describe('sentences', () => {
  it('are the same in every language', () => {
    expect(problems({ en: { 'a.b': 'One {x}' }, zh: { 'a.b': '一 {x}' } })).toEqual([]);
    expect(problems({ en: { 'a.b': 'One' }, zh: {} })).toEqual(['zh: a.b is missing']);
    expect(problems({ en: {}, zh: { 'a.b': '一' } })).toEqual(['zh: a.b is not in en']);
    expect(problems({ en: { 'a.b': 'One {x}' }, zh: { 'a.b': '一 {y}' } })).toEqual(['zh: a.b has other parameters than in en']);
    expect(problems({ en: { 'a.b': ' ' }, zh: { 'a.b': '一' } })).toEqual(['en: a.b is empty']);
  });

  it('have the plural forms of their language, and no others', () => {
    const en = { 'a.b': { one: '{count} day', other: '{count} days' } };
    expect(problems({ en, zh: { 'a.b': { other: '{count} 天' } } })).toEqual([]);
    expect(problems({ en: { 'a.b': { other: '{count} days' } }, zh: { 'a.b': { other: '{count} 天' } } })).toEqual([
      'en: a.b lacks the form "one"',
    ]);
    expect(problems({ en, zh: { 'a.b': { one: '{count} 天', other: '{count} 天' } } })).toEqual([
      'zh: a.b has a form "one" that the language has not',
    ]);
  });

  it('have typed parameters', () => {
    expect(parameters('{b} and {a} and {b}')).toEqual(['a', 'b']);
    const text = types({ 'a.b': 'Hi', 'a.c': 'Hi {name}', 'a.d': { one: '{count} x', other: '{count} xs' } });
    expect(text).toContain("'a.b': undefined;");
    expect(text).toContain("'a.c': { name: string | number };");
    expect(text).toContain("'a.d': { count: number };");
  });

  it('are found where they are used', () => {
    expect(named("t('a.b') + t(`c.${d}`) + { text: 'e.f' }")).toEqual({ keys: ['a.b', 'e.f'], prefixes: ['c.'] });
  });
});

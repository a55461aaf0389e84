import { describe, expect, it } from 'vitest';
import { named, parameters, problems, types, unsaid } from './messages.mjs';

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

  it('of the gateway are in every language, with what is filled in', () => {
    const said = { gateway: ['port {port} is free', '{count} file{s} changed'] };
    const zh = { 'port {port} is free': '端口 {port} 空闲', '{count} file{s} changed': '更改了 {count} 个文件{s:}' };
    expect(unsaid('zh', said, { gateway: zh })).toEqual([]);
    expect(unsaid('zh', said, { gateway: {} })).toEqual([
      'said/gateway.zh: what the gateway says is missing: "port {port} is free"',
      'said/gateway.zh: what the gateway says is missing: "{count} file{s} changed"',
    ]);
    expect(unsaid('zh', said, { gateway: { ...zh, 'port {port} is free': '端口空闲' } })).toEqual([
      'said/gateway.zh: other parameters than in "port {port} is free"',
    ]);
    expect(unsaid('zh', { gateway: [] }, { gateway: { gone: '已不存在' } })).toEqual([
      'said/gateway.zh: the gateway does not say this any more: "gone"',
    ]);
  });

  it('are found where they are used', () => {
    expect(named("t('a.b') + t(`c.${d}`) + { text: 'e.f' }")).toEqual({ keys: ['a.b', 'e.f'], prefixes: ['c.'] });
  });
});
